//! Whether each step's `with` is what its kind takes.

use std::{
    collections::BTreeMap,
    sync::{LazyLock, OnceLock},
};

use jsonschema::Validator;
use serde_json::{Map, Value};
use url::Url;

use super::{Problem, draft::Draft, shape};
use crate::workflow::kinds;

/// By kind; each is made when a step needs it first, which takes longer than a check.
static VALIDATORS: LazyLock<BTreeMap<&'static str, OnceLock<Validator>>> =
    LazyLock::new(|| kinds::all().iter().map(|kind| (kind.word, OnceLock::new())).collect());

/// Checks the input of every step whose kind is known.
pub(super) fn check(draft: &Draft, problems: &mut Vec<Problem>) {
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let Some(kind) = kinds::of(&step.kind) else { continue };
            let Some(validator) = VALIDATORS.get(kind.word) else { continue };
            let with = Value::Object(step.with.clone());
            if step.kind == "condition" {
                cases(&step.with, &format!("/{group}/{name}/with/cases"), problems);
            }
            if matches!(step.kind.as_str(), "http" | "callback") {
                address(&step.with, &format!("/{group}/{name}/with/url"), problems);
            }
            if step.kind == "llm" {
                question(&step.with, &format!("/{group}/{name}/with"), problems);
            }
            let validator = validator.get_or_init(|| shape::validator(&kind.with));
            shape::against(validator, &kind.with, &with, &format!("/{group}/{name}/with"), problems);
        }
    }
}

/// An address that is written out must be one that can be asked at all.
fn address(with: &Map<String, Value>, pointer: &str, problems: &mut Vec<Problem>) {
    let Some(text) = with.get("url").and_then(Value::as_str).filter(|text| !text.contains("${")) else { return };
    let message = match Url::parse(text) {
        Ok(url) if !matches!(url.scheme(), "http" | "https") => "must begin with http:// or https://",
        Ok(url) if !url.username().is_empty() || url.password().is_some() => {
            "must not hold a name or a password: send them in a header, from a secret"
        }
        Ok(_) => return,
        Err(_) => "must be a whole address, such as https://example.com/hook",
    };
    problems.push(Problem::new("E_FIELD", pointer, message));
}

/// A model is told what to do, and with what: each in one of two ways.
fn question(with: &Map<String, Value>, pointer: &str, problems: &mut Vec<Problem>) {
    let is_given = |field: &str| match with.get(field) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => field == "input" || !text.trim().is_empty(),
        Some(_) => true,
    };
    for (one, other) in [("system", "prompt"), ("input", "segments")] {
        if !is_given(one) && !is_given(other) {
            let message = format!("one of the fields \"{one}\" and \"{other}\" is needed");
            problems.push(Problem::new("E_FIELD", pointer, message));
        }
    }
}

/// The cases of a condition are its code: they are written out, and nothing is filled into them but their values.
fn cases(with: &Map<String, Value>, pointer: &str, problems: &mut Vec<Problem>) {
    let mut no = |pointer: String, message: &str| problems.push(Problem::new("E_FIELD", pointer, message));
    let Some(cases) = with.get("cases") else { return };
    let Some(cases) = cases.as_array() else { return no(pointer.to_owned(), "must be a list") };
    for (index, case) in cases.iter().enumerate() {
        let pointer = format!("{pointer}/{index}");
        match case.as_object().map(|case| case.get("when")) {
            None => no(pointer, "must be an object"),
            Some(Some(when)) if !when.is_string() => no(format!("{pointer}/when"), "must be a text"),
            Some(_) => {}
        }
    }
}
