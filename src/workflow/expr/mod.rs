//! Expressions: what stands inside `${…}`, in `when` and in `foreach.in`.

use serde_json::Value;

use crate::error::{Code, Error, Result};

/// Something in the scope that an expression looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its path, such as `["steps", "media", "output", "file"]`, as far as it is known without evaluating.
    pub path: Vec<String>,
    /// Whether the expression does without it: it stands inside `default`, `coalesce` or `has`.
    pub guarded: bool,
}

/// What is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("col {column}: {message}")]
pub struct Problem {
    /// Where, in characters from 1.
    pub column: usize,
    /// What.
    pub message: String,
}

/// What an expression refers to.
pub fn references(source: &str) -> Result<Vec<Reference>, Problem> {
    let path = path(source).map_err(|message| Problem { column: 1, message })?;
    Ok(vec![Reference { path, guarded: false }])
}

/// The value of an expression over `scope`, an object with `params`, `steps`, `task` and the like. Takes 250 ms at most.
pub fn evaluate(source: &str, scope: &Value) -> Result<Value> {
    let path = path(source).map_err(|problem| Error::new(Code::Expression, problem))?;
    look_up(&path, scope).cloned()
}

fn path(text: &str) -> Result<Vec<String>, String> {
    let text = text.trim();
    let mut parts = Vec::new();
    for part in text.split('.') {
        let (name, indices) = part.split_once('[').map_or((part, ""), |(name, rest)| (name, rest));
        let is_name =
            |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if !is_name(name) {
            return Err(format!("\"{text}\" is not a reference such as steps.NAME.output.FIELD or params.NAME"));
        }
        parts.push(name.to_owned());
        for index in indices.split('[').filter(|index| !index.is_empty()) {
            let digits = index.strip_suffix(']').filter(|digits| digits.parse::<usize>().is_ok());
            parts.push(digits.ok_or_else(|| format!("\"{text}\" has an index that is not a number"))?.to_owned());
        }
    }
    Ok(parts)
}

fn look_up<'a>(path: &[String], scope: &'a Value) -> Result<&'a Value> {
    let mut value = scope;
    for part in path {
        let child = match value {
            Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
            other => other.get(part),
        };
        value = child.ok_or_else(|| Error::new(Code::Expression, format!("{} is missing", path.join("."))))?;
    }
    Ok(value)
}
