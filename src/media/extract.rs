//! The sound of a file as raw samples.

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
    group::Group,
    magic::Source,
    pcm::{Draft, Pcm},
    probe::Probe,
    supervise::{Patience, Reports, supervise},
    verdict,
};
use crate::error::{Code, Error, Result};

/// Progress is told in steps of this size.
const STEP: f64 = 0.005;

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
    draft: Draft,
    samples: u64,
    sha256: String,
    ended: Ended,
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
        let (source, probe) = self.examine(file, cancel).await?;
        let max = self.inner.max_duration.min(LONGEST);
        verdict::of_content(&source, &probe, max)?;

        let (sender, news) = watch::channel(0.0);
        let patience = Patience { timeout: self.inner.timeout, grace: self.inner.grace };
        let work = {
            let (inner, out, source) = (self.inner.clone(), out.to_owned(), source.clone());
            let expected = expected_bytes(&probe);
            move |group: &Group| decode(&inner, &source, &out, expected, &sender, group)
        };
        let decoded = supervise(work, patience, cancel, Some(Reports { news, tell: progress })).await?;

        let warnings = verdict::of_run(&source, &probe, &decoded.ended, decoded.samples, max)?;
        let Decoded { draft, samples, sha256, .. } = decoded;
        let path = out.to_owned();
        let path = task::spawn_blocking(move || draft.publish(&path).map(|()| path))
            .await
            .map_err(|error| Error::new(Code::Internal, "Writing the samples failed").with_source(error))??;
        progress(1.0);
        let rate = u64::from(SAMPLE_RATE);
        Ok(Audio { path, samples, duration_ms: (samples * 1_000 + rate / 2) / rate, sha256, warnings })
    }
}

/// Runs ffmpeg to its end, on the thread that calls.
fn decode(
    inner: &Inner,
    source: &Source,
    out: &Path,
    expected: Option<u64>,
    progress: &watch::Sender<f64>,
    group: &Group,
) -> Result<Decoded> {
    let max = inner.max_duration.min(LONGEST);
    let limit = Duration::from_secs(max.as_secs() + 2); // a little more, so that what is too long can be seen
    let mut pcm = Pcm::new(Draft::beside(out)?);
    let mut command = command::extract(&inner.programs.ffmpeg, &source.path, limit);
    inner.jail.lock(command.as_inner_mut(), Some(&source.path))?;
    let mut child = command.spawn().map_err(|error| child::start_error("ffmpeg", error))?;
    let ended = child::run(child.as_inner_mut(), group, &mut |samples| {
        pcm.write(samples)?;
        if pcm.bytes() > command::max_bytes(limit) {
            return Err(verdict::too_long("The sound is longer than allowed", max));
        }
        if let Some(expected) = expected {
            let fraction = (pcm.bytes() as f64 / expected as f64).min(1.0 - STEP);
            progress.send_if_modified(|told| {
                let news = fraction - *told >= STEP;
                if news {
                    *told = fraction;
                }
                news
            });
        }
        Ok(())
    })?;
    let (draft, samples, sha256) = pcm.finish();
    Ok(Decoded { draft, samples, sha256, ended })
}

fn expected_bytes(probe: &Probe) -> Option<u64> {
    let stream = probe.audio_streams.first().and_then(|stream| stream.duration_ms);
    let ms = stream.or(probe.duration_ms)?;
    Some(ms.saturating_mul(u64::from(SAMPLE_RATE) * 2) / 1_000).filter(|bytes| *bytes > 0)
}
