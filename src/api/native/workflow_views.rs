//! Workflows as they are shown.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde_json::{Value, json};

use crate::{
    api::words::Time,
    store::WorkflowRevision,
    workflow::{definition::Param, validate::Problem},
};

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
    /// What a task of it must or may give, by name: what a form needs to know.
    params: BTreeMap<String, ParamView>,
    /// What starts it by itself.
    triggers: Vec<Value>,
}

/// A parameter of a workflow. / 工作流的参数。
#[derive(Debug, Object)]
#[oai(rename = "WorkflowParam")]
struct ParamView {
    /// What it holds: `string`, `url` (a link, a share text, `upload:<id>` or `media:<id>`), `integer`, `number`, `boolean`,
    /// `array` or `object`.
    #[oai(rename = "type")]
    kind: String,
    /// Whether it must be given: there is no default.
    required: bool,
    /// Its value when none is given.
    #[oai(skip_serializing_if_is_none)]
    default: Option<Value>,
    /// The only values that it may have.
    #[oai(rename = "enum", skip_serializing_if_is_none)]
    allowed: Option<Vec<Value>>,
    /// What people read.
    #[oai(skip_serializing_if_is_none)]
    description: Option<String>,
    /// The longest text, in characters.
    #[oai(skip_serializing_if_is_none)]
    max_length: Option<usize>,
}

impl From<Param> for ParamView {
    fn from(param: Param) -> Self {
        Self {
            kind: json!(param.kind).as_str().unwrap_or_default().to_owned(),
            required: param.default.is_none(),
            default: param.default,
            allowed: param.allowed,
            description: param.description,
            max_length: param.max_length,
        }
    }
}

/// The parameters of a definition; of one that this version cannot read, none.
fn params(definition: &Value) -> BTreeMap<String, ParamView> {
    let params: Option<BTreeMap<String, Param>> = serde_json::from_value(definition["params"].clone()).ok();
    params.unwrap_or_default().into_iter().map(|(name, param)| (name, param.into())).collect()
}

impl From<WorkflowRevision> for WorkflowLine {
    fn from(row: WorkflowRevision) -> Self {
        Self {
            title: row.definition["title"].as_str().map(str::to_owned),
            params: params(&row.definition),
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
        Self { valid: !problems.iter().any(Problem::is_error), problems: shown(problems) }
    }
}

/// Problems as they are shown.
pub(super) fn shown(problems: &[Problem]) -> Vec<Value> {
    problems.iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect()
}
