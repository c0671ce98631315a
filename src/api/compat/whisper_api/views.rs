//! Jobs as they are shown.

use poem_openapi::Object;

use crate::{
    domain::{Facade, Task, TaskStatus, Transcript},
    error::Result,
    subtitle::{Format, Layout, render},
};

/// One transcription. / 一个转写任务。
#[derive(Debug, Object)]
#[oai(rename = "TranscriptionTask", skip_serializing_if_is_none)]
pub(super) struct Job {
    /// Its id.
    pub id: String,
    /// The access token that it came with; empty where none was needed.
    pub user_id: String,
    /// `pending`, `processing`, `completed` or `failed`.
    pub status: String,
    /// What was recognised, in the format that was asked for.
    pub transcription: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created_at: i64,
    /// When it last changed.
    pub updated_at: i64,
}

impl Job {
    /// A task, with its transcript when there is one.
    pub(super) fn of(task: &Task, transcript: Option<&Transcript>) -> Self {
        let status = match task.status {
            TaskStatus::Queued => "pending",
            TaskStatus::Processing => "processing",
            TaskStatus::Completed => "completed",
            TaskStatus::Failed | TaskStatus::Cancelled => "failed",
        };
        let cancelled = || (task.status == TaskStatus::Cancelled).then(|| "The task was cancelled".to_owned());
        let error = task.error.as_ref().map(|error| format!("{}. {}", error.detail.trim_end_matches('.'), error.hint));
        Self {
            id: task.id.to_string(),
            user_id: task.owner.map_or_else(String::new, |id| id.to_string()),
            status: status.to_owned(),
            transcription: transcript.map(|transcript| shown(task, transcript)),
            error: error.or_else(cancelled),
            created_at: task.created_at.timestamp(),
            updated_at: task.updated_at.timestamp(),
        }
    }
}

/// A transcript in the format that was asked for.
fn shown(task: &Task, transcript: &Transcript) -> String {
    match &task.facade {
        Some(Facade::WhisperApi { output_format }) if output_format != TEXT => output_format
            .parse()
            .map_or_else(|_| transcript.text.clone(), |format: Format| render(transcript, format, &Layout::default())),
        _ => transcript.text.clone(),
    }
}

/// The words alone.
pub(super) const TEXT: &str = "txt";

/// Checks the name of a format.
pub(super) fn format(word: Option<String>) -> Result<String> {
    match word.as_deref().map(str::trim) {
        None | Some("" | "text" | "all") => Ok(TEXT.to_owned()),
        Some(word) => {
            let format: Format =
                word.parse().map_err(|error: crate::error::Error| error.with_field("output_format"))?;
            Ok(format.extension().to_owned())
        }
    }
}
