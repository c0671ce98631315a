//! Tasks and their steps as they are stored and shown.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Facade, Lane, MediaId, Priority, StepKind, StepState, TaskId, TaskStatus, TokenId};
use crate::error::Report;

/// One run of one revision of a workflow for one input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Its id.
    pub id: TaskId,
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's revision, fixed when the task is made.
    pub revision: i64,
    /// Where it stands.
    pub status: TaskStatus,
    /// How urgent it is.
    pub priority: Priority,
    /// What was pasted (`upload:<id>` and `media:<id>` for what is already here).
    pub link: String,
    /// The workflow's parameters, defaults filled in.
    pub params: Map<String, Value>,
    /// The transcription options that were asked for.
    pub options: Map<String, Value>,
    /// The media, once resolved.
    pub media_id: Option<MediaId>,
    /// The language of its transcript, once there is one.
    #[serde(skip)]
    pub language: Option<String>,
    /// 0 to 1 over all steps.
    pub progress: f64,
    /// The workflow's output, once completed.
    pub result: Option<Value>,
    /// Why it failed.
    pub error: Option<Report>,
    /// Why it waits, when it waits for something outside (a model that is not here).
    pub waiting: Option<Report>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Where its end is told.
    pub callback_url: Option<String>,
    /// The `workflow` step (its row's id) that it is the work of.
    pub parent_step: Option<String>,
    /// The access token that it came with; none for what came without one.
    pub owner: Option<TokenId>,
    /// The system whose routes it came through; none for our own.
    #[serde(skip)]
    pub facade: Option<Facade>,
    /// The task that it repeats.
    pub rerun_of: Option<TaskId>,
    /// When it must have ended.
    pub deadline_at: Option<DateTime<Utc>>,
    /// Whether its steps wait until another task of its workflow has ended.
    pub held: bool,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// When it last changed.
    pub updated_at: DateTime<Utc>,
    /// When its first step started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}

/// One durable unit of work.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Its id, a UUIDv7.
    pub id: String,
    /// The task it belongs to.
    pub task_id: TaskId,
    /// Its name in the definition; the first half of a `transcribe` step named `text` is `text:extract`.
    pub key: String,
    /// What it does.
    pub kind: StepKind,
    /// Where it waits.
    pub lane: Lane,
    /// Where it stands.
    pub state: StepState,
    /// Tries so far.
    pub attempt: i64,
    /// How often its worker died.
    pub crashes: i64,
    /// 0 to 1.
    pub progress: f64,
    /// What it made.
    pub output: Option<Value>,
    /// The last try's error.
    pub error: Option<Report>,
    /// When it may start.
    pub eligible_at: DateTime<Utc>,
    /// When the last try started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended.
    pub finished_at: Option<DateTime<Utc>>,
}
