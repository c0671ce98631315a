//! `download`: media becomes a kept file.
//!
//! Input `{from}`, the output of `resolve`; output `{media_id, file, size, sha256, content_type}`. Candidates are tried
//! in their order: one that is gone, refused, not media, or without sound makes way for the next. When all fail, the first
//! one's error is reported, because the first one is the best; but where trying again cannot help that one and can help a
//! later one, the later one's is, so that the step is tried again.

use std::path::{Path, PathBuf};

use crawlers::{Candidate, Delivery};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Job, Outcome, Services, dash, hls, segments};
use crate::{
    domain::{Media, MediaId},
    error::{Code, Error, Result},
    files::Kept,
    net::{Download, Progress},
};

/// What this step uses of the output of `resolve`.
#[derive(Deserialize)]
struct From {
    media_id: MediaId,
    candidates: Vec<Candidate>,
    here: bool,
}

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let from: From = job.field("from")?;
    let store = job.services.queue.store();
    let media = store.media(from.media_id).await?.ok_or_else(gone)?;
    if from.here {
        return Ok(output(&media).into());
    }
    let mut failed = None;
    for (index, candidate) in from.candidates.iter().enumerate() {
        match fetch(job, index, candidate).await {
            Ok(kept) => return finish(job, media.id, kept).await,
            Err(error) if error.code == Code::Cancelled => return Err(error),
            Err(error) => {
                tracing::info!(task = %job.task.id, candidate = index, error = %error.chain(), "candidate refused");
                failed = Some(reported(failed, error));
            }
        }
    }
    Err(failed.unwrap_or_else(|| Error::new(Code::NoMediaFound, "The link leads to no audio or video")))
}

/// Which of two candidates' errors speaks for the step.
fn reported(earlier: Option<Error>, later: Error) -> Error {
    match earlier {
        Some(earlier) if earlier.is_retryable() || !later.is_retryable() => earlier,
        _ => later,
    }
}

/// Downloads one candidate and checks that it has sound.
async fn fetch(job: &Job<'_>, index: usize, candidate: &Candidate) -> Result<Kept> {
    let Services { net, files, ffmpeg, .. } = job.services;
    let folder = folder(job).await?;
    let path = folder.join(format!("{index}.part"));
    let here = here(&path, candidate.delivery).await?;
    files.check_free(candidate.size.unwrap_or(0).saturating_sub(here))?;
    let limit = Limit { allowed: net.max_media_bytes(), room: files.room()?.saturating_add(here) };
    match candidate.delivery {
        Delivery::File => {
            let request = Download {
                url: candidate.url.to_string(),
                headers: candidate.headers.clone(),
                path: path.clone(),
                range: None,
                min_bytes: 0,
                max_bytes: limit.bytes(),
                keep: false,
            };
            let report = |p: Progress| job.reporter.part(p.received, p.total);
            net.download(request, &report, job.cancel).await.map_err(|error| limit.blame(error))?;
        }
        Delivery::Hls => {
            let done = hls::download(job, candidate, &path, limit.bytes()).await;
            done.map_err(|error| limit.blame(error))?;
        }
        Delivery::Dash => {
            let done = dash::download(job, candidate, &path, limit.bytes()).await;
            done.map_err(|error| limit.blame(error))?;
        }
    }
    let probe = ffmpeg.probe(&path, job.cancel).await?;
    if probe.audio_streams.is_empty() {
        return Err(Error::new(Code::NoAudio, "The video has no sound"));
    }
    files.keep(&path).await
}

/// How large a download may become.
#[derive(Clone, Copy)]
struct Limit {
    /// By the configuration.
    allowed: u64,
    /// By the disk: what is here of it, and what may be added.
    room: u64,
}

impl Limit {
    fn bytes(self) -> u64 {
        self.allowed.min(self.room)
    }

    /// A file that is too large only for the disk of today may fit tomorrow.
    fn blame(self, error: Error) -> Error {
        if error.code != Code::TooLarge || self.allowed <= self.room {
            return error;
        }
        let room = self.room / (1024 * 1024);
        let text =
            format!("The media does not fit: it is larger than the {room} MiB which may still be used on the disk");
        Error::new(Code::InsufficientStorage, text).with_source(error)
    }
}

/// Bytes that an earlier try has left.
async fn here(path: &Path, delivery: Delivery) -> Result<u64> {
    match delivery {
        Delivery::File => Ok(tokio::fs::metadata(path).await.map_or(0, |about| about.len())),
        Delivery::Hls | Delivery::Dash => {
            let Ok(mut entries) = tokio::fs::read_dir(segments::folder(path)).await else { return Ok(0) };
            let mut bytes = 0;
            while let Some(entry) = entries.next_entry().await? {
                bytes += entry.metadata().await?.len();
            }
            Ok(bytes)
        }
    }
}

/// Stores where the file is. A file that it replaces is deleted unless somebody else has it; so is this one when its
/// media was deleted meanwhile.
async fn finish(job: &Job<'_>, media: MediaId, kept: Kept) -> Result<Outcome> {
    let Services { queue, files, .. } = job.services;
    let tx = queue.store().begin().await?;
    let Some(before) = tx.media(media).await? else {
        drop(tx);
        queue.drop_file(files, &kept.key).await?;
        return Err(gone());
    };
    // The same bytes may have belonged to something that was deleted since they were kept. While we hold the
    // transaction nobody deletes them.
    files.kept_path(&kept.key).await.map_err(|error| {
        Error::new(Code::Io, "The file was deleted while it was stored; it is downloaded again").with_source(error)
    })?;
    let size = i64::try_from(kept.size).unwrap_or(i64::MAX);
    tx.set_media_file(media, &kept.key, size, &kept.sha256, Some(&kept.content_type)).await?;
    let now = tx.media(media).await?.ok_or_else(gone)?;
    tx.commit().await?;
    if let Some(old) = before.file.filter(|old| *old != kept.key) {
        queue.drop_file(files, &old).await?;
    }
    Ok(output(&now).into())
}

fn gone() -> Error {
    Error::new(Code::SourceNotFound, "The media was deleted meanwhile")
}

fn output(media: &Media) -> Value {
    json!({
        "media_id": media.id, "file": media.file, "size": media.size, "sha256": media.sha256,
        "content_type": media.content_type,
    })
}

/// The step's working folder: the same for every try, so that a broken download is resumed.
async fn folder(job: &Job<'_>) -> Result<PathBuf> {
    let folder = job.services.files.task_dir(job.task.id).join(Path::new(&job.work.row.step.key));
    tokio::fs::create_dir_all(&folder).await?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_error_counts_unless_only_a_later_one_can_pass() {
        for (codes, expected) in [
            (&[Code::SourceNotFound, Code::NoAudio][..], Code::SourceNotFound),
            (&[Code::SourceNotFound, Code::SourceTimeout, Code::SourceError], Code::SourceTimeout),
            (&[Code::SourceError, Code::SourceNotFound, Code::SourceTimeout], Code::SourceError),
        ] {
            let errors = codes.iter().map(|code| Error::new(*code, "x"));
            let error = errors.fold(None, |earlier, later| Some(reported(earlier, later))).unwrap();
            assert_eq!(error.code, expected, "{codes:?}");
        }
        let for_good = Error::new(Code::SourceError, "x").for_good();
        assert_eq!(reported(Some(for_good), Error::new(Code::RateLimited, "x")).code, Code::RateLimited);
    }

    #[test]
    fn a_small_disk_is_no_large_file() {
        let too_large = || Error::new(Code::TooLarge, "too large");
        let by_disk = Limit { allowed: 100, room: 99 };
        assert_eq!((by_disk.bytes(), by_disk.blame(too_large()).code), (99, Code::InsufficientStorage));
        assert_eq!(by_disk.blame(Error::new(Code::SourceError, "x")).code, Code::SourceError);
        let by_rule = Limit { allowed: 100, room: 100 };
        assert_eq!((by_rule.bytes(), by_rule.blame(too_large()).code), (100, Code::TooLarge));
    }
}
