//! `download`: media becomes a kept file.
//!
//! Input `{from}`, the output of `resolve`; output `{media_id, file, size, sha256, content_type, duration_ms, silent,
//! subtitles, warnings, attempts}`. Candidates are tried in their order, each with its mirrors; see [`candidates`]. When
//! all fail, the first one's error is reported, because the first one is the best; but where trying again cannot help that
//! one and can help a later one, the later one's is, so that the step is tried again.
//!
//! Links to media are tickets. A stale one is renewed before it is used, one that nobody lets in after that; once in a
//! try of the step either way. A post in which nobody can be heard is a result: then `silent` says why and there is no
//! file.

mod candidates;
mod subtitles;

use std::path::{Path, PathBuf};

use chrono::Utc;
use crawlers::{Attempt, Candidate, Delivery};
use serde::Deserialize;
use serde_json::json;

use self::candidates::Found;
use super::{
    Job, Outcome, Services, dash, hls, resolve, segments,
    ticket::Ticket,
    wishes::Wishes,
    words::{Captions, Fetched},
};
use crate::{
    domain::{Media, MediaId},
    error::{Code, Error, Result},
    files::Kept,
    media::Probe,
    net::{Download, Progress},
};

/// What this step uses of the output of `resolve`.
#[derive(Deserialize)]
struct From {
    media_id: MediaId,
    #[serde(default)]
    here: bool,
    #[serde(flatten)]
    ticket: Ticket,
}

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let from: From = job.field("from")?;
    let media = job.services.queue.store().media(from.media_id).await?.ok_or_else(gone)?;
    if from.here {
        return output(Fetched::of(&media));
    }
    let wishes = Wishes::of(job)?;
    let mut ticket = job.services.tickets.get(job.task.id, media.id).unwrap_or(from.ticket);
    let mut renewal = None;
    if !ticket.is_fresh(Utc::now()) {
        renewal = Some(renew(job, &media, &mut ticket).await?);
    }
    ticket = ticket.without_hidden();
    let mut services = services_for(job, &ticket).await?;
    let captions =
        subtitles::fetch(&job.with(&services), &ticket, &wishes, &folder(job).await?.join("subtitles.json")).await?;
    let mut found = candidates::hunt(&job.with(&services), &ticket, &wishes).await?;
    if let (Found::Nothing(hunt), None) = (&found, &renewal)
        && hunt.is_refused()
    {
        let answer = renew(job, &media, &mut ticket).await?;
        if answer.is_none() {
            services = services_for(job, &ticket).await?;
            found = candidates::hunt(&job.with(&services), &ticket, &wishes).await?;
        }
        renewal = Some(answer);
    }
    let attempts = if renewal.is_some() { std::mem::take(&mut ticket.attempts) } else { Vec::new() };
    let more = More { ticket, captions, attempts };
    let outcome = match found {
        Found::File { kept, duration_ms, warning } => {
            let mut more = more;
            more.ticket.duration_ms = duration_ms.or(more.ticket.duration_ms);
            more.ticket.warnings.extend(warning);
            finish(job, media.id, kept, more).await
        }
        Found::Silence(why) => output(more.without_file(&media, why)),
        Found::Nothing(hunt) => {
            // What the link's own site says about it tells more than that its files are not to be had.
            let error = hunt.error(renewal.flatten());
            let is_enough = more.captions.is_some() && job.services.queue.is_last_try(job.work, &error);
            if !is_enough {
                return Err(error);
            }
            let why = format!("The media cannot be had: {}", error.detail);
            output(more.without_file(&media, why))
        }
    };
    job.services.tickets.forget(job.task.id, media.id);
    outcome
}

/// What a ticket's media are fetched with: through the proxy of the identity that they were resolved with.
async fn services_for(job: &Job<'_>, ticket: &Ticket) -> Result<Services> {
    let mut services = job.services.clone();
    if let Some(identity) = &ticket.identity
        && let Some(net) = services.crawl.net_for(identity).await?
    {
        services.net = net;
    }
    Ok(services)
}

/// Gets a new ticket in the place of a stale one, if the link gives one: otherwise the old one may still be good, and the
/// answer is why there is no other.
async fn renew(job: &Job<'_>, media: &Media, ticket: &mut Ticket) -> Result<Option<Error>> {
    let Some(link) = ticket.link.clone().or_else(|| media.page_url.clone()) else { return Ok(None) };
    tracing::info!(task = %job.task.id, "the media's links are stale; its page is looked up again");
    match resolve::again(job, media, &link).await {
        Ok(new) => {
            *ticket = new;
            candidates::clear(job, ticket).await?;
        }
        Err(error) if error.code == Code::Cancelled => return Err(error),
        Err(error) => return Ok(Some(error)),
    }
    Ok(None)
}

/// What goes into the output besides the file.
struct More {
    ticket: Ticket,
    captions: Option<Captions>,
    attempts: Vec<Attempt>,
}

impl More {
    fn add_to(self, fetched: Fetched) -> Fetched {
        let Self { ticket, captions, attempts } = self;
        Fetched {
            duration_ms: ticket.duration_ms.or(fetched.duration_ms),
            may_be_silent: ticket.may_be_silent,
            subtitles: captions,
            warnings: ticket.warnings,
            attempts,
            ..fetched
        }
    }

    /// Without a file. One that the media has from an earlier task is not what this one has fetched.
    fn without_file(self, media: &Media, why: String) -> Fetched {
        let none = Media { file: None, size: None, sha256: None, content_type: None, ..media.clone() };
        Fetched { silent: Some(why), ..self.add_to(Fetched::of(&none)) }
    }
}

impl Fetched {
    pub(super) fn of(media: &Media) -> Self {
        Self {
            media_id: media.id,
            file: media.file.clone(),
            size: media.size,
            sha256: media.sha256.clone(),
            content_type: media.content_type.clone(),
            duration_ms: media.duration_ms.and_then(|ms| u64::try_from(ms).ok()),
            silent: None,
            may_be_silent: false,
            subtitles: None,
            warnings: Vec::new(),
            attempts: Vec::new(),
        }
    }
}

fn output(fetched: Fetched) -> Result<Outcome> {
    Ok(json!(fetched).into())
}

/// Downloads one candidate to `path` and looks into it.
async fn fetch(job: &Job<'_>, path: &Path, candidate: &Candidate) -> Result<Probe> {
    let Services { net, files, ffmpeg, .. } = job.services;
    let here = here(path, candidate.delivery).await?;
    files.check_free(candidate.size.unwrap_or(0).saturating_sub(here))?;
    let limit = Limit { allowed: net.max_media_bytes(), room: files.room()?.saturating_add(here) };
    match candidate.delivery {
        Delivery::File => {
            let request = Download {
                url: candidate.url.to_string(),
                headers: candidate.headers.clone(),
                path: path.to_owned(),
                range: None,
                min_bytes: 0,
                max_bytes: limit.bytes(),
                keep: false,
            };
            let report = |p: Progress| job.reporter.part(p.received, p.total);
            net.download(request, &report, job.cancel).await.map_err(|error| limit.blame(error))?;
        }
        Delivery::Hls => {
            let done = hls::download(job, candidate, path, limit.bytes()).await;
            done.map_err(|error| limit.blame(error))?;
        }
        Delivery::Dash => {
            let done = dash::download(job, candidate, path, limit.bytes()).await;
            done.map_err(|error| limit.blame(error))?;
        }
    }
    ffmpeg.probe(path, job.cancel).await
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
async fn finish(job: &Job<'_>, media: MediaId, kept: Kept, more: More) -> Result<Outcome> {
    let Services { queue, files, .. } = job.services;
    let tx = queue.store().begin().await?;
    let Some(before) = tx.media(media).await? else {
        drop(tx);
        queue.drop_file(files, &kept.key).await?;
        return Err(gone());
    };
    let deleted = || Error::new(Code::Io, "The file was deleted while it was stored; it is downloaded again");
    // The same bytes may have belonged to something that was deleted since they were kept. While we hold the
    // transaction nobody deletes them.
    files.confirm(&kept.key).await.map_err(|error| deleted().with_source(error))?;
    if kept.reused && before.file.as_deref() != Some(&kept.key) {
        return Err(deleted());
    }
    let size = i64::try_from(kept.size).unwrap_or(i64::MAX);
    tx.set_media_file(media, &kept.key, size, &kept.sha256, Some(&kept.content_type)).await?;
    let now = tx.media(media).await?.ok_or_else(gone)?;
    tx.commit().await?;
    if let Some(old) = before.file.filter(|old| *old != kept.key) {
        queue.drop_file(files, &old).await?;
    }
    output(more.add_to(Fetched::of(&now)))
}

fn gone() -> Error {
    Error::new(Code::SourceNotFound, "The media was deleted meanwhile")
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
    fn a_small_disk_is_no_large_file() {
        let too_large = || Error::new(Code::TooLarge, "too large");
        let by_disk = Limit { allowed: 100, room: 99 };
        assert_eq!((by_disk.bytes(), by_disk.blame(too_large()).code), (99, Code::InsufficientStorage));
        assert_eq!(by_disk.blame(Error::new(Code::SourceError, "x")).code, Code::SourceError);
        let by_rule = Limit { allowed: 100, room: 100 };
        assert_eq!((by_rule.bytes(), by_rule.blame(too_large()).code), (100, Code::TooLarge));
    }
}
