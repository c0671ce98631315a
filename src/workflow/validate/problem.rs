//! What is told about a definition.

use std::fmt;

use serde::Serialize;

use crate::workflow::expr;

/// Whether a problem keeps a definition from being stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// It does.
    Error,
    /// It does not.
    Warning,
}

/// One thing that is wrong, or odd.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// A stable word such as `E_REF`; warnings start with `W_`.
    pub code: &'static str,
    /// Where it is, as a JSON Pointer.
    pub pointer: String,
    /// What is wrong, in a sentence.
    pub message: String,
    /// What was probably meant: what can be put in place of the name or value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
    /// Whether it keeps the definition from being stored.
    pub severity: Severity,
    /// Of an expression: its text and, in the line below, a mark at the place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub caret: Option<String>,
}

impl Problem {
    /// A problem at a place.
    pub(super) fn new(code: &'static str, pointer: impl Into<String>, message: impl Into<String>) -> Self {
        let severity = if code.starts_with('W') { Severity::Warning } else { Severity::Error };
        Self { code, pointer: pointer.into(), message: message.into(), suggestion: None, severity, caret: None }
    }

    /// Adds the name that was probably meant, and says so.
    pub(super) fn or(mut self, meant: Option<&str>) -> Self {
        if let Some(meant) = meant {
            self.message.push_str(&format!("; did you mean \"{meant}\"?"));
            self.suggestion = Some(meant.to_owned());
        }
        self
    }

    /// Adds what can be put in its place, which the message says already.
    pub(super) fn better(mut self, text: impl Into<String>) -> Self {
        self.suggestion = Some(text.into());
        self
    }

    /// Marks a column, counted in characters from 1.
    pub(super) fn marked(mut self, source: &str, column: usize) -> Self {
        self.caret = Some(expr::caret(source, column));
        self
    }

    /// Whether it keeps the definition from being stored.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The pointer of the whole is empty.
        let place = if self.pointer.is_empty() { String::new() } else { format!(" {}", self.pointer) };
        write!(f, "{}{place}: {}", self.code, self.message)
    }
}
