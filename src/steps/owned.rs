//! What of the things that are here a task may use: those of its token, and everyone's when it came without one or from an
//! admin.

use chrono::Utc;

use super::Job;
use crate::{
    domain::{Caller, MediaId, TokenId, TranscriptId},
    error::{Code, Error, Result},
    store::DAY_MS,
};

/// Whether a task may use what came with a token, or without one.
pub(super) async fn may_use(job: &Job<'_>, owner: Option<TokenId>) -> Result<bool> {
    Ok(owner == job.task.owner || only(job).await?.is_none())
}

/// Whether a task may use a media.
pub(super) async fn may_use_media(job: &Job<'_>, media: MediaId) -> Result<bool> {
    match only(job).await? {
        Some(owner) => job.services.queue.store().has_media(owner, media).await,
        None => Ok(true),
    }
}

/// Whether a task may use a transcript.
pub(super) async fn may_use_transcript(job: &Job<'_>, transcript: TranscriptId) -> Result<bool> {
    let Some(only) = only(job).await? else { return Ok(true) };
    Ok(job.services.queue.store().transcript_owner(transcript).await? == Some(only))
}

/// Refuses to hear more when the day's audio of the task's token is used up: a list may have been made of many tasks before
/// the first of them was heard.
pub(super) async fn may_hear(job: &Job<'_>) -> Result<()> {
    let Some(owner) = job.task.owner else { return Ok(()) };
    let store = job.services.queue.store();
    let Some(most) = store.token(owner).await?.and_then(|token| token.quota.audio_seconds) else { return Ok(()) };
    let today = Utc::now().timestamp_millis() / DAY_MS;
    let heard: i64 = store.usage(Some(owner), today).await?.iter().map(|row| row.usage.audio_ms).sum();
    if heard < most.saturating_mul(1000) {
        return Ok(());
    }
    let detail = format!("The access token may be used for {most} seconds of audio a day, and was");
    Err(Error::new(Code::QuotaExceeded, detail).for_good())
}

/// Whoever the task came from, as the tasks of its steps come from them.
pub(super) async fn caller(job: &Job<'_>) -> Result<Caller> {
    let Some(owner) = job.task.owner else { return Ok(Caller::default()) };
    let token = job.services.queue.store().token(owner).await?;
    Ok(Caller { token: Some(owner), scopes: token.map(|token| token.scopes).unwrap_or_default() })
}

/// Whose things a task may use; none: everyone's.
async fn only(job: &Job<'_>) -> Result<Option<TokenId>> {
    Ok(caller(job).await?.only())
}
