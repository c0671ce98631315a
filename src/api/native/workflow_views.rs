//! Workflows as they are shown.

use poem_openapi::Object;
use serde_json::Value;

use crate::{api::words::Time, store::WorkflowRevision, workflow::validate::Problem};

/// The workflows that there are. / 现有的工作流。
#[derive(Debug, Object)]
pub(super) struct WorkflowList {
    /// The newest revision of each, by their names.
    pub items: Vec<WorkflowLine>,
}

/// A workflow in a list. / 列表中的工作流。
#[derive(Debug, Object)]
pub(super) struct WorkflowLine {
    /// Its name.
    name: String,
    /// What people read.
    #[oai(skip_serializing_if_is_none)]
    title: Option<String>,
    /// The newest revision's number, from 1.
    revision: i64,
    /// Where that comes from: `file` or `api`.
    origin: String,
    /// When it was made.
    created_at: Time,
    /// What starts it by itself.
    triggers: Vec<Value>,
}

impl From<WorkflowRevision> for WorkflowLine {
    fn from(row: WorkflowRevision) -> Self {
        Self {
            title: row.definition["title"].as_str().map(str::to_owned),
            triggers: row.definition["triggers"].as_array().cloned().unwrap_or_default(),
            name: row.name,
            revision: row.revision,
            origin: row.origin.as_str().to_owned(),
            created_at: Time(row.created_at),
        }
    }
}

/// One revision of a workflow. / 工作流的一个版本。
#[derive(Debug, Object)]
#[oai(rename = "Workflow")]
pub(in crate::api) struct WorkflowView {
    /// Its name.
    name: String,
    /// The revision's number, from 1.
    pub(in crate::api) revision: i64,
    /// Where the revision comes from: `file` or `api`.
    origin: String,
    /// When it was made.
    created_at: Time,
    /// The definition, as it was written.
    definition: Value,
    /// What is odd about the definition, when it has just been taken.
    #[oai(default, skip_serializing_if_is_empty)]
    pub(in crate::api) warnings: Vec<Value>,
}

impl From<WorkflowRevision> for WorkflowView {
    fn from(row: WorkflowRevision) -> Self {
        Self {
            name: row.name,
            revision: row.revision,
            origin: row.origin.as_str().to_owned(),
            created_at: Time(row.created_at),
            definition: row.definition,
            warnings: Vec::new(),
        }
    }
}

/// The revisions of a workflow, the newest first. / 工作流的各个版本，最新的在前。
#[derive(Debug, Object)]
pub(super) struct RevisionList {
    /// They.
    pub items: Vec<RevisionLine>,
}

/// A revision in a list. / 列表中的版本。
#[derive(Debug, Object)]
pub(super) struct RevisionLine {
    /// Its number, from 1.
    revision: i64,
    /// Where it comes from: `file` or `api`.
    origin: String,
    /// When it was made.
    created_at: Time,
    /// The SHA-256 of its definition.
    sha256: String,
    /// When the workflow was deleted.
    #[oai(skip_serializing_if_is_none)]
    deleted_at: Option<Time>,
}

impl From<WorkflowRevision> for RevisionLine {
    fn from(row: WorkflowRevision) -> Self {
        Self {
            revision: row.revision,
            origin: row.origin.as_str().to_owned(),
            created_at: Time(row.created_at),
            sha256: row.sha256,
            deleted_at: row.deleted_at.map(Time),
        }
    }
}

/// What is wrong with a definition, or odd. / 定义中的错误与警告。
#[derive(Debug, Object)]
pub(super) struct Verdict {
    /// Whether it would be taken.
    valid: bool,
    /// Errors and warnings: `code`, `pointer`, `message`, `suggestion`, `severity` (`error` or `warning`), `caret`.
    problems: Vec<Value>,
}

impl Verdict {
    /// What was found.
    pub(super) fn of(problems: &[Problem]) -> Self {
        Self { valid: !problems.iter().any(Problem::is_error), problems: json(problems) }
    }
}

/// Problems as they are shown.
pub(super) fn json(problems: &[Problem]) -> Vec<Value> {
    problems.iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect()
}
