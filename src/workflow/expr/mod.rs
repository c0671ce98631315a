//! Expressions: what stands inside `${…}`, in `when` and in `foreach.in`. The language is a part of CEL
//! (<https://cel.dev>) over JSON: the `cel` crate reads it, the values are those of JSON alone.
//!
//! Callers may rely on this: whatever the text and whatever the scope, reading and evaluating end in a value or an error,
//! after a bounded number of small operations and with bounded memory ([`Budget`](budget::Budget)); no clock is asked, so
//! an expression ends alike on a busy machine. Nothing of the scope is copied except what becomes part of the result.
//!
//! A *plain path* (`steps.text.output.items[0].title`) is looked up directly and may have names with a `-` in it; in
//! longer expressions such a name is written `params['callback-url']`, and a `-` is a subtraction.

mod budget;
mod eval;
mod functions;
mod lower;
mod missing;
mod operators;
mod parse;
mod path;
mod references;
mod scan;
#[cfg(test)]
mod tests;
mod tree;

use serde_json::Value;

pub(super) use budget::weigh;
pub(super) use scan::closing;

use crate::error::{Code, Error, Result};

/// The longest expression, in bytes.
pub const MAX_SOURCE: usize = 1024;

/// Something in the scope that an expression looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Its path, such as `["steps", "media", "output", "file"]`, as far as it is known without evaluating. The index of
    /// a list is its digits.
    pub path: Vec<String>,
    /// Whether the expression does without it: it stands inside `has`, `coalesce` or the first argument of `default`.
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

impl Problem {
    fn new(column: usize, message: impl Into<String>) -> Self {
        Self { column, message: message.into() }
    }
}

/// What an expression refers to, each thing once. A name that a macro declares is no reference.
pub fn references(source: &str) -> Result<Vec<Reference>, Problem> {
    match path::plain(source) {
        Some(path) => Ok(vec![Reference { path, guarded: false }]),
        None => parse::tree(source).map(|tree| references::of(&tree)),
    }
}

/// The value of an expression over `scope`, an object with `params`, `steps`, `task` and the like.
///
/// Every failure is [`Code::Expression`]; one that touches something missing names it.
pub fn evaluate(source: &str, scope: &Value) -> Result<Value> {
    if let Some(path) = path::plain(source) {
        let found = path::look_up(&path, scope).cloned();
        return found.ok_or_else(|| Error::new(Code::Expression, missing::sentence(&path, scope)));
    }
    let tree = parse::tree(source).map_err(|problem| Error::new(Code::Expression, problem.to_string()))?;
    eval::run(&tree, scope).map_err(|failure| Error::new(Code::Expression, failure.sentence(scope)))
}

/// The line of `source` that holds a [`Problem`]'s column, and a caret under that column.
pub fn caret(source: &str, column: usize) -> String {
    let at = source.char_indices().nth(column.saturating_sub(1)).map_or(source.len(), |(at, _)| at);
    let start = source[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = source[start..].lines().next().unwrap_or_default();
    // Wide characters take two places of a terminal, a tab what the terminal likes: it is repeated.
    let pad: String = source[start..at]
        .chars()
        .map(|c| match c {
            '\t' => "\t",
            c if unicode_width::UnicodeWidthChar::width(c) == Some(2) => "  ",
            _ => " ",
        })
        .collect();
    format!("{line}\n{pad}^")
}
