//! What goes wrong at the other side, and what steps ask for that cannot be.

use std::time::Duration;

use super::*;
use crate::error::{Class, Code};

#[tokio::test]
async fn refusals_are_told_apart() {
    let server = LlmServer::start().await;
    let stage = Stage::new(&server.url, "");
    for (say, code, class, retryable, hint) in [
        (
            Say::Error(401, "bad key sk-geheim", "invalid_api_key", None),
            Code::LlmDenied,
            Class::Forbidden,
            false,
            "llm.api_key",
        ),
        (
            Say::Error(404, "no such model", "model_not_found", None),
            Code::Config,
            Class::InvalidInput,
            false,
            "llm.model",
        ),
        (
            Say::Error(429, "slow down", "rate_limit_exceeded", Some("7")),
            Code::RateLimited,
            Class::RateLimited,
            true,
            "requests_per_minute",
        ),
        (Say::Error(429, "pay", "insufficient_quota", None), Code::LlmDenied, Class::Forbidden, false, "account"),
        (
            Say::Error(400, "too much", "context_length_exceeded", None),
            Code::TooLarge,
            Class::TooLarge,
            false,
            "context_tokens",
        ),
        (Say::Error(503, "overloaded", "server_error", Some("3")), Code::LlmUnavailable, Class::Unavailable, true, ""),
        (Say::Raw(200, b"<html>".to_vec()), Code::LlmAnswer, Class::Unavailable, true, ""),
        (
            Say::Raw(200, b"{\"choices\":[{\"message\":{\"content\":[1]}}]}".to_vec()),
            Code::LlmAnswer,
            Class::Unavailable,
            true,
            "",
        ),
        (Say::Raw(302, Vec::new()), Code::Config, Class::InvalidInput, false, "base_url"),
    ] {
        let what = format!("{say:?}");
        server.say(say);
        let error = stage.fail(json!({ "system": "x", "input": "x", "json_schema": { "type": "object" } })).await;
        assert_eq!(
            (error.code, error.code.class(), error.is_retryable()),
            (code, class, retryable),
            "{what}: {}",
            error.chain()
        );
        assert!(error.hint.contains(hint), "{what}: {}", error.hint);
        let wait = [("429", 7), ("503", 3)].iter().find(|(status, _)| retryable && error.detail.contains(status));
        assert_eq!(error.retry_after, wait.map(|(_, seconds)| Duration::from_secs(*seconds)), "{what}");
    }
    assert_eq!(server.asked().len(), 9, "nothing is tried again by itself");
}

#[tokio::test]
async fn answers_that_cannot_be_used_are_told_apart() {
    let server = LlmServer::start().await;
    let stage = Stage::new(&server.url, "");
    let broken = b"data: {\"error\":{\"message\":\"out of memory\"}}\n\ndata: [DONE]\n\n".to_vec();
    for (say, code, retryable, word) in [
        (Say::text(" \n"), Code::LlmAnswer, true, "empty"),
        (Say::text("<think>I do not know.</think>"), Code::LlmAnswer, true, "thoughts"),
        (Say::Ended("It is".to_owned(), "length"), Code::LlmAnswer, false, "cut off"),
        (Say::Ended(String::new(), "content_filter"), Code::LlmDenied, false, "does not want"),
        (Say::Broken("It is".to_owned()), Code::LlmUnavailable, true, "broke off"),
        (Say::text("x".repeat(70_000)), Code::TooLarge, false, "far more"),
        (Say::Raw(200, broken), Code::LlmUnavailable, true, "out of memory"),
        (Say::Raw(200, b"data: {\"choices\":[]}\n\n".to_vec()), Code::LlmUnavailable, true, "broke off"),
        (Say::Raw(200, vec![b'x'; 6_000_000]), Code::LlmUnavailable, true, "far too long"),
    ] {
        server.say(say);
        let error = stage.fail(plain()).await;
        assert_eq!((error.code, error.is_retryable()), (code, retryable), "{word}: {}", error.chain());
        assert!(error.detail.contains(word), "{word}: {}", error.detail);
    }
    assert_eq!(server.asked().len(), 9);
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let server = LlmServer::start().await;
    let stage = Stage::new(&server.url, "timeout = \"300ms\"");
    for say in [Say::Hang, Say::Stuck("It is".to_owned())] {
        server.say(say);
        let error = stage.fail(plain()).await;
        assert_eq!((error.code, error.code.class()), (Code::LlmTimeout, Class::Timeout));
        assert!(error.hint.contains("llm.timeout"), "{}", error.hint);
    }
}

#[tokio::test]
async fn a_server_that_may_not_be_reached_is_not() {
    let server = LlmServer::start().await;
    let elsewhere = |url: &str| Stage::new(url, "[llm.models.x]\nmodel = \"y\"");
    for (url, code) in [
        ("http://10.0.0.1:1/v1", Code::Config),
        ("http://localhost/v1", Code::Config),
        (server.url.replace("127.0.0.1", "[::1]").as_str(), Code::Config),
        ("http://127.0.0.1:1/v1", Code::LlmUnavailable),
    ] {
        let error = elsewhere(url).fail(plain()).await;
        assert_eq!(error.code, code, "{url}: {}", error.chain());
        assert!(code != Code::Config || error.hint.contains("net.allow_hosts"), "{}", error.hint);
    }
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn requests_keep_to_their_pace() {
    let server = LlmServer::answering(|_| Say::text("Yes.")).await;
    let stage = Stage::new(&server.url, "requests_per_minute = 600");
    let begun = std::time::Instant::now();
    for input in ["a", "b", "c", "d"] {
        stage.run(json!({ "system": "x", "input": input })).await.unwrap();
    }
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn steps_that_make_no_sense_are_refused_before_anybody_is_asked() {
    let server = LlmServer::start().await;
    let stage = Stage::new(&server.url, "");
    for (with, field) in [
        (json!({ "input": "x" }), "system"),
        (json!({ "system": "x" }), "input"),
        (json!({ "system": "x", "input": "x", "model": "defualt" }), "model"),
        (json!({ "prompt": "sumary", "input": "x" }), "prompt"),
        (json!({ "prompt": "translation", "input": "x" }), "variables"),
        (json!({ "system": "x", "input": "x", "variables": { "a": 1 } }), "variables"),
        (json!({ "system": "x", "input": "x", "temperature": 3 }), "temperature"),
        (json!({ "system": "x", "input": "x", "max_tokens": 0 }), "max_tokens"),
        (json!({ "system": "x", "input": "x", "json_schema": { "$ref": "http://a.example/s" } }), "json_schema"),
        (
            json!({ "prompt": "translation", "variables": { "target": "zh" }, "segments": [], "json_schema": {} }),
            "json_schema",
        ),
    ] {
        let error = stage.fail(with.clone()).await;
        assert_eq!((error.code, error.field.as_deref()), (Code::InvalidValue, Some(field)), "{with}");
    }
    let error = stage.fail(json!({ "system": "x ".repeat(9_000), "input": "x" })).await;
    assert_eq!(error.code, Code::TooLarge);
    assert!(server.asked().is_empty());
    let config = Config::defaults();
    let none = Llm::new(&config.llm, &Net::new(&config.net).unwrap()).unwrap();
    assert_eq!(none.model(None).err().map(|error| error.code), Some(Code::Config));
}
