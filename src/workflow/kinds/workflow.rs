//! `workflow`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Kind;

pub(super) struct Workflow;

impl Kind for Workflow {
    const WORD: &'static str = "workflow";
    // What else its parameters may decide is a matter of their names: see `validate::refs`.
    const OURS: &'static [&'static str] = &["name"];
    type With = With;
    type Output = Output;
}

/// Runs another workflow as a task of its own and takes its result. The task has the priority of the one it belongs to,
/// sends no callback of its own, and is cancelled and deleted with it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Which.
    pub name: String,
    /// Which revision; the newest when there is none.
    #[serde(default)]
    pub version: Option<i64>,
    /// Its parameters.
    #[serde(default)]
    pub params: Map<String, Value>,
    /// Transcription options of the task, as in `POST /api/tasks`.
    #[serde(default)]
    pub options: Map<String, Value>,
}

/// What came of the task.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The task.
    pub task_id: i64,
    /// `completed`.
    pub status: String,
    /// Its result: the other workflow's `output`.
    pub output: Value,
}
