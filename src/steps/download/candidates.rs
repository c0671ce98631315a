//! Which of a ticket's candidates it is.
//!
//! Each link of a candidate is tried before the next candidate is: its own, then its mirrors. A link makes way when it is
//! gone, refuses us, stalls, or leads to a page; the whole candidate when it is too large or cannot be heard, because a
//! mirror holds the same bytes. A file much shorter than the site says makes way as long as something is left, and is
//! taken in the end when nothing longer came.

use std::path::{Path, PathBuf};

use crawlers::{Candidate, HasAudio};
use sha2::{Digest, Sha256};

use super::{fetch, folder};
use crate::{
    error::{Code, Error, Result},
    files::Kept,
    media::Probe,
    net::headers_for,
    steps::{Job, segments, ticket::Ticket, wishes::Wishes},
};

/// A file may be so much shorter than the site says, in milliseconds and as a share of what it says.
const SHORTER: (u64, f64) = (2_000, 0.05);

const MUTE: &str = "The video has no sound";

/// What came of a ticket.
pub(super) enum Found {
    /// The file, how long it is, and what is odd about it.
    File {
        kept: Kept,
        duration_ms: Option<u64>,
        warning: Option<String>,
    },
    /// Nobody can be heard in the post, and why.
    Silence(String),
    Nothing(Hunt),
}

/// How the candidates failed.
#[derive(Default)]
pub(super) struct Hunt {
    errors: Vec<Error>,
}

impl Hunt {
    /// Whether those who have the media say that it is not there or not for us: another ticket may open the door.
    pub(super) fn is_refused(&self) -> bool {
        let is_door = |error: &Error| matches!(error.code, Code::SourceForbidden | Code::SourceNotFound);
        self.errors.iter().any(is_door) && self.errors.iter().all(|error| is_door(error) || error.code == Code::NoAudio)
    }

    /// What speaks for all of them. `renewal` is why there was no other ticket.
    pub(super) fn error(self, renewal: Option<Error>) -> Error {
        let error = self.errors.into_iter().chain(renewal).fold(None, |earlier, later| Some(reported(earlier, later)));
        error.unwrap_or_else(|| Error::new(Code::NoMediaFound, "The link leads to no audio or video"))
    }

    /// Whether all that could be had turned out to be pictures.
    fn is_mute(&self) -> bool {
        !self.errors.is_empty() && self.errors.iter().all(|error| error.code == Code::NoAudio)
    }
}

/// Which of two errors speaks for the step. That one candidate has no sound says nothing about the others.
fn reported(earlier: Option<Error>, later: Error) -> Error {
    match earlier {
        Some(earlier) if earlier.code == Code::NoAudio && later.code != Code::NoAudio => later,
        Some(earlier) if earlier.is_retryable() || !later.is_retryable() => earlier,
        _ => later,
    }
}

/// A file that can be heard.
struct Heard {
    path: PathBuf,
    duration_ms: Option<u64>,
}

/// Tries a ticket's candidates. An error means that the step was stopped or the disk failed; what the candidates came to
/// is in the answer.
pub(super) async fn hunt(job: &Job<'_>, ticket: &Ticket, wishes: &Wishes) -> Result<Found> {
    let folder = folder(job).await?;
    let mut hunt = Hunt::default();
    if ticket.silent.is_none() {
        let mut short: Option<Heard> = None;
        for candidate in &ticket.candidates {
            if let Some(heard) = try_links(job, candidate, ticket.duration_ms, &folder, &mut hunt, &mut short).await? {
                return keep(job, heard, None).await;
            }
        }
        if let (Some(short), Some(said)) = (short, ticket.duration_ms) {
            let (ends, said) = (short.duration_ms.unwrap_or_default() / 1000, said / 1000);
            let warning = format!("The file ends after {ends} s, though the site says that it lasts {said} s");
            return keep(job, short, Some(warning)).await;
        }
        if !(ticket.may_be_silent && hunt.is_mute()) {
            return Ok(Found::Nothing(hunt));
        }
    }
    let why = ticket.silent.clone().unwrap_or_else(|| "The post has no sound, so nobody can be heard in it".to_owned());
    let Some(sound) = ticket.sound.as_ref().filter(|_| wishes.background_music) else { return Ok(Found::Silence(why)) };
    let mut hunt = Hunt::default();
    let music = Candidate { headers: music_headers(ticket), ..Candidate::file(sound.url.clone()) };
    match try_links(job, &music, None, &folder, &mut hunt, &mut None).await? {
        Some(heard) => {
            let warning = "Only the music behind the post was transcribed, as background_music asks".to_owned();
            keep(job, heard, Some(warning)).await
        }
        None => Ok(Found::Nothing(hunt)),
    }
}

/// The headers for the sound of a post: those of its pictures that any site may see, or where the post is.
fn music_headers(ticket: &Ticket) -> Vec<(String, String)> {
    let sound = ticket.sound.as_ref().map(|sound| &sound.url);
    let candidate = ticket.candidates.first().zip(sound);
    let own = candidate.map(|(candidate, url)| headers_for(&candidate.headers, &candidate.url, url));
    let page = || ticket.link.as_ref().and_then(|link| link.parse::<url::Url>().ok());
    let referer = || Some(vec![("Referer".to_owned(), page()?.join("/").ok()?.to_string())]);
    own.filter(|own| !own.is_empty()).or_else(referer).unwrap_or_default()
}

/// The file of one candidate, if one of its links leads to it and it can be heard and is as long as `said`.
async fn try_links(
    job: &Job<'_>,
    candidate: &Candidate,
    said: Option<u64>,
    folder: &Path,
    hunt: &mut Hunt,
    short: &mut Option<Heard>,
) -> Result<Option<Heard>> {
    if candidate.has_audio == HasAudio::No {
        hunt.errors.push(Error::new(Code::NoAudio, MUTE));
        return Ok(None);
    }
    let path = folder.join(part_name(candidate));
    for url in std::iter::once(&candidate.url).chain(candidate.mirrors.iter().filter(|url| **url != candidate.url)) {
        let headers = headers_for(&candidate.headers, &candidate.url, url);
        let place = Candidate { url: url.clone(), headers, mirrors: Vec::new(), ..candidate.clone() };
        let error = match fetch(job, &path, &place).await {
            Ok(probe) if probe.audio_streams.is_empty() => Error::new(Code::NoAudio, MUTE),
            Ok(probe) => {
                let heard = Heard { path: path.clone(), duration_ms: probe.duration_ms };
                if !is_short(&probe, said) {
                    return Ok(Some(heard));
                }
                put_aside(heard, folder, short).await?;
                let text = format!("{} sent a file that ends too early", url.host_str().unwrap_or_default());
                Error::new(Code::Truncated, text)
            }
            Err(error) if error.code == Code::Cancelled => return Err(error),
            Err(error) => error,
        };
        if matches!(error.code, Code::NoAudio | Code::NotMedia | Code::UnsupportedFormat) {
            discard(&path).await;
        }
        tracing::info!(task = %job.task.id, host = url.host_str(), error = %error.chain(), "candidate refused");
        let is_about_bytes = is_about_bytes(error.code);
        hunt.errors.push(error);
        if is_about_bytes {
            break;
        }
    }
    Ok(None)
}

/// Removes what is here of a candidate. What cannot be removed goes with the task's folder.
async fn discard(path: &Path) {
    let _ = tokio::fs::remove_file(path).await;
    let _ = tokio::fs::remove_file(path.with_extension("part.meta")).await;
    let _ = tokio::fs::remove_dir_all(segments::folder(path)).await;
}

/// Removes what is here of candidates that are none of a new ticket's: nobody goes on with it.
pub(super) async fn clear(job: &Job<'_>, ticket: &Ticket) -> Result<()> {
    let folder = folder(job).await?;
    let music = ticket.sound.as_ref().map(|sound| Candidate::file(sound.url.clone()));
    let claimed: Vec<String> = ticket.candidates.iter().chain(&music).map(part_name).collect();
    let mut entries = tokio::fs::read_dir(&folder).await?;
    while let Some(entry) = entries.next_entry().await? {
        let part = PathBuf::from(entry.file_name()).with_extension("part");
        let name = part.to_string_lossy();
        let is_part = entry.path().extension().is_some_and(|kind| kind == "part" || kind == "segments");
        if is_part && !claimed.iter().any(|claimed| *claimed == name) {
            discard(&folder.join(part)).await;
        }
    }
    Ok(())
}

/// Whether an error is about what the file holds, which is the same at every mirror.
fn is_about_bytes(code: Code) -> bool {
    use Code::{Encrypted, InsufficientStorage, MediaTimeout, NoAudio, TooLarge, UnsupportedFormat};
    matches!(code, NoAudio | TooLarge | InsufficientStorage | UnsupportedFormat | Encrypted | MediaTimeout)
}

/// Whether the file is much shorter than was said. A guess from the bit rate says nothing.
fn is_short(probe: &Probe, said: Option<u64>) -> bool {
    let (Some(is), Some(said)) = (probe.duration_ms.filter(|_| !probe.duration_estimated), said) else { return false };
    let gap = said.saturating_sub(is);
    gap > SHORTER.0 && gap as f64 > said as f64 * SHORTER.1
}

/// Keeps the longest of the files that are too short, in case no whole one comes.
async fn put_aside(file: Heard, folder: &Path, short: &mut Option<Heard>) -> Result<()> {
    if short.as_ref().is_some_and(|short| short.duration_ms >= file.duration_ms) {
        return Ok(tokio::fs::remove_file(&file.path).await?);
    }
    let aside = folder.join("short");
    tokio::fs::rename(&file.path, &aside).await?;
    *short = Some(Heard { path: aside, ..file });
    Ok(())
}

/// The name of a candidate's file: its own, so that nothing is continued with the bytes of another.
fn part_name(candidate: &Candidate) -> String {
    let hash = Sha256::digest(candidate.url.as_str());
    hash.iter().take(8).map(|byte| format!("{byte:02x}")).chain([".part".to_owned()]).collect()
}

async fn keep(job: &Job<'_>, heard: Heard, warning: Option<String>) -> Result<Found> {
    let from: super::From = job.field("from")?;
    let before = job.services.queue.store().media(from.media_id).await?.and_then(|media| media.file);
    let kept = job.services.files.keep_again(&heard.path, before.as_deref()).await?;
    Ok(Found::File { kept, duration_ms: heard.duration_ms, warning })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn much_less_than_was_said_is_short() {
        let probe = |duration_ms, duration_estimated| Probe {
            format: "mp3".to_owned(),
            duration_ms,
            duration_estimated,
            size: 1,
            audio_streams: Vec::new(),
            has_video: false,
        };
        for (is, is_guess, said, expected) in [
            (Some(50_000), false, Some(60_000), true),
            (Some(50_000), true, Some(60_000), false),
            (Some(58_000), false, Some(60_000), false),
            (Some(8_500), false, Some(10_000), false),
            (Some(7_000), false, Some(10_000), true),
            (Some(97_000), false, Some(100_000), false),
            (Some(90_000), false, Some(60_000), false),
            (Some(1), false, None, false),
            (None, false, Some(60_000), false),
        ] {
            assert_eq!(is_short(&probe(is, is_guess), said), expected, "{is:?} {said:?}");
        }
    }

    #[test]
    fn a_closed_door_may_open_with_another_ticket() {
        use Code::{NoAudio, NotMedia, SourceForbidden, SourceNotFound, SourceTimeout};
        for (codes, expected) in [
            (&[SourceForbidden][..], true),
            (&[NoAudio, SourceNotFound, SourceForbidden], true),
            (&[SourceForbidden, SourceTimeout], false),
            (&[NotMedia], false),
            (&[NoAudio], false),
            (&[], false),
        ] {
            let errors = codes.iter().map(|code| Error::new(*code, "x")).collect();
            assert_eq!(Hunt { errors }.is_refused(), expected, "{codes:?}");
        }
    }

    #[test]
    fn the_first_error_counts_unless_only_a_later_one_can_pass() {
        for (codes, expected) in [
            (&[Code::SourceNotFound, Code::NoAudio][..], Code::SourceNotFound),
            (&[Code::NoAudio, Code::SourceForbidden], Code::SourceForbidden),
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
}
