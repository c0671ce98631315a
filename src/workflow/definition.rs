//! The types of a definition: a named map of steps whose references are their order.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Retry, validate};
use crate::{domain::Span, error::Result};

/// What the names of workflows, parameters and items look like.
pub const ID: &str = "^[a-z][a-z0-9_-]{0,62}$";
/// What the names of steps look like: without a dash, which would be a minus in expressions.
pub const STEP: &str = "^[a-z][a-z0-9_]{0,62}$";
/// What may stand after `use`.
pub const KIND: &str =
    "^(resolve|download|transcribe|subtitle|llm|http|callback|condition|workflow|exec:[a-z][a-z0-9_-]{0,62})$";

/// A workflow as it is written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Definition {
    /// The language's version: 1.
    #[schemars(extend("const" = 1))]
    pub dsl: u32,
    /// The workflow's name.
    #[schemars(regex(pattern = ID))]
    pub name: String,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(max = 200))]
    pub title: Option<String>,
    /// What a task must or may give.
    #[serde(default)]
    #[schemars(extend("propertyNames" = { "pattern": ID }))]
    pub params: BTreeMap<String, Param>,
    /// What starts it by itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8))]
    pub triggers: Vec<Trigger>,
    /// The steps by name.
    #[schemars(extend("minProperties" = 1, "maxProperties" = 100, "propertyNames" = { "pattern": STEP }))]
    pub steps: BTreeMap<String, StepDef>,
    /// The steps that run once when one of `steps` has failed for good.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("minProperties" = 1, "maxProperties" = 100, "propertyNames" = { "pattern": STEP }))]
    pub on_error: BTreeMap<String, StepDef>,
    /// The task's result: JSON with references.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    pub output: Option<Value>,
    /// How long a task may take, from when it is made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub deadline: Option<Span>,
    /// How many of its tasks may be at work at the same time; others wait.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1))]
    pub max_active_runs: Option<u32>,
}

/// What starts a workflow by itself: a time or an event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Trigger {
    /// Again and again.
    Cron(CronTrigger),
    /// Whenever something has happened.
    Event(EventTrigger),
}

/// A time table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CronTrigger {
    /// Minute, hour, day of the month, month, day of the week.
    pub cron: String,
    /// The IANA time zone in which it is read; UTC when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub tz: Option<String>,
    /// What happens when the task before still runs.
    #[serde(default)]
    pub overlap: Overlap,
    /// What happens to times that passed while nothing could start.
    #[serde(default)]
    pub catchup: Catchup,
    /// By how much a start is put off at most, by chance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub jitter: Option<Span>,
    /// The parameters of its tasks.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
}

/// What happens when the task before still runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Overlap {
    /// The new one is not made.
    #[default]
    Skip,
    /// The new one waits for the end of the one before.
    Queue,
    /// Both run.
    Allow,
}

/// What happens to times that passed while nothing could start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Catchup {
    /// Nothing.
    None,
    /// The last of them is made up for.
    #[default]
    Latest,
    /// All of them are.
    All,
}

/// An event that starts tasks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EventTrigger {
    /// Which.
    pub event: EventKind,
    /// An expression over `event` that must be true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 1024))]
    pub when: Option<String>,
    /// The parameters of its tasks; references to `event` are filled in.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub params: Map<String, Value>,
}

/// What a workflow can wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EventKind {
    /// A media's file is here.
    #[serde(rename = "media.created")]
    MediaCreated,
    /// A transcript was stored.
    #[serde(rename = "transcript.created")]
    TranscriptCreated,
    /// A task has failed.
    #[serde(rename = "task.failed")]
    TaskFailed,
}

/// One parameter.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Param {
    /// What it holds.
    #[serde(rename = "type")]
    pub kind: ParamType,
    /// Its value when none is given; a parameter without one must be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Value")]
    pub default: Option<Value>,
    /// The only values it may have.
    #[serde(default, rename = "enum", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Value>")]
    pub allowed: Option<Vec<Value>>,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub description: Option<String>,
    /// The longest text, in characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "usize")]
    pub max_length: Option<usize>,
}

/// What a parameter holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ParamType {
    /// Text.
    String,
    /// A link, a share text, `upload:<id>` or `media:<id>`.
    Url,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// true or false.
    Boolean,
    /// A list.
    Array,
    /// An object.
    Object,
}

impl ParamType {
    /// Whether a value is of this type.
    pub fn fits(self, value: &Value) -> bool {
        match self {
            Self::String | Self::Url => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }
}

/// One step.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StepDef {
    /// Its kind.
    #[serde(rename = "use")]
    #[schemars(regex(pattern = KIND))]
    pub kind: String,
    /// Its input: JSON with references.
    #[serde(default)]
    pub with: Map<String, Value>,
    /// An expression that must be true for the step to run; evaluated once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 1024))]
    pub when: Option<String>,
    /// Runs the step once for each item of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Foreach")]
    pub foreach: Option<Foreach>,
    /// Steps which must have ended before, besides those it refers to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(extend("uniqueItems" = true))]
    pub after: Vec<String>,
    /// How often and when it is tried again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Retry")]
    pub retry: Option<Retry>,
    /// How long it waits before its first try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub delay: Option<Span>,
    /// For one try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub timeout: Option<Span>,
    /// For all its tries together, from when it may start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Span")]
    pub deadline: Option<Span>,
    /// What follows when it has failed for good.
    #[serde(default, skip_serializing_if = "OnError::is_fail")]
    pub on_error: OnError,
}

impl StepDef {
    /// Its expressions that stand without `${…}`, each with its JSON Pointer in the step: `when`, the list, the cases of a
    /// `condition`.
    pub fn bare(&self) -> impl Iterator<Item = (String, &str)> {
        let when = self.when.iter().map(|when| ("/when".to_owned(), when.as_str()));
        let list = self.foreach.iter().map(|list| ("/foreach/in".to_owned(), list.list.as_str()));
        let cases = self.with.get("cases").filter(|_| self.kind == "condition").and_then(Value::as_array);
        let cases = cases
            .into_iter()
            .flatten()
            .enumerate()
            .filter_map(|(index, case)| Some((format!("/with/cases/{index}/when"), case.get("when")?.as_str()?)));
        when.chain(list).chain(cases)
    }
}

/// A list whose items a step runs for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Foreach {
    /// An expression for the list; evaluated once.
    #[serde(rename = "in")]
    #[schemars(length(min = 1, max = 1024))]
    pub list: String,
    /// The name of an item in the step's references.
    #[serde(default = "item", rename = "as")]
    #[schemars(regex(pattern = ID))]
    pub name: String,
    /// How many items are at work at the same time, 1 to 64.
    #[serde(default = "one")]
    #[schemars(range(min = 1, max = 64))]
    pub parallel: u32,
    /// The longest list, 1 to 10,000; a longer one is an error.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 10_000))]
    pub limit: u32,
    /// What follows when an item has failed for good.
    #[serde(default)]
    pub on_item_error: OnItemError,
}

fn item() -> String {
    "item".to_owned()
}

fn one() -> u32 {
    1
}

fn limit() -> u32 {
    1_000
}

/// What follows when an item has failed for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnItemError {
    /// No more items are started, and the step fails.
    #[default]
    Fail,
    /// The others go on; the output is `{ok: […], failed: […]}`.
    Collect,
}

/// What follows when a step has failed for good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnError {
    /// The task fails.
    #[default]
    Fail,
    /// The task goes on without it; steps that cannot do without its output are skipped.
    Continue,
}

impl OnError {
    fn is_fail(&self) -> bool {
        *self == Self::Fail
    }
}

impl Definition {
    /// Reads and checks a definition; the error lists every problem with its place.
    pub fn parse(text: &str) -> Result<Self> {
        validate::parse(text)
    }
}
