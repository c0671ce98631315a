//! What decides about a step beside its input: the part of its definition that its row keeps.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::definition::{Foreach, OnError, StepDef};
use crate::domain::Span;

/// The rule of a step, stored with its row as JSON. A row of an older version has none, which reads as the default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Rule {
    /// The expression that must be true for it to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    /// The list that it runs for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foreach: Option<Foreach>,
    /// How long it waits before its first try.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay: Option<Span>,
    /// For all its tries together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deadline: Option<Span>,
    /// What follows when it has failed for good.
    pub on_error: OnError,
    /// The program of an `exec` step.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    /// Those of its needs which may have been skipped or have failed: what it says of them is guarded, or only an order.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub loose: Vec<String>,
    /// Whether it belongs to the workflow's `on_error`.
    pub handler: bool,
}

impl Rule {
    /// The rule of a definition's step.
    pub fn of(step: &StepDef, loose: Vec<String>, handler: bool) -> Self {
        Self {
            when: step.when.clone(),
            foreach: step.foreach.clone(),
            delay: step.delay,
            deadline: step.deadline,
            on_error: step.on_error,
            program: step.kind.strip_prefix("exec:").map(str::to_owned),
            loose,
            handler,
        }
    }

    /// The rule in a row; what cannot be read is the default.
    pub fn read(stored: &Value) -> Self {
        Self::deserialize(stored).unwrap_or_default()
    }
}
