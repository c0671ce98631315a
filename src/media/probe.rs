//! What is in a file, as ffprobe sees it.

use std::{collections::HashMap, path::Path, time::Duration};

use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::{
    Ffmpeg, child,
    child::Ended,
    command,
    log::seconds,
    magic::Source,
    supervise::{Patience, supervise},
    verdict,
};
use crate::error::{Code, Error, Result};

/// ffprobe's answer may be this long; [`command::MAX_STREAMS`] streams need far less.
const MAX_ANSWER: usize = 4 << 20;

/// Looking into a file is quick, or something is wrong with it.
const MAX_TIME: Duration = Duration::from_secs(120);

/// What is in a media file.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Probe {
    /// The container, in ffmpeg's words: `mov,mp4,m4a,3gp,3g2,mj2`, `mp3`, …
    pub format: String,
    /// The length that the file announces; none when it announces none.
    pub duration_ms: Option<u64>,
    /// Whether that length is only a guess from the bit rate.
    pub duration_estimated: bool,
    /// Bytes.
    pub size: u64,
    /// The audio streams in their order; empty for a silent film.
    pub audio_streams: Vec<AudioStream>,
    /// Whether there are moving pictures; a cover picture does not count.
    pub has_video: bool,
}

/// One audio stream.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AudioStream {
    /// Its number among all streams of the file.
    pub index: u32,
    /// The codec, in ffmpeg's words; empty for one that it does not know.
    pub codec: String,
    /// Samples per second.
    pub sample_rate: u32,
    /// Channels.
    pub channels: u32,
    /// The stream's own length, where the container says it.
    pub duration_ms: Option<u64>,
}

impl Ffmpeg {
    /// Looks into a file.
    ///
    /// A file without sound is no error here; see [`Probe::audio_streams`].
    ///
    /// # Errors
    /// `empty_media`, `not_media`, `unsupported_format`, `truncated`, `crash`, `media_timeout`, `cancelled`.
    pub async fn probe(&self, file: &Path, cancel: &CancellationToken) -> Result<Probe> {
        self.examine(file, cancel).await.map(|(_, probe)| probe)
    }

    /// As [`Ffmpeg::probe`], with what is known of the file itself.
    pub(super) async fn examine(&self, file: &Path, cancel: &CancellationToken) -> Result<(Source, Probe)> {
        let (inner, file) = (self.inner.clone(), file.to_owned());
        let patience = Patience { timeout: self.inner.timeout.min(MAX_TIME), grace: self.inner.grace };
        let (source, said, ended) = supervise(
            move |group| {
                let source = Source::open(&file)?;
                let mut command = command::probe(&inner.programs.ffprobe, &source.path);
                inner.jail.lock(&mut command, Some(&source.path))?;
                let mut said = Vec::new();
                let mut child = command.spawn().map_err(|error| child::start_error("ffprobe", error))?;
                let ended = child::run(&mut child, group, &|_| {}, &mut |bytes| {
                    if said.len() + bytes.len() > MAX_ANSWER {
                        return Err(Error::new(
                            Code::UnsupportedFormat,
                            "The file describes itself at too great length",
                        ));
                    }
                    said.extend_from_slice(bytes);
                    Ok(())
                })?;
                Ok((source, said, ended))
            },
            patience,
            cancel,
            None,
        )
        .await?;
        let probe = read(&said, &source, &ended)?;
        Ok((source, probe))
    }
}

#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    streams: Vec<Stream>,
    format: Option<Format>,
}

#[derive(Deserialize)]
struct Format {
    format_name: Option<String>,
    duration: Option<String>,
}

#[derive(Deserialize)]
struct Stream {
    index: u32,
    codec_type: Option<String>,
    codec_name: Option<String>,
    sample_rate: Option<String>,
    channels: Option<u32>,
    duration: Option<String>,
    #[serde(default)]
    disposition: HashMap<String, i64>,
    #[serde(default)]
    tags: HashMap<String, String>,
}

fn read(said: &[u8], source: &Source, ended: &Ended) -> Result<Probe> {
    verdict::of_probe(source, ended)?;
    let answer: Answer = serde_json::from_str(&String::from_utf8_lossy(said))
        .map_err(|error| Error::new(Code::EngineFailed, "ffprobe's answer makes no sense").with_source(error))?;
    let Some(format) = answer.format else { return Err(verdict::not_media(source)) };
    let is = |stream: &Stream, kind: &str| stream.codec_type.as_deref() == Some(kind);
    let is_picture = |stream: &Stream| stream.disposition.get("attached_pic").is_some_and(|set| *set != 0);
    let has_video = answer.streams.iter().any(|stream| is(stream, "video") && !is_picture(stream));
    let audio_streams: Vec<_> = answer.streams.iter().filter(|stream| is(stream, "audio")).map(audio).collect();
    if audio_streams.is_empty() && !has_video {
        return Err(verdict::nothing_inside(source));
    }
    let longest = audio_streams.iter().filter_map(|stream| stream.duration_ms).max();
    Ok(Probe {
        duration_ms: format.duration.as_deref().and_then(milliseconds).or(longest),
        duration_estimated: ended.log.estimated,
        size: source.size,
        audio_streams,
        has_video,
        format: format.format_name.unwrap_or_default(),
    })
}

fn audio(stream: &Stream) -> AudioStream {
    let length = stream.duration.as_deref().or(stream.tags.get("DURATION").map(String::as_str));
    AudioStream {
        index: stream.index,
        codec: stream.codec_name.clone().filter(|name| name != "unknown").unwrap_or_default(),
        sample_rate: stream.sample_rate.as_deref().and_then(|rate| rate.parse().ok()).unwrap_or_default(),
        channels: stream.channels.unwrap_or_default(),
        duration_ms: length.and_then(milliseconds),
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    seconds(text).map(|seconds| (seconds * 1_000.0).round() as u64)
}
