//! What the language says, refuses and survives.

mod hostile;
mod properties;
mod refused;
mod values;

use serde_json::{Value, json};

use super::evaluate;

/// A scope as a task has it.
fn scope() -> Value {
    json!({
        "params": {
            "target": "zh", "n": 3, "big": 18446744073709551615_u64, "half": 1.5, "flag": true, "nothing": null,
            "callback-url": "https://example.com/in", "list": [1, 2, 3], "words": ["one", "two", "three"],
            "posts": [{"url": "u1", "kind": "video", "likes": 5}, {"url": "u2", "kind": "photo", "likes": 7.5}],
            "map": {"a": 1, "b-c": 2}, "raw": "{\"a\": [1, 2.5, null]}",
        },
        "steps": {
            "text": {"status": "succeeded", "output": {"text": "héllo wörld", "segments": [{"start": 0.0, "end": 2.5}]}},
            "translated": {"status": "skipped"},
            "sentiment": {"status": "failed", "error": {"code": "crash"}},
        },
        "task": {"id": 7, "workflow": "enrich"},
        "post": {"url": "u3"},
        "index": 0,
    })
}

#[track_caller]
fn value(source: &str) -> Value {
    evaluate(source, &scope()).unwrap_or_else(|error| panic!("{source}: {}", error.detail))
}

#[track_caller]
fn failure(source: &str) -> String {
    match evaluate(source, &scope()) {
        Ok(value) => panic!("{source}: {value}"),
        Err(error) => {
            assert_eq!(error.code, crate::error::Code::Expression);
            error.detail
        }
    }
}
