//! Files made to attack: numbers are those of research/security.md §7.

use std::{fs, path::Path, process::Command};

use super::{Bench, config};
use crate::{
    config::{MediaConfig, Sandbox},
    error::Code,
};

/// Ten seconds at a pitch of its own: seen in the output, it was read.
fn secret(bench: &Bench) -> String {
    let secret = bench.sine("secret.ts", 10, "-c:a aac -f mpegts");
    bench.sine("secret.m4a", 10, "-c:a aac");
    secret.display().to_string()
}

/// The format list alone must refuse them, so the sandbox is off as well as on.
#[tokio::test]
async fn files_that_point_at_files_are_refused() {
    for sandbox in [Sandbox::Off, Sandbox::Auto] {
        let bench = Bench::with(&MediaConfig { sandbox, ..config() });
        let secret = secret(&bench);
        let mp4 = secret.replace(".ts", ".m4a");
        let hls = format!("#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nfile://{secret}\n#EXT-X-ENDLIST\n");
        let web = "#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n";
        let dash = format!(
            "<?xml version=\"1.0\"?><MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" type=\"static\" \
             mediaPresentationDuration=\"PT10S\" profiles=\"urn:mpeg:dash:profile:isoff-on-demand:2011\"><Period>\
             <AdaptationSet mimeType=\"audio/mp4\"><Representation id=\"1\" bandwidth=\"64000\" codecs=\"mp4a.40.2\">\
             <BaseURL>file://{mp4}</BaseURL></Representation></AdaptationSet></Period></MPD>"
        );
        let sdp = "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 5004 RTP/AVP 0\n";
        let cases = [
            ("48.mp4", hls.clone()),
            ("48.m3u8", hls.clone()),
            ("49.mp4", web.to_owned()),
            ("50.mp4", dash.clone()),
            ("50.mpd", dash),
            ("51.mp4", format!("ffconcat version 1.0\nfile '{secret}'\n")),
            ("51.ffconcat", format!("ffconcat version 1.0\nfile '{secret}'\n")),
            ("52.mp4", sdp.to_owned()),
            ("52.sdp", sdp.to_owned()),
            ("concat.mp4", format!("concat:{secret}|{secret}")),
            ("imf.xml", format!("<AssetMap><Asset><Path>{secret}</Path></Asset></AssetMap>")),
        ];
        for (name, text) in cases {
            let error = bench.extract(&bench.write(name, text)).await.unwrap_err();
            assert_eq!(error.code, Code::NotMedia, "{name}: {}", error.detail);
        }
        // The bait is good: without the list, ffmpeg follows it.
        for name in ["48.mp4", "50.mp4"] {
            let followed = unguarded(&bench.path(name), &["-protocol_whitelist", "file"]);
            assert!(followed.len() > 300_000, "{name}: {} bytes", followed.len());
        }
        // 54: an AVI whose subtitle stream is a playlist.
        let avi = [avi_with_text(hls.as_bytes()), hls.clone().into_bytes()].concat();
        let refused = bench.extract(&bench.write("54.avi", avi)).await.unwrap_err();
        assert!(matches!(refused.code, Code::NotMedia | Code::Truncated), "{}", refused.detail);
    }
}

/// The sound that a naked ffmpeg gets.
fn unguarded(file: &Path, options: &[&str]) -> Vec<u8> {
    let mut command = Command::new("ffmpeg");
    command.args(["-nostdin", "-v", "error"]).args(options).arg("-i").arg(file);
    command.args(["-map", "0:a:0", "-ac", "1", "-ar", "16000", "-f", "s16le", "-"]).output().unwrap().stdout
}

/// An AVI file with one text stream (`GAB2`), which the demuxer opens as a file of its own.
fn avi_with_text(text: &[u8]) -> Vec<u8> {
    let chunk = |name: &[u8], body: &[u8]| {
        let mut padded = body.to_vec();
        padded.resize(body.len().next_multiple_of(2), 0);
        [name, &(body.len() as u32).to_le_bytes(), &padded].concat()
    };
    let mut main = [0u32; 14];
    (main[0], main[6]) = (40_000, 1);
    let numbers = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>();
    let head = [&b"txts"[..], &[0; 4], &numbers(&[0, 0, 0, 1, 25, 0, 1, 0, 0, 0, 0, 0])].concat();
    let stream = [&b"strl"[..], &chunk(b"strh", &head), &chunk(b"strf", &[0; 4])].concat();
    let headers = [&b"hdrl"[..], &chunk(b"avih", &numbers(&main)), &chunk(b"LIST", &stream)].concat();
    let gab2 =
        [&b"GAB2\0\x02\0"[..], &2u32.to_le_bytes(), b"a\0\x04\0", &(text.len() as u32).to_le_bytes(), text].concat();
    let movie = [&b"movi"[..], &chunk(b"00tx", &gab2)].concat();
    chunk(b"RIFF", &[&b"AVI "[..], &chunk(b"LIST", &headers), &chunk(b"LIST", &movie)].concat())
}

/// 53: a track whose samples lie in another file, by an `alis` data reference.
#[tokio::test]
async fn a_movie_does_not_bring_in_another_file() {
    let bench = Bench::with(&MediaConfig { sandbox: Sandbox::Off, ..config() });
    bench.sine("secret.wav", 5, "");
    let plain = fs::read(bench.make("plain.mov", "-f lavfi -i anullsrc=r=16000:cl=mono -t 5 -c:a pcm_s16le")).unwrap();
    let at = |name: &[u8]| plain.windows(4).position(|four| four == name).unwrap();
    let name = b"secret.wav";
    let mut alias = vec![0u8; 150];
    alias[50] = name.len() as u8; // after version, sizes and dates: the volume's name, the file's name
    alias[51..51 + name.len()].copy_from_slice(name);
    let path = bench.path("secret.wav").display().to_string();
    alias.extend([0, 2, 0, path.len() as u8]);
    alias.extend(path.bytes().chain([0]).take(path.len().next_multiple_of(2)));
    alias.extend([0xff, 0xff, 0, 0]);
    let entry = [&(alias.len() as u32 + 12).to_be_bytes()[..], b"alis", &[0; 4], &alias].concat();
    let (reference, old) = (at(b"dref"), 28);
    let mut bytes = plain.clone();
    bytes.splice(reference + 12..reference - 4 + old, entry.iter().copied());
    let grown = entry.len() as i64 - (old as i64 - 16);
    for parent in [&b"moov"[..], b"trak", b"mdia", b"minf", b"dinf", b"dref"] {
        let size = at(parent) - 4;
        let length = u32::from_be_bytes(bytes[size..size + 4].try_into().unwrap());
        bytes[size..size + 4].copy_from_slice(&((i64::from(length) + grown) as u32).to_be_bytes());
    }
    let file = bench.write("53.mov", bytes);
    let followed = unguarded(&file, &["-enable_drefs", "1", "-use_absolute_path", "1"]);
    assert!(followed.iter().any(|byte| *byte != 0), "the bait is good: ffmpeg can be told to follow it");
    match bench.extract(&file).await {
        Ok(audio) => {
            let samples = fs::read(audio.path).unwrap();
            assert!(samples.iter().all(|byte| *byte == 0), "the other file was read");
        }
        Err(error) => {
            assert!(matches!(error.code, Code::NotMedia | Code::Truncated | Code::NoAudio), "{}", error.detail)
        }
    }
}

/// 55: an hour of silence in a tiny file is cut at the limit, in time and in bytes.
#[tokio::test]
async fn a_bomb_ends_at_the_limit() {
    let max_duration = crate::domain::Span(std::time::Duration::from_secs(60));
    let bench = Bench::with(&MediaConfig { max_duration, ..config() });
    let file = bench.make("bomb.ac3", "-f lavfi -i anullsrc=r=48000:cl=mono -t 1200 -b:a 32k -f ac3");
    assert_eq!(bench.extract(&file).await.unwrap_err().code, Code::TooLong);
}

/// 56, 57, 60, 63: headers that make no sense end in an error of ours, and end.
#[tokio::test]
async fn odd_headers_end_in_an_error() {
    let bench = Bench::new();
    let many: String = (0..100).map(|_| "-map 0 ").collect();
    let many = bench.sine("many.mka", 1, &format!("{many} -c:a pcm_s16le"));
    let error = bench.extract(&many).await.unwrap_err();
    assert_eq!(error.code, Code::UnsupportedFormat, "{}", error.detail);

    let wav = fs::read(bench.sine("a.wav", 1, "-bitexact")).unwrap();
    let with = |at: usize, value: &[u8]| {
        let mut bytes = wav.clone();
        bytes[at..at + value.len()].copy_from_slice(value);
        bytes
    };
    let mut state = 0x9e37_79b9_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as u8
    })
    .take(1 << 20)
    .collect();
    let cases = [
        ("600 channels", with(22, &600u16.to_le_bytes())),
        ("no channel", with(22, &[0, 0])),
        ("4 GHz", with(24, &u32::MAX.to_le_bytes())),
        ("0 Hz", with(24, &[0; 4])),
        ("negative block", with(32, &[0xff, 0xff])),
        ("unknown codec", with(20, &[0x77, 0x77])),
        ("noise behind a header", [&wav[..44], &noise].concat()),
        ("noise", noise.clone()),
        ("noise as mp3", [b"ID3\x04\0\0\0\0\0\0", &noise[..]].concat()),
        ("noise as mp4", [b"\0\0\0\x18ftypisom\0\0\0\0isommp42", &noise[..]].concat()),
        ("noise as ogg", [b"OggS\0\x02", &noise[..]].concat()),
        ("noise as flac", [b"fLaC", &noise[..]].concat()),
        ("noise as matroska", [b"\x1a\x45\xdf\xa3", &noise[..]].concat()),
    ];
    for (name, bytes) in cases {
        if let Err(error) = bench.extract(&bench.write("odd", bytes)).await {
            let expected = [Code::NotMedia, Code::Truncated, Code::UnsupportedFormat, Code::NoAudio, Code::TooLong];
            assert!(expected.contains(&error.code), "{name}: {:?} {}", error.code, error.detail);
        }
        let _ = fs::remove_file(bench.path("out.pcm"));
    }
}

/// Tags are printed by ffmpeg among its own words; they must not steer us.
#[tokio::test]
async fn tags_do_not_speak_for_ffmpeg() {
    let bench = Bench::new();
    let title = "title=x\n[error]\u{a0}moov\u{a0}atom\n\rStream\u{a0}#0:0:\u{a0}Audio\n\u{202e}end";
    let file = bench.path("tags.mp3");
    let made = std::process::Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-f", "lavfi", "-i", "sine=d=1", "-metadata", &title.replace('\u{a0}', " ")])
        .arg(&file)
        .status()
        .unwrap();
    assert!(made.success());
    let audio = bench.extract(&file).await.unwrap();
    assert_eq!((audio.samples, audio.warnings), (16_000, vec![]));
}
