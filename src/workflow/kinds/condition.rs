//! `condition`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Condition;

impl Kind for Condition {
    const WORD: &'static str = "condition";
    type With = With;
    type Output = Output;
}

/// Takes the value of the first case that is true.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The cases, in order.
    pub cases: Vec<Case>,
    /// The value when no case is true.
    #[serde(default, rename = "else")]
    pub otherwise: Value,
}

/// One case.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// An expression that is true or false, as in a step's own `when`: without `${…}`.
    pub when: String,
    /// Its value.
    #[serde(default)]
    pub value: Value,
}

/// What was taken.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The value.
    pub value: Value,
    /// Which case it is of, from 0; null where it is that of `else`.
    pub case: Option<usize>,
}
