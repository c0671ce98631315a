//! Malformed definitions: what is said about each stands in the snapshot beside this file.

use serde_json::{Value, json};

use super::told;

/// A definition with these steps.
fn steps(steps: Value) -> Value {
    json!({"dsl": 1, "name": "x", "steps": steps})
}

/// A definition with one `http` step that has this field.
fn field(name: &str, value: Value) -> Value {
    let mut step = json!({"use": "http", "with": {"url": "https://x.example"}});
    step[name] = value;
    steps(json!({ "a": step }))
}

/// A definition with this trigger and a parameter `p`.
fn trigger(trigger: Value) -> Value {
    let a = json!({"use": "http", "with": {"url": "https://x.example/${params.p}"}});
    json!({"dsl": 1, "name": "x", "params": {"p": {"type": "string", "default": "d"}}, "triggers": [trigger], "steps": {"a": a}})
}

/// A definition with this parameter.
fn param(param: Value) -> Value {
    let a = json!({"use": "http", "with": {"url": "https://x.example/${params.p}"}});
    json!({"dsl": 1, "name": "x", "params": {"p": param}, "steps": {"a": a}})
}

fn llm(input: &str) -> Value {
    json!({"use": "llm", "with": {"system": "x", "input": input}})
}

fn cases() -> Vec<(&'static str, String)> {
    let http = || json!({"use": "http", "with": {"url": "https://x.example"}});
    let text = json!({"use": "transcribe", "with": {"media": "media:1"}});
    let with = |more: Value| {
        let mut step = http();
        step["with"].as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        steps(json!({ "a": step }))
    };
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let mut list: Vec<(&str, String)> = vec![
        ("no JSON", "{\"dsl\": 1,\n \"name\" 5}".into()),
        ("nothing", String::new()),
        ("more after it", format!("{} x", steps(json!({"a": http()})))),
        ("too deep", format!("{{\"dsl\": {}}}", deep(70))),
        ("too long", " ".repeat(256 * 1024 + 1)),
        ("a key twice", r#"{"dsl":1,"name":"x","steps":{"text":{"use":"http","with":{"url":"https://x.example"}},"text":{"use":"http","with":{"url":"https://x.example"}}}}"#.into()),
    ];
    let values = [
        ("no object", json!([1])),
        ("another version", json!({"dsl": 2, "name": "x", "steps": {"a": http()}})),
        ("a version in words", json!({"dsl": "1", "name": "x", "steps": {"a": http()}})),
        ("no steps", json!({"dsl": 1, "name": "x"})),
        ("empty steps", steps(json!({}))),
        ("a bad name", json!({"dsl": 1, "name": "Über", "steps": {"a": http()}})),
        ("a name of the API", json!({"dsl": 1, "name": "kinds", "steps": {"a": http()}})),
        ("a bad step's name", steps(json!({"A-b": http()}))),
        ("a field misspelt", field("tiemout", json!("5m"))),
        ("a field at the top misspelt", json!({"dsl": 1, "name": "x", "step": {}, "steps": {"a": http()}})),
        ("a kind unknown", steps(json!({"x": {"use": "shell"}}))),
        ("a kind misspelt", steps(json!({"x": {"use": "dowload"}}))),
        ("a program without a name", steps(json!({"x": {"use": "exec:"}}))),
        ("no kind", steps(json!({"x": {"with": {}}}))),
        ("a step misspelt", steps(json!({"text": text, "summary": llm("${steps.txet.output.text}")}))),
        ("an output misspelt", steps(json!({"text": text, "summary": llm("${steps.text.output.txt}")}))),
        ("a part of a step misspelt", steps(json!({"text": text, "summary": llm("${steps.text.ouput.text}")}))),
        ("after a step that is not there", field("after", json!(["b"]))),
        ("a root unknown", steps(json!({"a": llm("${parms.p}")}))),
        (
            "a circle",
            steps(json!({"text": llm("${steps.summary.output.text}"), "summary": llm("${steps.text.output.text}")})),
        ),
        (
            "a circle by order",
            steps(json!({"a": {"use": "http", "with": {"url": "https://x.example"}, "after": ["b"]},
            "b": {"use": "http", "with": {"url": "https://x.example"}, "after": ["a"]}})),
        ),
        ("a step that waits for itself", steps(json!({"a": llm("${steps.a.output.text}")}))),
        ("an expression that ends too early", steps(json!({"a": llm("${size(params}")}))),
        ("an expression without its end", steps(json!({"a": llm("${params")}))),
        ("an expression in a template where it stands bare", field("when", json!("${task.id > 0}"))),
        ("a template inside of an expression", field("when", json!("task.workflow == 'a${params.p}'"))),
        ("a list in a template", field("foreach", json!({"in": "${[1]}"}))),
        (
            "cases in templates",
            steps(json!({"a": {"use": "condition", "with": {"cases": "${params.cases}"}},
            "b": {"use": "condition", "with": {"cases": ["${params.case}", {"when": "'${task.id}' == '0'"}, {"when": ["${task.id}"]}]}}})),
        ),
        ("an empty expression", field("when", json!(""))),
        ("a parameter not declared", steps(json!({"a": llm("${params.lang}")}))),
        ("a parameter's type unknown", param(json!({"type": "date"}))),
        ("a default of another type", param(json!({"type": "integer", "default": "3"}))),
        ("a default not allowed", param(json!({"type": "string", "enum": ["a", "b"], "default": "c"}))),
        ("a default too long", param(json!({"type": "string", "max_length": 2, "default": "abc"}))),
        ("a length of a number", param(json!({"type": "integer", "max_length": 2, "default": 1}))),
        ("a secret in the output", json!({"dsl": 1, "name": "x", "steps": {"a": http()}, "output": "${secrets.key}"})),
        ("a secret where none may be", steps(json!({"a": llm("${secrets.key}")}))),
        ("a secret in a condition", field("when", json!("secrets.key == 'x'"))),
        ("a secret in a sentence", with(json!({"headers": {"X": "${lower(secrets.key)}"}}))),
        ("a key of a service", with(json!({"headers": {"Authorization": "Bearer sk-abcDEF1234567890abcdef"}}))),
        ("a key that looks like one", with(json!({"headers": {"X-Key": "b7Gq2Zx9Lm4Kp8Rt1Vw6Yc3N"}}))),
        (
            "a signing key",
            steps(
                json!({"a": {"use": "callback", "with": {"url": "https://x.example", "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}}}),
            ),
        ),
        (
            "an address from a transcript",
            steps(json!({"text": text, "tell": {"use": "callback", "with": {"url": "${steps.text.output.text}"}}})),
        ),
        (
            "a host from a transcript",
            steps(
                json!({"text": text, "ask": {"use": "http", "with": {"url": "https://${steps.text.output.text}.example/"}}}),
            ),
        ),
        (
            "an address from a list of a step",
            steps(json!({"text": text, "ask": {"use": "http",
            "foreach": {"in": "steps.text.output.segments"}, "with": {"url": "${item.text}"}}})),
        ),
        (
            "hosts that only look as if they were written out",
            steps(json!({"text": text,
            "a": {"use": "http", "with": {"url": "https:/${'/'}${steps.text.output.text}"}},
            "b": {"use": "http", "with": {"url": "https://${''}/${steps.text.output.text}"}},
            "c": {"use": "http", "with": {"url": "https://x.example@${steps.text.output.text}/"}},
            "d": {"use": "http", "with": {"url": "https://x.example\\@${steps.text.output.text}/"}},
            "fine": {"use": "http", "with": {"url": "https://x.example:8080/${steps.text.output.text}"}}})),
        ),
        (
            "instructions from a transcript",
            steps(json!({"text": text, "ask": {"use": "llm", "with": {"prompt": "${steps.text.output.text}",
            "variables": {"language": "${steps.text.output.language}"}, "json_schema": "${steps.text.output.segments[0]}"}}})),
        ),
        (
            "another workflow as a step says",
            steps(json!({"text": text, "call": {"use": "workflow", "with": {"name": "${steps.text.output.text}",
            "params": {"link": "${steps.text.output.text}", "callback_url": "${steps.text.output.text}"}}}})),
        ),
        (
            "an address from an event",
            json!({"dsl": 1, "name": "x", "params": {"callback_url": {"type": "url"}},
            "triggers": [{"event": "media.created", "params": {"callback_url": "${event.media.title}"}},
                {"event": "media.created", "params": {"callback_url": "${event.task.params.callback_url}"}}],
            "steps": {"a": {"use": "callback", "with": {"url": "${params.callback_url}"}}}}),
        ),
        (
            "an event's fields misspelt",
            trigger(
                json!({"event": "media.created", "when": "event.tipe == 'x'", "params": {"p": "${event.media.titel}"}}),
            ),
        ),
        ("an hour that is none", trigger(json!({"cron": "0 25 * * *"}))),
        ("six fields", trigger(json!({"cron": "0 0 0 * * *"}))),
        ("a time table in words", trigger(json!({"cron": "every day at nine o'clock"}))),
        ("a zone misspelt", trigger(json!({"cron": "0 0 * * *", "tz": "Asia/Shanghia"}))),
        ("a trigger that is none", trigger(json!({"at": "noon"}))),
        ("an event that is none", trigger(json!({"event": "media.deleted"}))),
        ("a trigger with a parameter too many", trigger(json!({"cron": "0 0 * * *", "params": {"q": 1}}))),
        ("a trigger with a wrong value", trigger(json!({"cron": "0 0 * * *", "params": {"p": 1}}))),
        ("an event where none comes", trigger(json!({"cron": "0 0 * * *", "params": {"p": "${event.media_id}"}}))),
        (
            "too many triggers",
            json!({"dsl": 1, "name": "x", "triggers": vec![json!({"cron": "0 0 * * *"}); 9], "steps": {"a": http()}}),
        ),
        ("no time at all", field("timeout", json!("0s"))),
        ("too much time", field("deadline", json!("99999999d"))),
        ("another scheme", steps(json!({"a": {"use": "http", "with": {"url": "ftp://x.example/"}}}))),
        ("no address", steps(json!({"a": {"use": "callback", "with": {"url": "hook"}}}))),
        (
            "a password in an address",
            steps(json!({"a": {"use": "http", "with": {"url": "https://me:word@x.example/"}}})),
        ),
        ("minutes in words", field("timeout", json!("5 minutes"))),
        ("half an hour", field("delay", json!("1.5h"))),
        ("a time in words", field("deadline", json!("soon"))),
        ("a number for a time", field("timeout", json!(300))),
        ("too many tries", field("retry", json!({"max": 51}))),
        ("a class unknown", field("retry", json!({"on": ["timeouts"]}))),
        ("on_error misspelt", field("on_error", json!("contniue"))),
        ("too parallel", field("foreach", json!({"in": "[1]", "parallel": 65}))),
        ("a list too long", field("foreach", json!({"in": "[1]", "limit": 10_001}))),
        ("an item that hides the steps", field("foreach", json!({"in": "[1]", "as": "steps"}))),
        (
            "an item outside of its step",
            steps(
                json!({"a": {"use": "llm", "foreach": {"in": "[1]", "as": "post"}, "with": {"system": "x", "input": "${post}"}},
            "b": llm("${post.url} ${steps.a.output[0].text}")}),
            ),
        ),
        (
            "a field of a list",
            steps(
                json!({"a": {"use": "llm", "foreach": {"in": "[1]"}, "with": {"system": "x", "input": "${item}"}}, "b": llm("${steps.a.output.text}")}),
            ),
        ),
        (
            "a step of on_error",
            json!({"dsl": 1, "name": "x", "steps": {"a": llm("${steps.tell.output.delivery_id}")},
            "on_error": {"tell": {"use": "callback", "with": {"url": "https://x.example", "data": "${task.error.code}"}}}}),
        ),
        ("the error where there is none", steps(json!({"a": llm("${task.error.code}")}))),
        ("a name in both groups", json!({"dsl": 1, "name": "x", "steps": {"a": http()}, "on_error": {"a": http()}})),
        ("itself for ever", steps(json!({"again": {"use": "workflow", "with": {"name": "x"}}}))),
        ("an input misspelt", steps(json!({"a": {"use": "llm", "with": {"inptu": "x"}}}))),
        (
            "a model that is told nothing",
            steps(
                json!({"a": {"use": "llm"}, "b": {"use": "llm", "with": {"system": " ", "prompt": null, "input": ""}},
            "c": {"use": "llm", "with": {"prompt": "summary", "segments": null}}}),
            ),
        ),
        ("an input of another type", steps(json!({"a": {"use": "resolve", "with": {"link": 5}}}))),
        (
            "no place for anything",
            json!({"dsl": 3, "name": "", "title": 5, "params": {"P": {"type": "x"}}, "triggers": {}, "steps": {"a": 5}, "on_error": {}, "deadline": "x", "max_active_runs": 0, "more": 1}),
        ),
    ];
    list.extend(values.map(|(name, value)| (name, value.to_string())));
    list
}

#[test]
fn each_has_its_message() {
    let mut text = String::new();
    for (name, source) in cases() {
        let found = told(&source);
        assert!(found.iter().any(|line| line.starts_with("E_")), "{name} is taken");
        text.push_str(&format!("# {name}\n{}\n\n", found.join("\n")));
    }
    insta::assert_snapshot!(text);
}
