//! The sound of a file as raw samples, and how loud it is.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde::Serialize;
use tokio::{sync::watch, task};
use tokio_util::sync::CancellationToken;

use super::{
    Ffmpeg, Inner, SAMPLE_RATE,
    child::{self, Ended},
    command,
    gauge::Gauge,
    group::Group,
    levels::Levels,
    log::Log,
    magic::Source,
    pcm::{Draft, Pcm},
    ready,
    supervise::{Patience, Reports, supervise},
    verdict,
};
use crate::error::{Code, Error, Result};

/// More than anything lasts, and within what ffmpeg's `-t` understands.
const LONGEST: Duration = Duration::from_secs(10_000 * 3_600);

/// The samples of a file: 16-bit little-endian, mono, [`SAMPLE_RATE`] per second, without a header.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Audio {
    /// Where they are.
    pub path: PathBuf,
    /// How many.
    pub samples: u64,
    /// How long they last, rounded to the nearest millisecond.
    pub duration_ms: u64,
    /// SHA-256 of the samples in hexadecimal: the same sound has the same name.
    pub sha256: String,
    /// What the listener should know, one sentence each.
    pub warnings: Vec<String>,
}

struct Decoded {
    source: Source,
    draft: Draft,
    samples: u64,
    sha256: String,
    /// How ffmpeg ended; none where it was not needed.
    ended: Option<Ended>,
}

impl Decoded {
    fn new(source: Source, pcm: Pcm<Draft>, ended: Option<Ended>) -> Self {
        let (draft, samples, sha256) = pcm.finish();
        Self { source, draft, samples, sha256, ended }
    }
}

impl Ffmpeg {
    /// Writes the first audio stream of `file` to `out`, all of it or nothing.
    ///
    /// `progress` gets fractions that never fall, the last of them 1. A time in the samples is the same time in the
    /// file: gaps are filled with silence.
    ///
    /// # Errors
    /// Those of [`Ffmpeg::probe`], and `no_audio`, `encrypted`, `too_long`, `insufficient_storage`, `io`.
    pub async fn extract(
        &self,
        file: &Path,
        out: &Path,
        progress: &(dyn Fn(f64) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Audio> {
        let (sender, news) = watch::channel(0.0);
        let patience = Patience { timeout: self.inner.timeout, grace: self.inner.grace };
        let work = {
            let (inner, file, out) = (self.inner.clone(), file.to_owned(), out.to_owned());
            move |group: &Group| write(&inner, &file, &out, &Gauge::new(sender), group)
        };
        let decoded = supervise(work, patience, cancel, Some(Reports { news, tell: progress })).await?;

        let warnings = match &decoded.ended {
            Some(ended) => self.judge(&decoded.source, ended, decoded.samples, cancel).await?,
            None => Vec::new(),
        };
        let Decoded { draft, samples, sha256, .. } = decoded;
        let path = out.to_owned();
        let path = task::spawn_blocking(move || draft.publish(&path).map(|()| path))
            .await
            .map_err(|error| Error::new(Code::Internal, "Writing the samples failed").with_source(error))??;
        progress(1.0);
        let rate = u64::from(SAMPLE_RATE);
        Ok(Audio { path, samples, duration_ms: (samples * 1_000 + rate / 2) / rate, sha256, warnings })
    }

    /// How loud the first audio stream of `file` is over time: the loudest sample of every stretch of the same length,
    /// 0 to 32,768, at most 8,192 of them. They are made for people who look, one file after the other, so that
    /// transcriptions have the machine.
    ///
    /// # Errors
    /// As [`Ffmpeg::extract`].
    pub async fn levels(&self, file: &Path, cancel: &CancellationToken) -> Result<Vec<u16>> {
        let place = self.inner.looks.acquire().await;
        let patience = Patience { timeout: self.inner.timeout, grace: self.inner.grace };
        let work = {
            let (inner, file) = (self.inner.clone(), file.to_owned());
            move |group: &Group| {
                let source = Source::open(&file)?;
                let (mut levels, mut bytes) = (Levels::new(), 0);
                let ended = decode(&inner, &source, &|_| (), group, &mut |samples| {
                    levels.write(samples);
                    bytes += samples.len() as u64;
                    Ok(bytes)
                })?;
                Ok((source, ended, bytes / 2, levels.finish()))
            }
        };
        let (source, ended, samples, levels) = supervise(work, patience, cancel, None).await?;
        self.judge(&source, &ended, samples, cancel).await?;
        drop(place);
        Ok(levels)
    }

    /// What a listener should know about a run of ffmpeg, or what was wrong with the file.
    async fn judge(
        &self,
        source: &Source,
        ended: &Ended,
        samples: u64,
        cancel: &CancellationToken,
    ) -> Result<Vec<String>> {
        let max = self.inner.max_duration.min(LONGEST);
        verdict::of_announcement(&ended.log, max)?;
        // Starting a program can take longer than decoding a clip, so ffprobe is asked only where it matters.
        if verdict::is_plain(source, ended, samples, max) {
            return Ok(Vec::new());
        }
        let probe = self.probe(&source.path, cancel).await?;
        verdict::of_content(source, &probe, max)?;
        verdict::of_run(source, &probe, ended, samples, max)
    }
}

/// Takes the samples as they are, or has ffmpeg decode them, into a draft beside `out`.
fn write(inner: &Inner, file: &Path, out: &Path, gauge: &Gauge, group: &Group) -> Result<Decoded> {
    let source = Source::open(file)?;
    let max = inner.max_duration.min(LONGEST);
    if let Some(pcm) = ready::read(&source, max, out) {
        return Ok(Decoded::new(source, pcm, None));
    }
    let mut pcm = Pcm::new(Draft::beside(out)?);
    let ended = decode(inner, &source, &|length| gauge.expect(length), group, &mut |samples| {
        pcm.write(samples)?;
        gauge.written(pcm.bytes());
        Ok(pcm.bytes())
    })?;
    Ok(Decoded::new(source, pcm, Some(ended)))
}

/// Runs ffmpeg to its end, on the thread that calls. `expect` is told how long the sound will be; `sink` takes samples and
/// says how many bytes there were so far.
fn decode(
    inner: &Inner,
    source: &Source,
    expect: &(dyn Fn(Duration) + Sync),
    group: &Group,
    sink: &mut dyn FnMut(&[u8]) -> Result<u64>,
) -> Result<Ended> {
    let max = inner.max_duration.min(LONGEST);
    let limit = Duration::from_secs(max.as_secs() + 2); // a little more, so that what is too long can be seen
    let mut command = command::extract(&inner.programs.ffmpeg, &source.path, limit);
    inner.jail.lock(command.as_inner_mut(), Some(&source.path))?;
    let mut child = command.spawn().map_err(|error| child::start_error("ffmpeg", error))?;
    let announced = |log: &Log| match verdict::of_announcement(log, max) {
        Ok(()) => expect(log.announced.unwrap_or_default()),
        Err(_) => group.signal(libc::SIGKILL), // whoever reads the log says why
    };
    child::run(child.as_inner_mut(), group, &announced, &mut |samples| match sink(samples)? {
        bytes if bytes > command::max_bytes(limit) => Err(verdict::too_long("The sound is longer than allowed", max)),
        _ => Ok(()),
    })
}
