//! One simulated step.

use serde_json::{Map, Value, json};

use super::{Item, Left, Play, Trace, made_up::made_up};
use crate::{
    error::{Code, Error, Report, Result},
    workflow::{
        definition::{Foreach, OnItemError, StepDef},
        expr,
        kinds::{self, condition::choose},
        template,
    },
};

/// Runs a step whose needs are there. The error is that of the whole simulation: it takes too much.
pub(super) fn run_step(play: &mut Play<'_>, name: &str, step: &StepDef, trace: &mut Trace) -> Result<()> {
    play.left.look_at_the_clock()?;
    match chosen(step, &play.scope) {
        Ok(true) => {}
        Ok(false) => {
            trace.status = "skipped";
            trace.why = Some("its \"when\" is false".to_owned());
            return Ok(());
        }
        Err(error) => {
            fail(trace, error.report());
            return Ok(());
        }
    }
    let mock = play.mocks.get(name);
    if mock.is_none() && step.kind != "condition" {
        play.warnings.push(format!("Step \"{name}\" has no mock: its output is made up"));
    }
    let Some(list) = &step.foreach else {
        let (with, ended) = one(step, mock, &play.scope, &mut play.left)?;
        trace.with = with;
        match ended {
            Ok(output) => succeed(trace, output),
            Err(report) => fail(trace, report),
        }
        return Ok(());
    };
    match items(list, &play.scope) {
        Ok(items) => run_list(play, step, list, mock, items, trace)?,
        Err(error) => fail(trace, error.report()),
    }
    Ok(())
}

fn succeed(trace: &mut Trace, output: Value) {
    trace.status = "succeeded";
    trace.output = Some(output);
}

fn fail(trace: &mut Trace, report: Report) {
    trace.status = "failed";
    trace.error = Some(report);
}

fn chosen(step: &StepDef, scope: &Value) -> Result<bool> {
    let Some(when) = &step.when else { return Ok(true) };
    match expr::evaluate(when, scope)? {
        Value::Bool(chosen) => Ok(chosen),
        other => Err(Error::new(Code::Expression, format!("`when` is {other}, neither true nor false"))),
    }
}

fn items(list: &Foreach, scope: &Value) -> Result<Vec<Value>> {
    let Value::Array(items) = expr::evaluate(&list.list, scope)? else {
        return Err(Error::new(Code::Expression, format!("`foreach.in` ({}) is no list", list.list)));
    };
    if items.len() > list.limit as usize {
        let detail = format!("The list has {} items; the step's limit is {}", items.len(), list.limit);
        return Err(Error::new(Code::TooLarge, detail));
    }
    Ok(items)
}

fn run_list(
    play: &mut Play<'_>,
    step: &StepDef,
    list: &Foreach,
    mock: Option<&Value>,
    items: Vec<Value>,
    trace: &mut Trace,
) -> Result<()> {
    let mut scope = play.scope.clone();
    let mut ends: Vec<Item> = Vec::new();
    let mut over = false;
    for (index, item) in items.into_iter().enumerate() {
        play.left.look_at_the_clock()?;
        play.left.pay(&item)?;
        if over {
            ends.push(Item { index, item, status: "cancelled", ..Item::default() });
            continue;
        }
        scope[&list.name] = item.clone();
        scope["index"] = json!(index);
        let own = mock.map(|mock| mock.as_array().map_or(mock, |mocks| mocks.get(index).unwrap_or(&Value::Null)));
        let (with, ended) = one(step, own, &scope, &mut play.left)?;
        let mut end = Item { index, item, with, ..Item::default() };
        match ended {
            Ok(output) => (end.status, end.output) = ("succeeded", Some(output)),
            Err(report) => {
                (end.status, end.error) = ("failed", Some(report));
                over = list.on_item_error == OnItemError::Fail;
            }
        }
        ends.push(end);
    }
    let outputs = |ends: &[Item]| ends.iter().filter_map(|end| end.output.clone()).collect::<Vec<_>>();
    let failed: Vec<&Item> = ends.iter().filter(|end| end.status == "failed").collect();
    match (list.on_item_error, failed.first()) {
        (OnItemError::Fail, Some(first)) => {
            if let Some(error) = &first.error {
                fail(trace, error.clone());
            }
        }
        (OnItemError::Fail, None) => succeed(trace, Value::Array(outputs(&ends))),
        (OnItemError::Collect, _) => {
            let told: Vec<Value> =
                failed.iter().map(|end| json!({ "index": end.index, "item": end.item, "error": end.error })).collect();
            succeed(trace, json!({ "ok": outputs(&ends), "failed": told }));
        }
    }
    trace.items = Some(ends);
    Ok(())
}

/// The input of one try, when it could be filled in, and how the try ended.
type Tried = (Option<Value>, Result<Value, Report>);

/// One try: the input as it would be (of a condition, as it is written), and how it ended. What is kept of both is paid for.
fn one(step: &StepDef, mock: Option<&Value>, scope: &Value, left: &mut Left) -> Result<Tried> {
    let (with, ended) = tried(step, mock, scope);
    for kept in with.iter().chain(ended.as_ref().ok()) {
        left.pay(kept)?;
    }
    Ok((with, ended))
}

fn tried(step: &StepDef, mock: Option<&Value>, scope: &Value) -> Tried {
    let written = Value::Object(step.with.clone());
    if mock.is_none() && step.kind == "condition" {
        let output = choose(&step.with, scope).map(|output| json!(output));
        return (Some(written), output.map_err(|error| error.report()));
    }
    let with = match template::fill_at("/with", &written, scope) {
        Ok(with) => with,
        Err(error) => return (None, Err(error.report())),
    };
    let ended = match mock {
        Some(mock) => mocked(mock),
        None => Ok(kinds::of(&step.kind).map_or_else(|| json!({}), |kind| made_up(&kind.output))),
    };
    (Some(with), ended)
}

/// The error that a mock stands for.
fn mocked_error(mock: &Value) -> Option<&Map<String, Value>> {
    mock.as_object().filter(|mock| mock.len() == 1)?.get("error")?.as_object()
}

/// The code of the error that a mock stands for.
pub(super) fn mocked_code(mock: &Value) -> Option<&str> {
    mocked_error(mock)?.get("code")?.as_str()
}

fn mocked(mock: &Value) -> Result<Value, Report> {
    let Some(error) = mocked_error(mock) else { return Ok(mock.clone()) };
    let text = |fields: &Map<String, Value>, name: &str| fields.get(name).and_then(Value::as_str).map(str::to_owned);
    let code = Code::from_word(&text(error, "code").unwrap_or_default());
    let detail = text(error, "detail").unwrap_or_else(|| "As the mock says".to_owned());
    Err(Error::new(code, detail).report())
}
