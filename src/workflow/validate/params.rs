//! Parameters: their defaults, and what triggers give them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::{Problem, below, draft::Draft, is_open, shown};
use crate::{
    domain::options::nearest,
    workflow::{
        cron,
        definition::{Param, ParamType, Trigger},
    },
};

/// What is said about parameters that are given, by their names.
pub(super) struct Words<'a> {
    /// Of one that there is not.
    pub undeclared: &'a dyn Fn(&str) -> String,
    /// Of one that is not given.
    pub missing: &'a dyn Fn(&str) -> String,
}

/// Checks what parameters say of themselves, and the triggers.
pub(super) fn check(draft: &Draft, problems: &mut Vec<Problem>) {
    for (name, param) in &draft.params {
        let Some(param) = param else { continue };
        let pointer = format!("/params/{name}");
        let mut add = |field: &str, message: String| {
            problems.push(Problem::new("E_PARAM", format!("{pointer}/{field}"), message));
        };
        for value in param.allowed.iter().flatten().filter(|value| !param.kind.fits(value)) {
            add("enum", format!("{} is not of type {}", short(value), word(param.kind)));
        }
        if let Some(why) = param.default.as_ref().and_then(|value| wrong(param, value)) {
            add("default", why);
        }
        if param.max_length.is_some() && !matches!(param.kind, ParamType::String | ParamType::Url) {
            add("max_length", format!("is for texts, not for type {}", word(param.kind)));
        }
    }
    for (index, trigger) in draft.triggers.iter().enumerate() {
        let pointer = format!("/triggers/{index}");
        match trigger {
            Some(Trigger::Cron(trigger)) => {
                let mut add = |field: &str, result: Result<(), String>| {
                    let why = result.err();
                    problems.extend(why.map(|why| Problem::new("E_CRON", format!("{pointer}/{field}"), why)));
                };
                add("cron", cron::check(&trigger.cron, "UTC"));
                add("tz", trigger.tz.as_ref().map_or(Ok(()), |zone| cron::check("* * * * *", zone)));
                given(&draft.params, &trigger.params, &pointer, &OF_TRIGGER, problems);
            }
            Some(Trigger::Event(trigger)) => given(&draft.params, &trigger.params, &pointer, &OF_TRIGGER, problems),
            None => {}
        }
    }
}

const OF_TRIGGER: Words<'static> = Words {
    undeclared: &|name| format!("params.{name} is not declared"),
    missing: &|name| format!("the trigger gives no \"{name}\", which has no default"),
};

/// Checks the parameters that something at `pointer` gives to a workflow that has declared some.
pub(super) fn given(
    declared: &BTreeMap<String, Option<Param>>,
    params: &Map<String, Value>,
    pointer: &str,
    words: &Words<'_>,
    problems: &mut Vec<Problem>,
) {
    for (name, value) in params {
        let pointer = below(&format!("{pointer}/params"), name);
        match declared.get(name) {
            None => {
                let meant = nearest(name, declared.keys().map(String::as_str));
                let message = (words.undeclared)(&shown(name));
                problems.push(Problem::new("E_PARAM", pointer, message).or(meant));
            }
            Some(Some(param)) if !is_open(value) => {
                problems.extend(wrong(param, value).map(|why| Problem::new("E_PARAM", pointer, why)));
            }
            Some(_) => {}
        }
    }
    for (name, param) in declared {
        if param.as_ref().is_some_and(|param| param.default.is_none()) && !params.contains_key(name) {
            problems.push(Problem::new("E_PARAM", pointer, (words.missing)(&shown(name))));
        }
    }
}

/// Why a value is none for a parameter.
fn wrong(param: &Param, value: &Value) -> Option<String> {
    if !param.kind.fits(value) {
        return Some(format!("{} is not of type {}", short(value), word(param.kind)));
    }
    if let Some(allowed) = param.allowed.as_ref().filter(|allowed| !allowed.contains(value)) {
        return Some(format!("{} is none of {}", short(value), short(&Value::Array(allowed.clone()))));
    }
    let length = value.as_str().map_or(0, |text| text.chars().count());
    let most = param.max_length.filter(|most| length > *most)?;
    Some(format!("{length} characters; at most {most} are allowed"))
}

fn word(kind: ParamType) -> String {
    json!(kind).as_str().unwrap_or_default().to_owned()
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 { text } else { format!("{}…", text.chars().take(80).collect::<String>()) }
}
