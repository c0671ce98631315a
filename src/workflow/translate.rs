//! From the upper-case JSON of the README era to a definition.
//!
//! What has no counterpart is told: in a warning where nothing is lost that matters, as an error where a task would not do
//! what was meant.

mod components;
mod conditions;

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use self::{
    components::{kind_of, settle},
    conditions::branches,
};
use crate::error::{Code, Error, Result};

/// A definition that was translated; it is still to be checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Translated {
    /// The definition.
    pub definition: Value,
    /// What was left out.
    pub warnings: Vec<String>,
}

/// The names of the steps that tell a `CALLBACK_URL`, well and badly.
const CALLBACKS: [&str; 2] = ["callback_completed", "callback_failed"];

/// Translates one. `programs` are the names of the operator's programs: a `COMPONENT` may be one of them.
///
/// # Errors
/// With `invalid_workflow` when a field that must be there is not, or something cannot be said in our language.
pub fn translate(given: &Value, programs: &[String]) -> Result<Translated> {
    let title = text(given, "WORKFLOW_NAME")?;
    let tasks = given.get("tasks").or_else(|| given.get("TASKS")).and_then(Value::as_array);
    let tasks = tasks.ok_or_else(|| refused("/tasks", "field \"tasks\" is missing"))?;
    let mut warnings = Vec::new();
    let mut names = BTreeMap::new();
    for (index, task) in tasks.iter().enumerate() {
        let old = text(task, "TASK_ID").map_err(|error| below(error, index))?;
        let name = slug(old, '_');
        if names.values().any(|known| *known == name) {
            return Err(refused(&format!("/tasks/{index}/TASK_ID"), &format!("\"{old}\" appears twice")));
        }
        names.insert(old.to_owned(), name);
    }
    let told = given.get("CALLBACK_URL").and_then(Value::as_str).filter(|url| !url.is_empty());
    if let Some(name) = CALLBACKS.iter().find(|name| told.is_some() && names.values().any(|known| known == *name)) {
        return Err(refused("/tasks", &format!("TASK_ID \"{name}\" is the name of the step for CALLBACK_URL")));
    }
    let mut steps = Map::new();
    for (index, task) in tasks.iter().enumerate() {
        let (name, step) = step(task, &names, programs, &mut warnings).map_err(|error| below(error, index))?;
        steps.insert(name, step);
    }
    for (index, task) in tasks.iter().enumerate() {
        let when = branches(task, &names).map_err(|error| below(error, index))?;
        for (name, when) in when {
            let step = steps.get_mut(&name).ok_or_else(|| refused("/tasks", &format!("no task \"{name}\"")))?;
            step["when"] = match step.get("when").and_then(Value::as_str) {
                Some(other) => json!(format!("({other}) && ({when})")),
                None => json!(when),
            };
        }
    }
    let needs_link = settle(&mut steps);
    let mut definition = json!({ "dsl": 1, "name": slug(title, '-'), "title": shown(title, given) });
    if needs_link {
        definition["params"] = json!({ "link": { "type": "url" } });
    }
    if let Some(triggers) = triggers(given, needs_link)? {
        definition["triggers"] = triggers;
    }
    let leaves: Vec<String> = steps.keys().cloned().collect();
    definition["steps"] = Value::Object(steps);
    if let Some(url) = told {
        let tell = |data: Value| json!({ "use": "callback", "with": { "url": url, "data": data } });
        let mut last = tell(json!({ "workflow": "${task.workflow}", "task_id": "${task.id}", "status": "SUCCESS" }));
        last["after"] = json!(leaves);
        definition["steps"][CALLBACKS[0]] = last;
        let failed = json!({
            "workflow": "${task.workflow}", "task_id": "${task.id}", "status": "FAILED", "error": "${task.error}",
        });
        definition["on_error"] = json!({ CALLBACKS[1]: tell(failed) });
    }
    if given.get("NOTIFY_ON_COMPLETION").is_some_and(|notify| !notify.is_null()) {
        return Err(refused("/NOTIFY_ON_COMPLETION", "there are no channels here: use CALLBACK_URL"));
    }
    Ok(Translated { definition, warnings })
}

fn step(
    task: &Value,
    names: &BTreeMap<String, String>,
    programs: &[String],
    warnings: &mut Vec<String>,
) -> Result<(String, Value)> {
    let old = text(task, "TASK_ID")?;
    let mut step = json!({ "use": kind_of(text(task, "COMPONENT")?, programs) });
    let with = match task.get("PARAMETERS") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(fields)) => fields.clone(),
        Some(_) => return Err(refused("/PARAMETERS", "must be an object")),
    };
    step["with"] = Value::Object(with);
    let after = after(task, names)?;
    if !after.is_empty() {
        step["after"] = json!(after);
    }
    if let Some(policy) = task.get("RETRY_POLICY").filter(|policy| !policy.is_null()) {
        let number = |name: &str| match policy.get(name).map(Value::as_u64) {
            None => Ok(None),
            Some(Some(number)) => Ok(Some(number)),
            Some(None) => Err(refused(&format!("/RETRY_POLICY/{name}"), "must be a whole number")),
        };
        let mut retry = json!({ "max": number("max_retries")?.unwrap_or(3), "factor": 1 });
        if let Some(seconds) = number("interval")? {
            retry["first"] = json!(format!("{seconds}s"));
        }
        step["retry"] = retry;
    }
    for (old, new) in [("TIMEOUT", "timeout"), ("DELAY", "delay")] {
        match task.get(old).map(|seconds| (seconds, seconds.as_u64())) {
            None | Some((Value::Null, _)) => {}
            Some((_, Some(seconds))) => step[new] = json!(format!("{seconds}s")),
            Some(_) => return Err(refused(&format!("/{old}"), "must be a whole number of seconds")),
        }
    }
    if task.get("PRIORITY").and_then(Value::as_str).is_some_and(|priority| priority != "NORMAL") {
        warnings.push(format!("PRIORITY of task \"{old}\" is left out: tasks have a priority, their steps have none"));
    }
    Ok((names[old].clone(), step))
}

/// The steps that a task names in `DEPENDENCIES`.
fn after<'a>(task: &Value, names: &'a BTreeMap<String, String>) -> Result<Vec<&'a str>> {
    let Some(given) = task.get("DEPENDENCIES").filter(|given| !given.is_null()) else { return Ok(Vec::new()) };
    let given = given.as_array().ok_or_else(|| refused("/DEPENDENCIES", "must be a list of TASK_IDs"))?;
    let step = |old: &'_ Value| {
        let found = old.as_str().and_then(|old| names.get(old));
        found.map(String::as_str).ok_or_else(|| refused("/DEPENDENCIES", &format!("no task {old}")))
    };
    given.iter().map(step).collect()
}

/// What starts it. `needs_link`: whether a task of it must have a link.
fn triggers(given: &Value, needs_link: bool) -> Result<Option<Value>> {
    let field = |names: [&str; 3]| names.into_iter().find_map(|name| given.get(name).and_then(Value::as_str));
    match given.get("TRIGGER_TYPE").and_then(Value::as_str) {
        Some("MANUAL") => Ok(None),
        Some("SCHEDULED") => {
            let cron = field(["CRON", "CRON_EXPRESSION", "SCHEDULE"]);
            let cron = cron.ok_or_else(|| {
                refused("/TRIGGER_TYPE", "E_CRON: SCHEDULED needs a time table: add \"CRON\": \"0 9 * * *\"")
            })?;
            match needs_link {
                true => Err(refused("/tasks", "SCHEDULED needs a link: add \"url\" to the PARAMETERS of a task")),
                false => Ok(Some(json!([{ "cron": cron }]))),
            }
        }
        Some("EVENT") => {
            let event = field(["EVENT", "EVENT_TYPE", "EVENT_NAME"]);
            let hint = "EVENT needs one: add \"EVENT\": \"media.created\", \"transcript.created\" or \"task.failed\"";
            let event = event.ok_or_else(|| refused("/TRIGGER_TYPE", hint))?;
            let mut trigger = json!({ "event": event });
            if needs_link {
                let link = if event == "task.failed" { "${event.task.link}" } else { "media:${event.media.id}" };
                trigger["params"] = json!({ "link": link });
            }
            Ok(Some(json!([trigger])))
        }
        _ => Err(refused("/TRIGGER_TYPE", "must be MANUAL, SCHEDULED or EVENT")),
    }
}

/// The title with what is said about it, as far as there is room.
fn shown(title: &str, given: &Value) -> String {
    let about = given.get("DESCRIPTION").and_then(Value::as_str).filter(|about| !about.is_empty());
    let whole = about.map_or_else(|| title.to_owned(), |about| format!("{title}: {about}"));
    whole.chars().take(200).collect()
}

fn text<'a>(object: &'a Value, field: &str) -> Result<&'a str> {
    let found = object.get(field).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    found.ok_or_else(|| refused(&format!("/{field}"), &format!("field \"{field}\" is missing")))
}

fn refused(pointer: &str, why: &str) -> Error {
    Error::new(Code::InvalidWorkflow, format!("{pointer}: {why}")).with_field(pointer)
}

/// The error of a task, with its place.
fn below(mut error: Error, index: usize) -> Error {
    error.detail = format!("/tasks/{index}{}", error.detail);
    error.field = error.field.map(|field| format!("/tasks/{index}{field}"));
    error
}

/// A name as our language has them: `Video Workflow!` → `video-workflow`. What has no letter of ours gets a number.
fn slug(name: &str, dash: char) -> String {
    let mut slug = String::new();
    for c in name.trim().to_lowercase().chars() {
        match c {
            'a'..='z' | '0'..='9' | '_' => slug.push(c),
            _ if !slug.ends_with(dash) && !slug.is_empty() => slug.push(dash),
            _ => {}
        }
    }
    let slug: String = slug.trim_end_matches(dash).chars().take(50).collect();
    if slug.starts_with(|c: char| c.is_ascii_lowercase()) {
        return slug;
    }
    let hash = Sha256::digest(name).iter().take(4).map(|byte| format!("{byte:02x}")).collect::<String>();
    format!("w{dash}{hash}")
}

#[cfg(test)]
mod tests;
