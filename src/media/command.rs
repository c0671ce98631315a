//! The two command lines, as `research/security.md` §3 proved them.
//!
//! A protocol list alone lets a playlist that calls itself `.mp4` read local files; the format list is what refuses it.

use std::{
    ffi::OsString,
    path::Path,
    process::{Command, Stdio},
    time::Duration,
};

use ffmpeg_sidecar::command::FfmpegCommand;

use super::{SAMPLE_RATE, Sound};

/// Plain containers: none of these demuxers opens a second file or an address.
pub(super) const FORMATS: &str = "aac,ac3,aiff,amr,ape,asf,au,avi,caf,dsf,eac3,flac,flv,matroska,webm,\
mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,ogg,tta,w64,wav,wv";

/// Streams in one file.
pub(super) const MAX_STREAMS: u32 = 64;

/// What both programs are told about the input, in front of it.
fn guards() -> [OsString; 12] {
    [
        "-max_alloc",
        "268435456",
        "-protocol_whitelist",
        "file",
        "-format_whitelist",
        FORMATS,
        "-probesize",
        "5000000",
        "-analyzeduration",
        "10000000",
        "-max_streams",
        &MAX_STREAMS.to_string(),
    ]
    .map(OsString::from)
}

/// `file:` in front makes every name a name: a dash, a colon or a bar in it means nothing.
fn local(file: &Path) -> OsString {
    let mut name = OsString::from("file:");
    name.push(file);
    name
}

/// ffprobe, printing what is in the file as JSON.
pub(super) fn probe(program: &Path, file: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["-hide_banner", "-loglevel", "level+warning"]).args(guards());
    command.args(["-show_entries", "format=format_name,duration:format_tags=title,artist"]);
    command.args(["-show_entries", "stream=index,codec_type,codec_name,sample_rate,channels,duration"]);
    command.args(["-show_entries", "stream_disposition=attached_pic:stream_tags=DURATION"]);
    command.args(["-of", "json=compact=1", "-i"]).arg(local(file));
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// ffmpeg, writing the first audio stream as raw 16-bit mono samples to stdout, and a little more than `limit` of it at
/// most.
///
/// Gaps become silence and the start is kept, so that a time in the samples is the same time in the file.
pub(super) fn extract(program: &Path, file: &Path, limit: Duration) -> FfmpegCommand {
    let mut command = FfmpegCommand::new_with_path(program);
    command.args(["-nostdin", "-hide_banner", "-nostats"]).args(guards());
    command.args(["-threads", "1", "-i"]).arg(local(file));
    command.args(["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"]);
    command.args(["-t", &limit.as_secs().to_string(), "-filter_threads", "1"]);
    command.args(["-af", &format!("aresample={SAMPLE_RATE}:async=1:first_pts=0")]);
    command.args(["-ac", "1", "-ar", &SAMPLE_RATE.to_string(), "-c:a", "pcm_s16le", "-f", "s16le"]);
    command.args(["-fs", &max_bytes(limit).to_string(), "pipe:1"]);
    command
}

/// ffmpeg, writing the first audio stream as a sound file to stdout, `limit` of it at most.
pub(super) fn sound(program: &Path, file: &Path, sound: Sound, channels: u32, limit: Duration) -> FfmpegCommand {
    let [encoder, container] = sound.format.words();
    let mut command = FfmpegCommand::new_with_path(program);
    command.args(["-nostdin", "-hide_banner", "-nostats"]).args(guards());
    command.args(["-threads", "1", "-i"]).arg(local(file));
    command.args(["-map", "0:a:0", "-vn", "-sn", "-dn", "-map_metadata", "-1", "-map_chapters", "-1"]);
    command.args(["-t", &limit.as_secs().to_string(), "-filter_threads", "1", "-threads", "1"]);
    command.args(["-ac", &channels.to_string(), "-ar", &sound.sample_rate.to_string(), "-c:a", encoder]);
    // Nothing about the file besides its sound, so that what stands in front of it has a fixed length.
    command.args(["-fflags", "+bitexact", "-flags:a", "+bitexact", "-f", container]);
    if container == "mp3" {
        command.args(["-write_xing", "0"]);
    }
    command.arg("pipe:1");
    command
}

/// The bytes that samples of this length take, and a little more.
pub(super) fn max_bytes(limit: Duration) -> u64 {
    limit.as_secs().saturating_mul(u64::from(SAMPLE_RATE) * 2).saturating_add(1 << 20).min(i64::MAX.unsigned_abs())
}
