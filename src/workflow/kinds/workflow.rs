//! `workflow`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Kind;

pub(super) struct Workflow;

impl Kind for Workflow {
    const WORD: &'static str = "workflow";
    type With = With;
    type Output = Value;
}

/// Runs another workflow as a task of its own and takes its result.
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
}
