//! Revisions of transcripts as they are shown.

use poem_openapi::{Enum, Object};

use super::Context;
use crate::{
    api::words::Time,
    domain::TaskId,
    error::{Code, Error, Result},
    store::RevisionLine,
};

/// The revisions of a transcript, the newest first. / 文字稿的各个修订版，最新的在前。
#[derive(Debug, Object)]
pub(super) struct TranscriptRevisions {
    /// They.
    items: Vec<TranscriptRevision>,
}

/// A revision of a transcript. / 文字稿的一个修订版。
#[derive(Debug, Object)]
struct TranscriptRevision {
    /// Its number: 1 for what was recognised, 2, 3, … for edits. Some may be missing.
    revision: u32,
    /// What it is.
    origin: RevisionOrigin,
    /// When it was made.
    created_at: Time,
}

/// Where a revision of a transcript comes from. / 修订版的来源。
#[derive(Debug, Enum)]
#[oai(rename_all = "snake_case")]
enum RevisionOrigin {
    /// It was recognised.
    Recognised,
    /// Somebody has corrected it.
    Edit,
}

impl From<RevisionLine> for TranscriptRevision {
    fn from(line: RevisionLine) -> Self {
        let origin = if line.number == 1 { RevisionOrigin::Recognised } else { RevisionOrigin::Edit };
        Self { revision: line.number, origin, created_at: Time(line.created_at) }
    }
}

impl Context {
    /// The revisions of what a task has heard.
    pub(super) async fn transcript_revisions(&self, id: TaskId) -> Result<TranscriptRevisions> {
        self.readable(id).await?;
        let lines = self.store().revisions_of(id).await?;
        if lines.is_empty() {
            return Err(Error::new(Code::NotFound, format!("Task {id} has made no transcript")));
        }
        Ok(TranscriptRevisions { items: lines.into_iter().map(TranscriptRevision::from).collect() })
    }
}
