//! Checks a definition whole: every problem at once, each with its place and, where one can be guessed, the remedy.

use serde_json::Value;

use super::{
    Definition, kinds,
    plan::{NeedsError, kind_of, plan},
    template,
};
use crate::{
    domain::options::nearest,
    error::{Code, Error, Result},
};

/// The largest definition, in bytes.
const MAX_BYTES: usize = 256 * 1024;
/// The most steps.
const MAX_STEPS: usize = 100;
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

const TOP_FIELDS: [&str; 10] =
    ["dsl", "name", "title", "params", "triggers", "steps", "on_error", "output", "deadline", "max_active_runs"];
const STEP_FIELDS: [&str; 10] =
    ["use", "with", "when", "after", "foreach", "retry", "delay", "timeout", "deadline", "on_error"];
const PARAM_FIELDS: [&str; 5] = ["type", "default", "enum", "description", "max_length"];
const RETRY_FIELDS: [&str; 6] = ["max", "first", "factor", "cap", "on", "not"];

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// A stable word such as `E_REF`.
    pub code: &'static str,
    /// Where it is, as a JSON Pointer.
    pub pointer: String,
    /// What is wrong.
    pub message: String,
}

/// Reads and checks a definition.
pub fn parse(text: &str) -> Result<Definition> {
    let problems = match check(text) {
        Ok(definition) => return Ok(definition),
        Err(problems) => problems,
    };
    let lines: Vec<String> = problems.iter().map(|p| format!("{} {}: {}", p.code, p.pointer, p.message)).collect();
    Err(Error::new(Code::InvalidWorkflow, lines.join("; ")))
}

/// Reads a definition or lists everything that is wrong with it.
pub fn check(text: &str) -> Result<Definition, Vec<Problem>> {
    let problem = |code, message: String| vec![Problem { code, pointer: "/".to_owned(), message }];
    if text.len() > MAX_BYTES {
        return Err(problem("E_LIMIT", "a definition has at most 256 KiB".to_owned()));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| problem("E_JSON", error.to_string()))?;
    let mut problems = Vec::new();
    check_fields(&value, &mut problems);
    if !problems.is_empty() {
        return Err(problems);
    }
    let definition: Definition =
        serde_json::from_value(value).map_err(|error| problem("E_FIELD", error.to_string()))?;
    check_meaning(&definition, &mut problems);
    if problems.is_empty() { Ok(definition) } else { Err(problems) }
}

fn check_fields(value: &Value, problems: &mut Vec<Problem>) {
    let fields = |value: &Value, pointer: String, known: &[&str], problems: &mut Vec<Problem>| match value.as_object() {
        Some(object) => {
            for name in object.keys().filter(|name| !known.contains(&name.as_str())) {
                let suggestion = nearest(name, known.iter().copied())
                    .map_or_else(String::new, |best| format!("; did you mean \"{best}\"?"));
                let message = format!("unknown field \"{}\"{suggestion}", name.escape_debug());
                problems.push(Problem { code: "E_FIELD", pointer: pointer.clone(), message });
            }
        }
        None => problems.push(Problem { code: "E_FIELD", pointer, message: "must be an object".to_owned() }),
    };
    fields(value, "/".to_owned(), &TOP_FIELDS, problems);
    for (group, known) in [("params", &PARAM_FIELDS[..]), ("steps", &STEP_FIELDS[..])] {
        let Some(members) = value.get(group).and_then(Value::as_object) else { continue };
        for (name, member) in members {
            fields(member, format!("/{group}/{name}"), known, problems);
            if let Some(retry) = member.get("retry").filter(|_| group == "steps") {
                fields(retry, format!("/steps/{name}/retry"), &RETRY_FIELDS, problems);
            }
        }
    }
}

fn check_meaning(definition: &Definition, problems: &mut Vec<Problem>) {
    let mut add = |code, pointer: String, message: String| problems.push(Problem { code, pointer, message });
    if definition.dsl != 1 {
        add("E_DSL", "/dsl".to_owned(), format!("{} is not supported (this server: 1)", definition.dsl));
    }
    if !is_id(&definition.name, true) {
        add("E_FIELD", "/name".to_owned(), "a name has up to 63 of a-z, 0-9, - and _ and starts with a letter".into());
    }
    if definition.steps.is_empty() || definition.steps.len() > MAX_STEPS {
        add("E_LIMIT", "/steps".to_owned(), format!("a workflow has 1 to {MAX_STEPS} steps"));
    }
    for (name, step) in &definition.steps {
        if !is_id(name, false) {
            add("E_FIELD", format!("/steps/{name}"), "a step's name has up to 63 of a-z, 0-9 and _".to_owned());
        }
        if kind_of(&step.kind).is_none() {
            let message = format!("unknown kind \"{}\"; kinds: {}", step.kind.escape_debug(), KINDS.join(", "));
            add("E_KIND", format!("/steps/{name}/use"), message);
        }
        if let Some(retry) = step.retry.as_ref().filter(|r| r.max > 50 || !(1.0..=10.0).contains(&r.factor)) {
            let message = format!("max is at most 50 and factor 1 to 10, not {} and {}", retry.max, retry.factor);
            add("E_LIMIT", format!("/steps/{name}/retry"), message);
        }
        for other in step.after.iter().filter(|other| !definition.steps.contains_key(*other)) {
            add("E_REF", format!("/steps/{name}/after"), no_step(definition, other));
        }
    }
    let mut found = Vec::new();
    for (name, step) in &definition.steps {
        template::references(&Value::Object(step.with.clone()), &format!("/steps/{name}/with"), &mut found);
    }
    if let Some(output) = &definition.output {
        template::references(output, "/output", &mut found);
    }
    for (pointer, reference) in found {
        if let Err((code, message)) =
            reference.map_err(|m| ("E_EXPR", m)).and_then(|path| check_path(definition, &path.path))
        {
            add(code, pointer, message);
        }
    }
    if problems.is_empty()
        && let Err(NeedsError::Cycle(names)) = plan(definition)
    {
        problems.push(Problem { code: "E_CYCLE", pointer: "/steps".to_owned(), message: names.join(" → ") });
    }
}

fn check_path(definition: &Definition, path: &[String]) -> Result<(), (&'static str, String)> {
    let parts: Vec<&str> = path.iter().map(String::as_str).collect();
    match parts.as_slice() {
        ["params", name, ..] if definition.params.contains_key(*name) => Ok(()),
        ["params", name, ..] => Err(("E_PARAM", format!("params.{name} is not declared"))),
        ["task", "id" | "workflow" | "revision", ..] => Ok(()),
        ["steps", name, "output", rest @ ..] => match definition.steps.get(*name) {
            None => Err(("E_REF", no_step(definition, name))),
            Some(step) => check_output(&step.kind, rest),
        },
        ["steps", name, ..] if !definition.steps.contains_key(*name) => Err(("E_REF", no_step(definition, name))),
        _ => Err(("E_REF", format!("\"{}\" is none of params.NAME, steps.NAME.output…, task.id", path.join(".")))),
    }
}

fn check_output(kind: &str, rest: &[&str]) -> Result<(), (&'static str, String)> {
    let known = kinds::of(kind).map_or(&[][..], |kind| &kind.outputs);
    match rest.first() {
        Some(field) if !known.is_empty() && !known.iter().any(|name| name == field) => {
            Err(("E_REF_FIELD", format!("{kind} has no output \"{field}\"; fields: {}", known.join(", "))))
        }
        _ => Ok(()),
    }
}

fn no_step(definition: &Definition, name: &str) -> String {
    let suggestion = nearest(name, definition.steps.keys().map(String::as_str))
        .map_or_else(String::new, |best| format!("; did you mean \"{best}\"?"));
    format!("no step \"{}\"{suggestion}", name.escape_debug())
}

fn is_id(name: &str, dash: bool) -> bool {
    name.len() <= 63
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || (dash && c == '-'))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn problems(value: Value) -> Vec<String> {
        check(&value.to_string())
            .err()
            .unwrap_or_default()
            .iter()
            .map(|p| format!("{} {}: {}", p.code, p.pointer, p.message))
            .collect()
    }

    #[test]
    fn the_shipped_workflow_is_valid() {
        Definition::parse(include_str!("../../workflows/transcribe.json")).unwrap();
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let told = problems(json!({"dsl": 2, "name": "x", "steps": {
            "a": {"use": "shell", "with": {"x": "${params.lang}"}},
            "b": {"use": "transcribe", "with": {"media": "${steps.aa.output.file}", "y": "${"}, "after": ["c"]},
            "d": {"use": "download", "with": {"from": "${steps.b.output.txt}"}}}}));
        assert_eq!(
            told,
            [
                "E_DSL /dsl: 2 is not supported (this server: 1)",
                "E_KIND /steps/a/use: unknown kind \"shell\"; kinds: resolve, download, transcribe, subtitle, llm, http, callback, condition, workflow, exec:<name>",
                "E_REF /steps/b/after: no step \"c\"",
                "E_PARAM /steps/a/with/x: params.lang is not declared",
                "E_REF /steps/b/with/media: no step \"aa\"; did you mean \"a\"?",
                "E_EXPR /steps/b/with/y: \"${\" without its \"}\"",
                "E_REF_FIELD /steps/d/with/from: transcribe has no output \"txt\"; fields: transcript_id, text, \
                 language, duration, segments, model, zh, inference_ms, cached, warnings",
            ]
        );
    }

    #[test]
    fn shapes_are_checked() {
        let step = json!({"use": "resolve"});
        assert_eq!(
            problems(json!({"dsl": 1, "name": "x", "steps": {"a": {"use": "resolve", "tiemout": "5s"}}})),
            ["E_FIELD /steps/a: unknown field \"tiemout\"; did you mean \"timeout\"?"]
        );
        assert_eq!(
            problems(json!({"dsl": 1, "name": "x", "steps": {
                "a": {"use": "resolve", "after": ["b"]}, "b": {"use": "resolve", "after": ["a"]}}})),
            ["E_CYCLE /steps: a → b → a"]
        );
        for bad in [
            json!([]),
            json!({"dsl": 1, "name": "X", "steps": {"a": step}}),
            json!({"dsl": 1, "name": "x", "steps": {}}),
            json!({"dsl": 1, "name": "x", "steps": {"a": {"use": "resolve", "timeout": "5 minutes"}}}),
            json!({"dsl": 1, "name": "x", "steps": {"a": {"use": "resolve", "retry": {"max": 51}}}}),
            json!({"dsl": 1, "name": "x", "params": {"p": {"type": "date"}}, "steps": {"a": step}}),
        ] {
            assert!(!problems(bad.clone()).is_empty(), "{bad}");
        }
        assert!(check("{").is_err());
        assert!(check(&" ".repeat(MAX_BYTES + 1)).is_err());
    }
}
