//! `extract`: a kept file becomes 16 kHz samples; the first half of a definition's `transcribe`.
//!
//! Input `{media}`, the output of `download` or a link to what is here; output `{samples, duration_ms, sha256, warnings, silent}`. The samples lie in
//! the task's working folder until the second half has used them. Where there is nothing to hear, or nobody wants to,
//! there are none; `silent` says why not.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Job, Outcome,
    words::{Fetched, Source, source, stand_in},
};
use crate::{
    domain::{MediaId, Options},
    error::{Code, Error, Result},
    files::KeptFile,
    media::Audio,
};

/// Samples of 16 bits, 16 of them in a millisecond.
const BYTES_PER_MS: u64 = 32;

/// How often a file may be replaced under a step's hands in one try.
const MAX_REPLACED: u32 = 4;

/// The output.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Extracted {
    pub samples: u64,
    pub duration_ms: u64,
    pub sha256: String,
    pub warnings: Vec<String>,
    /// Why there is nothing to hear, in a sentence.
    #[serde(default)]
    pub silent: Option<String>,
}

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let fetched = super::words::fetched(job).await?;
    let options = Options::from_json(&super::transcribe::options(job))?;
    let duration_ms = fetched.duration_ms.unwrap_or_default();
    let nothing = |silent| Extracted { duration_ms, silent, ..Extracted::default() };
    let extracted = match source(&options, &fetched, None) {
        Source::Recognition => match extract(job, &job.work.row.step.key).await {
            Err(error) if error.code == Code::NoAudio && fetched.may_be_silent => nothing(Some(error.detail)),
            Err(error)
                if stand_in(&options, &fetched).is_some() && job.services.queue.is_last_try(job.work, &error) =>
            {
                nothing(Some(format!("The media cannot be decoded: {}", error.detail)))
            }
            extracted => extracted?,
        },
        Source::Platform(..) | Source::Silence(_) => nothing(fetched.silent.clone()),
    };
    Ok(json!(extracted).into())
}

/// Where the samples of an extraction step lie.
pub(super) fn samples(job: &Job<'_>, key: &str) -> PathBuf {
    job.services.files.task_dir(job.task.id).join(format!("{}.pcm", key.replace(':', "-")))
}

/// Decodes the media for the extraction step named `key`.
pub(super) async fn extract(job: &Job<'_>, key: &str) -> Result<Extracted> {
    let input = super::words::fetched(job).await?;
    let files = &job.services.files;
    files.check_free(needed(job, input.media_id).await?)?;
    let out = samples(job, key);
    if let Some(folder) = out.parent() {
        tokio::fs::create_dir_all(folder).await?;
    }
    let audio = decode(job, &input, &out).await?;
    let duration = i64::try_from(audio.duration_ms).unwrap_or(i64::MAX);
    let tx = job.services.queue.store().begin().await?;
    tx.set_media_duration(input.media_id, duration).await?;
    tx.commit().await?;
    Ok(Extracted {
        samples: audio.samples,
        duration_ms: audio.duration_ms,
        sha256: audio.sha256,
        warnings: audio.warnings,
        silent: None,
    })
}

/// Decodes the media's file. Another download of the same media may put its own file in the place of this one while
/// ffmpeg opens it; then the new one is decoded.
async fn decode(job: &Job<'_>, input: &Fetched, out: &Path) -> Result<Audio> {
    let mut tries = 0;
    loop {
        tries += 1;
        let file = kept(job, input).await?;
        let progress = |fraction| job.reporter.progress(fraction);
        let error = match job.services.ffmpeg.extract(&file, out, &progress, job.cancel).await {
            Ok(audio) => return Ok(audio),
            Err(error) => error,
        };
        let was_replaced = !tokio::fs::try_exists(&file).await.unwrap_or(true);
        if !was_replaced || job.cancel.is_cancelled() {
            return Err(blame(error, job));
        }
        if tries == MAX_REPLACED {
            // What ffmpeg says of a file that goes away is not what is wrong with it.
            let text = "Other downloads of the same media replace its file again and again";
            return Err(Error::new(Code::Io, text).with_source(error));
        }
    }
}

/// The room that the samples take; 0 while the media's duration is unknown.
async fn needed(job: &Job<'_>, media: MediaId) -> Result<u64> {
    let media = job.services.queue.store().media(media).await?;
    let duration = media.and_then(|media| media.duration_ms).and_then(|duration| u64::try_from(duration).ok());
    Ok(duration.unwrap_or(0).saturating_mul(BYTES_PER_MS))
}

/// The media's file, which may have to come from a bucket first.
async fn kept(job: &Job<'_>, input: &Fetched) -> Result<KeptFile> {
    tokio::select! {
        file = current(job, input) => file,
        () = job.cancel.cancelled() => Err(super::stopped()),
    }
}

/// The one that was downloaded for this task, or the one which a later download has put in its place.
async fn current(job: &Job<'_>, input: &Fetched) -> Result<KeptFile> {
    let files = &job.services.files;
    let none = || Error::new(Code::InvalidWorkflow, "The media that the step is given has no file");
    let file = input.file.as_deref().ok_or_else(none)?;
    match files.kept_path(file).await {
        Err(error) if error.code == Code::NotFound => {
            let media = job.services.queue.store().media(input.media_id).await?;
            let now = media.and_then(|media| media.file).filter(|now| now != file).ok_or(error)?;
            files.kept_path(&now).await
        }
        found => found,
    }
}

/// A file that ends too early stays as it is however often it is decoded: only a new download could help.
fn blame(error: Error, job: &Job<'_>) -> Error {
    let is_upload = job.task.link.starts_with("upload:");
    match error.code {
        Code::Truncated if is_upload => {
            error.with_hint("Export or copy the file again, then upload it once more.").for_good()
        }
        Code::Truncated => error.for_good(),
        _ => error,
    }
}
