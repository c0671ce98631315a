//! Checks a definition whole: every problem at once, each with its place and, where one can be guessed, the remedy.
//!
//! First the text (`json`), then its form by the schema (`shape`), then what it means: `places` reads every expression
//! once, the others look at what was read. One mistake does not hide others: what cannot be read is left out (`draft`).

mod calls;
mod draft;
mod duration;
mod graph;
mod inputs;
mod json;
mod literals;
mod machine;
mod params;
mod places;
mod problem;
mod refs;
mod shape;
#[cfg(test)]
mod tests;
mod world;

use std::collections::HashSet;

use serde_json::Value;

pub use self::{
    calls::NESTING,
    problem::{Problem, Severity},
    world::{Machine, Other, World},
};
use self::{draft::Draft, refs::ROOTS};
use super::Definition;
use crate::error::{Code, Error, Result};

/// The kinds that a definition may use.
const KINDS: [&str; 10] = [
    "resolve",
    "download",
    "transcribe",
    "subtitle",
    "llm",
    "http",
    "callback",
    "condition",
    "workflow",
    "exec:<name>",
];

/// Names that stand for something else in `/api/workflows/{name}`.
const RESERVED: [&str; 2] = ["kinds", "validate"];

/// A definition with what was found in it.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The definition, when it has no errors.
    pub definition: Option<Definition>,
    /// Its JSON as it was written, when it is JSON.
    pub value: Option<Value>,
    /// Errors and warnings.
    pub problems: Vec<Problem>,
}

/// Reads a definition and lists everything that is wrong with it, by itself and in its world.
pub fn check(text: &str, world: &World) -> Checked {
    let mut problems = Vec::new();
    let value = json::read(text, &mut problems);
    if let Some(value) = &value {
        look(value, world, &mut problems);
    }
    let mut told = HashSet::new();
    problems.retain(|problem| told.insert((problem.code, problem.pointer.clone(), problem.message.clone())));
    let definition = match &value {
        Some(value) if !problems.iter().any(Problem::is_error) => match serde_json::from_value(value.clone()) {
            Ok(definition) => Some(definition),
            Err(error) => {
                problems.push(Problem::new("E_FIELD", "", error.to_string()));
                None
            }
        },
        _ => None,
    };
    Checked { definition, value, problems }
}

fn look(value: &Value, world: &World, problems: &mut Vec<Problem>) {
    shape::check(value, problems);
    let draft = Draft::of(value);
    if RESERVED.contains(&draft.name.as_str()) {
        let message = format!("\"{}\" has a meaning in /api/workflows: take another name", draft.name);
        problems.push(Problem::new("E_FIELD", "/name", message));
    }
    duration::check(value, problems);
    lists(&draft, problems);
    inputs::check(&draft, problems);
    params::check(&draft, problems);
    let places = places::read(&draft, problems);
    refs::check(&draft, &places, world, problems);
    graph::check(&draft, &places, problems);
    calls::check(&draft, world, problems);
    machine::check(&draft, &world.machine, problems);
    literals::check(value, &draft, problems);
}

/// The names of items must not hide what means something everywhere.
fn lists(draft: &Draft, problems: &mut Vec<Problem>) {
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let Some(list) = step.foreach.as_ref().filter(|list| ROOTS.contains(&list.name.as_str())) else { continue };
            let message = format!("\"{}\" means something else already: take another name", list.name);
            problems.push(Problem::new("E_FIELD", format!("/{group}/{name}/foreach/as"), message));
        }
    }
}

/// Reads a definition; the error lists every problem with its place.
pub fn parse(text: &str) -> Result<Definition> {
    let Checked { definition, problems, .. } = check(text, &World::default());
    definition.ok_or_else(|| refused(&problems))
}

/// The error of a definition that is not taken: its errors, one after the other.
pub fn refused(problems: &[Problem]) -> Error {
    let lines: Vec<String> = problems.iter().filter(|problem| problem.is_error()).map(Problem::to_string).collect();
    let all = problems.iter().filter_map(|problem| serde_json::to_value(problem).ok()).collect();
    let error = Error::new(Code::InvalidWorkflow, lines.join("; ")).with_problems(all);
    match problems.iter().find(|problem| problem.is_error()) {
        Some(first) if !first.pointer.is_empty() => error.with_field(first.pointer.clone()),
        _ => error,
    }
}

/// Whether something holds an expression, and may become anything.
fn is_open(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains("${"),
        Value::Array(items) => items.iter().any(is_open),
        Value::Object(fields) => fields.values().any(is_open),
        _ => false,
    }
}

/// At most 80 characters of a text, with nothing in it that a terminal would obey.
fn shown(text: &str) -> String {
    let clean = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    let mut shown: String = text.chars().take(80).map(clean).collect();
    if text.chars().nth(80).is_some() {
        shown.push('…');
    }
    shown
}

/// The JSON Pointer of a member.
fn below(pointer: &str, name: &str) -> String {
    format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"))
}
