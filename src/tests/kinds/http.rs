//! `http` and `condition` against a server on loopback.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering},
};

use poem::{Request, Response, http::StatusCode};
use serde_json::{Value, json};

use crate::support::{Reply, Site, TestApp};

/// A page that tells what it was asked.
fn mirror() -> Reply {
    Reply::Made(Arc::new(|request: &Request| {
        let headers: serde_json::Map<String, Value> = request
            .headers()
            .iter()
            .map(|(name, value)| (name.to_string(), json!(value.to_str().unwrap_or_default())))
            .collect();
        let told = json!({ "method": request.method().as_str(), "query": request.uri().query(), "headers": headers });
        Response::builder().content_type("application/json").header("set-cookie", "a=b").body(told.to_string())
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_is_made_as_it_is_written() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let url = site.put("/mirror", mirror());
    let answer = app
        .run_step(json!({ "use": "http", "with": {
            "url": format!("{url}?a=1"), "method": "put", "query": { "b": ["x y", 2], "c": null }, "form": { "f": true },
            "headers": { "X-Mine": "${task.workflow}" }, "auth": { "user": "me", "password": "pass" } } }))
        .await;
    let told = &answer["json"];
    assert_eq!(
        (&answer["status"], &told["method"], &told["query"]),
        (&json!(200), &json!("PUT"), &json!("a=1&b=x+y&b=2"))
    );
    let headers = &told["headers"];
    assert_eq!(headers["content-type"], "application/x-www-form-urlencoded");
    assert_eq!(headers["authorization"], "Basic bWU6cGFzcw==");
    assert!(
        headers["x-mine"].as_str().unwrap().starts_with('w')
            && headers["idempotency-key"].as_str().unwrap().ends_with("/it")
    );
    assert_eq!(
        (&answer["headers"]["content-type"], &answer["headers"]["set-cookie"]),
        (&json!("application/json"), &Value::Null)
    );
    let text = site.page("/text", "hello");
    let answer = app.run_step(json!({ "use": "http", "with": { "url": text } })).await;
    assert_eq!((&answer["text"], &answer["json"]), (&json!("hello"), &Value::Null));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn statuses_become_classes_and_pages_no_errors() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    for (status, code) in [
        (404, "source_not_found"),
        (401, "source_forbidden"),
        (403, "source_forbidden"),
        (429, "rate_limited"),
        (503, "source_error"),
        (422, "invalid_request"),
        (304, "invalid_request"),
    ] {
        let url = site.put("/page", Reply::Status(status, "the page says: hush"));
        let error = app.fail_step(json!({ "use": "http", "with": { "url": url } })).await;
        assert_eq!(error["code"], code, "{status}: {error}");
        assert!(!error.to_string().contains("hush"), "{error}");
        let expected =
            app.run_step(json!({ "use": "http", "with": { "url": url, "expect_status": [200, status] } })).await;
        assert_eq!(expected["status"], status);
    }
    let large = site.page("/large", &"x".repeat(2_000));
    for (with, code) in [
        (json!({ "url": large, "max_bytes": 1_999 }), "too_large"),
        (json!({ "url": "http://10.0.0.1/" }), "address_refused"),
        (json!({ "url": "file:///etc/passwd" }), "invalid_link"),
        (json!({ "url": large, "method": "TRACE" }), "invalid_workflow"),
        (json!({ "url": large, "json": 1, "body": "x" }), "invalid_workflow"),
        (json!({ "url": large, "tiemout": "1s" }), "invalid_workflow"),
        (json!({ "url": large, "timeout": "1h" }), "invalid_workflow"),
        (json!({ "url": large, "query": { "a": {} } }), "invalid_workflow"),
    ] {
        let error = app.fail_step(json!({ "use": "http", "with": with })).await;
        assert_eq!(error["code"], code, "{with}: {error}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tries_share_a_key_and_what_was_sent_is_not_sent_on() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let (tries, keys) = (Arc::<AtomicUsize>::default(), Arc::<Mutex<Vec<String>>>::default());
    let (count, seen) = (Arc::clone(&tries), Arc::clone(&keys));
    let url = site.put(
        "/flaky",
        Reply::Made(Arc::new(move |request| {
            seen.lock().unwrap().push(request.header("idempotency-key").unwrap_or_default().to_owned());
            let status = if count.fetch_add(1, Ordering::SeqCst) < 2 { 503 } else { 201 };
            Response::builder().status(StatusCode::from_u16(status).unwrap()).finish()
        })),
    );
    let retry = json!({ "max": 3, "first": "10ms" });
    let made = app.run_step(json!({ "use": "http", "with": { "url": url, "json": {} }, "retry": retry })).await;
    assert_eq!(made["status"], 201);
    let keys = keys.lock().unwrap().clone();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0] && !key.is_empty()), "{keys:?}");
    // A GET follows a redirect, and other hosts see no key of ours; a POST ends where it was sent.
    let other = Site::start().await;
    let away = site.put("/away", Reply::Redirect(other.put("/mirror", mirror())));
    let got = app.run_step(json!({ "use": "http", "with": { "url": away, "headers": { "x-mine": "1" } } })).await;
    let headers = &got["json"]["headers"];
    assert_eq!((&headers["x-mine"], &headers["idempotency-key"]), (&Value::Null, &Value::Null), "{got}");
    let error = app.fail_step(json!({ "use": "http", "with": { "url": away, "body": "x" } })).await;
    assert_eq!(error["code"], "invalid_request", "{error}");
    assert_eq!(other.seen().len(), 1);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_nested_too_deep_is_refused_and_the_task_stays_readable() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels)).into_bytes();
    let url = site.file("/deep", "application/json", nested(120));
    let error = app.fail_step(json!({ "use": "http", "with": { "url": url } })).await;
    assert_eq!(error["code"], "too_large", "{error}");
    let url = site.file("/fits", "application/json", nested(90));
    let steps = json!({ "it": { "use": "http", "with": { "url": url } } });
    let output = (0..20).fold(json!("${steps.it.output.json}"), |output, _| json!([output]));
    let task = app.run_steps(steps, output).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("too_large")), "{task}");
    let error = app.fail_step(json!({ "use": "http", "with": { "url": url, "headers": "x".repeat(900) } })).await;
    assert!(error["detail"].as_str().unwrap().len() < 300, "{error}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_condition_looks_at_what_came_before() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let url = site.file("/facts", "application/json", b"{\"no\": false, \"yes\": true, \"text\": \"x\"}".to_vec());
    let steps = |cases: Value| {
        json!({
            "facts": { "use": "http", "with": { "url": url } },
            "it": { "use": "condition", "with": { "cases": cases, "else": { "by": "else" } } },
        })
    };
    let output = json!("${steps.it.output}");
    let case = |when: &str| json!({ "when": format!("steps.facts.output.json.{when}"), "value": "${steps.facts.output.json.text}" });
    for (cases, expected) in [
        (json!([case("no"), case("yes")]), json!({ "value": "x", "case": 1 })),
        (json!([case("no")]), json!({ "value": { "by": "else" }, "case": null })),
    ] {
        let task = app.run_steps(steps(cases), output.clone()).await;
        assert_eq!(task["result"], expected, "{task}");
    }
    let task = app.run_steps(steps(json!([case("text")])), output).await;
    assert_eq!(task["error"]["code"], "expression", "{task}");
    app.finish().await;
}
