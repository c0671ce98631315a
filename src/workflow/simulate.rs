//! A task that does nothing: a definition run in memory, its steps' results given beforehand.
//!
//! Expressions are evaluated for real, `condition` steps, too. What another kind would have done is a mock: an output, or
//! `{"error": {"code": …, "detail": …}}`; for a step with `foreach`, a list gives each item its own. Without a mock an
//! output is made up by the schema of the kind, and a warning says so. Steps run one after the other: those that the
//! failure of another one would have found at work count as cancelled.

mod made_up;
mod step;

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use serde::Serialize;
use serde_json::{Map, Value, json};

use self::step::run_step;
use super::{
    Definition,
    definition::{OnError, StepDef},
    expr,
    plan::{Needs, needs_of},
    template,
};
use crate::{
    domain::options::unknown,
    error::{Code, Error, Report, Result},
};

/// The most that the inputs, items and outputs of all steps may take together, in bytes of memory.
const ROOM: usize = 64 << 20;
/// How long a simulation may take; looked at before each step and each item.
const TIME: Duration = Duration::from_secs(10);

/// How a simulated task went.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Simulated {
    /// `completed` or `failed`.
    pub status: &'static str,
    /// The task's result.
    pub output: Option<Value>,
    /// Why it failed.
    pub error: Option<Report>,
    /// The steps in the order in which they ran, those of `on_error` last.
    pub steps: Vec<Trace>,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// How a simulated step went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Trace {
    /// Its name.
    pub step: String,
    /// Its kind.
    #[serde(rename = "use")]
    pub kind: String,
    /// `succeeded`, `skipped`, `failed` or `cancelled`.
    pub status: &'static str,
    /// Its input, references filled in and secrets hidden; of a `condition`, as it is written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<Value>,
    /// The items of its list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<Item>>,
    /// What it made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Report>,
    /// Why it was skipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub why: Option<String>,
}

/// How one item of a list went.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Item {
    /// Its place in the list, from 0.
    pub index: usize,
    /// It.
    pub item: Value,
    /// `succeeded`, `failed` or `cancelled`.
    pub status: &'static str,
    /// The step's input for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub with: Option<Value>,
    /// What came of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub output: Option<Value>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<Report>,
}

/// Runs a definition that has passed every check, with `params` (defaults are added) and mocks by step.
///
/// # Errors
/// When the parameters do not fit, or a mock is for no step; `too_large` when it takes more than 64 MiB or 10 seconds.
pub fn simulate(definition: &Definition, params: &Map<String, Value>, mocks: &Map<String, Value>) -> Result<Simulated> {
    let known = |name: &String| definition.steps.contains_key(name) || definition.on_error.contains_key(name);
    if let Some(name) = mocks.keys().find(|name| !known(name)) {
        let names = definition.steps.keys().chain(definition.on_error.keys());
        return Err(unknown("step", name, names.map(String::as_str)).with_field("mocks"));
    }
    // A code that there is not would be another one here than in a task.
    let codes = mocks.values().flat_map(|mock| match mock.as_array() {
        Some(items) => items.iter().filter_map(step::mocked_code).collect(),
        None => Vec::from_iter(step::mocked_code(mock)),
    });
    let words = || Code::ALL.iter().map(|code| code.as_str());
    if let Some(code) = codes.into_iter().find(|code| !words().any(|word| word == *code)) {
        return Err(unknown("error code", code, words()).with_field("mocks"));
    }
    let scope = scope(definition, with_defaults(definition, params)?);
    let left = Left { room: ROOM, until: Instant::now() + TIME };
    let mut play = Play { scope, mocks, warnings: Vec::new(), left };
    let mut steps = Vec::new();
    let mut error = play.group(&definition.steps, &mut steps)?;
    let mut output = None;
    if error.is_none()
        && let Some(wanted) = &definition.output
    {
        match template::fill_at("/output", wanted, &play.scope) {
            Ok(value) => {
                play.left.pay(&value)?;
                output = Some(value);
            }
            Err(wrong) => error = Some(wrong.report()),
        }
    }
    if let Some(error) = &error {
        play.scope["task"]["error"] = json!(error);
        // A handler that fails changes nothing more.
        play.group(&definition.on_error, &mut steps)?;
    }
    let status = if error.is_some() { "failed" } else { "completed" };
    Ok(Simulated { status, output, error, steps, warnings: play.warnings })
}

fn scope(definition: &Definition, params: Map<String, Value>) -> Value {
    let task = json!({ "id": 0, "workflow": definition.name, "revision": 0, "started_at": "2000-01-01T00:00:00Z" });
    json!({ "params": params, "steps": {}, "task": task })
}

fn with_defaults(definition: &Definition, given: &Map<String, Value>) -> Result<Map<String, Value>> {
    let wrong = |name: &str, why: &str| {
        Error::new(Code::InvalidValue, format!("Parameter \"{name}\" {why}")).with_field(format!("params.{name}"))
    };
    if let Some(name) = given.keys().find(|name| !definition.params.contains_key(*name)) {
        return Err(unknown("parameter", name, definition.params.keys().map(String::as_str)));
    }
    let mut params = Map::new();
    for (name, param) in &definition.params {
        let value = given.get(name).or(param.default.as_ref()).ok_or_else(|| wrong(name, "is missing"))?;
        if !param.kind.fits(value) {
            return Err(wrong(name, "has the wrong type"));
        }
        params.insert(name.clone(), value.clone());
    }
    Ok(params)
}

/// What a simulation goes on with.
struct Play<'a> {
    scope: Value,
    mocks: &'a Map<String, Value>,
    warnings: Vec<String>,
    left: Left,
}

/// What a simulation may still take.
#[derive(Clone, Copy)]
struct Left {
    /// Bytes of memory.
    room: usize,
    /// Until when.
    until: Instant,
}

impl Left {
    /// Pays for a value that is kept.
    fn pay(&mut self, value: &Value) -> Result<()> {
        let left = self.room.checked_sub(expr::weigh(value, self.room));
        self.room = left.ok_or_else(|| {
            Error::new(Code::TooLarge, format!("The trial takes more than {} MiB: give it less", ROOM >> 20))
        })?;
        Ok(())
    }

    fn look_at_the_clock(&self) -> Result<()> {
        if Instant::now() < self.until {
            return Ok(());
        }
        Err(Error::new(Code::TooLarge, format!("The trial takes longer than {} s: give it less", TIME.as_secs())))
    }
}

impl Play<'_> {
    /// Runs a group of steps in the order of their needs; the error of the step that ended it.
    fn group(&mut self, steps: &BTreeMap<String, StepDef>, traces: &mut Vec<Trace>) -> Result<Option<Report>> {
        let needs: BTreeMap<&str, Needs> =
            steps.iter().map(|(name, step)| (name.as_str(), within(needs_of(step), steps))).collect();
        let mut open: BTreeSet<&str> = steps.keys().map(String::as_str).collect();
        let mut ends: BTreeMap<&str, &'static str> = BTreeMap::new();
        let mut over: Option<Report> = None;
        // A definition without cycles always has a next step.
        while let Some(name) =
            open.iter().copied().find(|name| needs[name].all.iter().all(|need| !open.contains(need.as_str())))
        {
            open.remove(name);
            let step = &steps[name];
            let mut trace = Trace { step: name.to_owned(), kind: step.kind.clone(), ..Trace::default() };
            let strict = needs[name].all.iter().filter(|need| !needs[name].loose.contains(need));
            let mut missing = strict.filter(|need| ends.get(need.as_str()) != Some(&"succeeded"));
            if over.is_some() {
                trace.status = "cancelled";
            } else if let Some(need) = missing.next() {
                trace.status = "skipped";
                trace.why = Some(format!("step \"{need}\" has no result"));
            } else {
                run_step(self, name, step, &mut trace)?;
            }
            ends.insert(name, trace.status);
            self.note(&trace);
            if trace.status == "failed" {
                match step.on_error {
                    OnError::Fail => over.clone_from(&trace.error),
                    OnError::Continue => {
                        let why = trace.error.as_ref().map_or("", |error| error.detail.as_str());
                        self.warnings.push(format!("Step \"{name}\" has failed: {why}"));
                    }
                }
            }
            traces.push(trace);
        }
        Ok(over)
    }

    /// Puts what a step came to where expressions see it.
    fn note(&mut self, trace: &Trace) {
        let mut seen = json!({ "status": trace.status });
        if let Some(output) = &trace.output {
            seen["output"] = output.clone();
        }
        if let Some(error) = &trace.error {
            seen["error"] = json!(error);
        }
        self.scope["steps"][&trace.step] = seen;
    }
}

/// The needs of a step within its group: handlers see what is there of the other steps, and wait for none.
fn within(needs: Needs, steps: &BTreeMap<String, StepDef>) -> Needs {
    let keep = |names: Vec<String>| names.into_iter().filter(|name| steps.contains_key(name)).collect();
    Needs { all: keep(needs.all), loose: keep(needs.loose) }
}

#[cfg(test)]
mod tests;
