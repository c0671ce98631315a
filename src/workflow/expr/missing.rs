//! Why an evaluation has no value.

use serde_json::Value;

use super::path;

/// Why an evaluation has no value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Failure {
    /// It looks at something that is not there. `default`, `coalesce` and `has` do without.
    Missing(Vec<String>),
    /// Anything else, in a sentence.
    Wrong(String),
}

impl Failure {
    pub(super) fn wrong(sentence: impl Into<String>) -> Self {
        Self::Wrong(sentence.into())
    }

    /// What a person is told.
    pub(super) fn sentence(&self, scope: &Value) -> String {
        match self {
            Self::Missing(path) => sentence(path, scope),
            Self::Wrong(sentence) => sentence.clone(),
        }
    }
}

/// Says that a path is missing, and what became of the step that should have made it.
pub(super) fn sentence(path: &[String], scope: &Value) -> String {
    let text = path::render(path);
    let because = match path {
        [root, name, ..] if root == "steps" => step_state(name, scope),
        _ => None,
    };
    match because {
        Some(because) => format!("{text} is missing ({because})"),
        None if path.iter().any(|name| path::is_name(name) && name.contains('-')) => {
            format!("{text} is missing (for a subtraction, write spaces around the \"-\")")
        }
        None => format!("{text} is missing"),
    }
}

fn step_state(name: &str, scope: &Value) -> Option<String> {
    let steps = scope.get("steps")?;
    let Some(step) = steps.get(name) else { return Some(format!("step \"{name}\" has not run")) };
    Some(match step.get("status")?.as_str()? {
        "succeeded" => return None,
        "failed" => format!("step \"{name}\" failed"),
        word @ ("skipped" | "cancelled") => format!("step \"{name}\" was {word}"),
        word => format!("step \"{name}\" is {word}"),
    })
}
