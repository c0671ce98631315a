//! What of the things that are here a task may use: those of its token, and everyone's when it came without one or from an
//! admin.

use super::Job;
use crate::{
    domain::{Caller, MediaId, TokenId, TranscriptId},
    error::Result,
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
