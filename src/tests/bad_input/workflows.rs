//! Definitions that make no sense: each is refused with the code of its mistake and the place, and nothing is stored.
//! What is said about each stands in the snapshots of `workflow/validate/tests`.

use serde_json::{Value, json};

use super::{super::support::TestApp, check_problem, refused};

fn http() -> Value {
    json!({ "use": "http", "with": { "url": "https://x.example" } })
}

fn steps(steps: Value) -> Value {
    json!({ "dsl": 1, "name": "bad", "steps": steps })
}

/// `http` with these fields beside or in place of its own.
fn step(fields: Value) -> Value {
    let mut step = http();
    step.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    steps(json!({ "a": step }))
}

/// A transcript, and a step that uses it.
fn heard(step: Value) -> Value {
    steps(json!({ "text": { "use": "transcribe", "with": { "media": "media:1" } }, "a": step }))
}

/// By code of the mistake: where it is, and a definition.
fn cases() -> Vec<(&'static str, &'static str, String)> {
    let llm = |input: &str| json!({ "use": "llm", "with": { "system": "x", "input": input } });
    let circle = json!({ "text": llm("${steps.summary.output.text}"), "summary": llm("${steps.text.output.text}") });
    let trigger =
        |cron: &str| json!({ "dsl": 1, "name": "bad", "triggers": [{ "cron": cron }], "steps": { "a": http() } });
    let key = "Bearer sk-abcDEF1234567890abcdef";
    let with = |with: Value| step(json!({ "with": with }));
    let mut secret = steps(json!({ "a": http() }));
    secret["output"] = json!("${secrets.key}");
    let call = |params: Value| json!({ "use": "workflow", "with": { "name": "transcribe", "params": params } });
    let itself = json!({ "again": { "use": "workflow", "with": { "name": "bad" } } });
    let many = |count: usize| {
        let all: serde_json::Map<String, Value> =
            (0..count).map(|number| (format!("s{number}"), json!({ "use": "http" }))).collect();
        steps(Value::Object(all))
    };
    let each = json!({ "use": "callback", "foreach": { "in": "steps.text.output.segments" }, "with": { "url": "${item.text}" } });
    let values = [
        ("E_DSL", "/dsl", json!({ "dsl": 2, "name": "bad", "steps": { "a": http() } })),
        ("E_FIELD", "/steps/a", step(json!({ "tiemout": "5m" }))),
        ("E_KIND", "/steps/a/use", step(json!({ "use": "shell" }))),
        ("E_REF", "/steps/a/with/input", heard(llm("${steps.txet.output.text}"))),
        ("E_REF_FIELD", "/steps/a/with/input", heard(llm("${steps.text.output.txt}"))),
        ("E_CYCLE", "/steps", steps(circle)),
        ("E_EXPR", "/steps/a/when", step(json!({ "when": "size(" }))),
        ("E_PARAM", "/steps/a/with/input", steps(json!({ "a": llm("${params.lang}") }))),
        ("E_SECRET_SCOPE", "/output", secret),
        (
            "E_SECRET_LITERAL",
            "/steps/a/with/headers/authorization",
            with(json!({ "url": "https://x.example", "headers": { "authorization": key } })),
        ),
        (
            "E_TAINT",
            "/steps/a/with/url",
            heard(json!({ "use": "callback", "with": { "url": "${steps.text.output.text}" } })),
        ),
        ("E_TAINT", "/steps/a/with/url", heard(each)),
        (
            "E_TAINT",
            "/steps/a/with/params/callback_url",
            heard(call(json!({ "callback_url": "${steps.text.output.text}" }))),
        ),
        ("E_CRON", "/triggers/0/cron", trigger("0 25 * * *")),
        ("E_DURATION", "/steps/a/timeout", step(json!({ "timeout": "5 minutes" }))),
        ("E_LIMIT", "/steps/again/with/name", steps(itself)),
        ("E_LIMIT", "/steps", many(101)),
        ("E_LIMIT", "/steps", many(10_000)),
        ("E_LIMIT", "/steps/a/foreach/limit", step(json!({ "foreach": { "in": "[1]", "limit": 1_000_000 } }))),
    ];
    let mut cases: Vec<_> = values.map(|(code, pointer, value)| (code, pointer, value.to_string())).into();
    cases.push(("E_JSON", "", "{\"dsl\": 1,".to_owned()));
    cases.push((
        "E_JSON_DUP",
        "/steps",
        r#"{"dsl":1,"name":"bad","steps":{"a":{"use":"http"},"a":{"use":"http"}}}"#.to_owned(),
    ));
    cases.push(("E_LIMIT", "", " ".repeat(300_000)));
    cases.push(("E_LIMIT", "", format!("{{\"dsl\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000))));
    cases
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_that_make_no_sense_are_refused_with_everything_that_is_wrong() {
    let app = TestApp::start().await;
    let stored = app.get("/api/workflows").await.1["items"].clone();
    let send = |method: reqwest::Method, path: &str, body: &str| {
        let request = app.http.request(method, format!("{}/api/workflows{path}", app.url));
        request.header("content-type", "application/json").body(body.to_owned())
    };
    for (code, pointer, body) in cases() {
        let case: String = format!("{code}: {body}").chars().take(300).collect();
        let is_told = |problems: &Value| {
            let problems = problems.as_array().unwrap();
            problems.iter().any(|one| one["code"] == code && one["pointer"] == pointer && one["severity"] == "error")
        };
        for (method, path) in [(reqwest::Method::POST, ""), (reqwest::Method::PUT, "/bad")] {
            let answer = refused(send(method, path, &body)).await;
            check_problem(&case, &answer, (422, "invalid_workflow"));
            assert!(is_told(&answer.1["problems"]), "{case}: {}", answer.1["problems"]);
        }
        let verdict: Value =
            send(reqwest::Method::POST, "/validate", &body).send().await.unwrap().json().await.unwrap();
        assert!(verdict["valid"] == false && is_told(&verdict["problems"]), "{case}: {verdict}");
    }
    assert_eq!(app.get("/api/workflows").await.1["items"], stored);
    let large = send(reqwest::Method::POST, "", &" ".repeat(2 << 20));
    check_problem("two megabytes", &refused(large).await, (413, "too_large"));
    app.finish().await;
}

/// Its condition could end it, and never does.
#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_that_runs_itself_again_and_again_ends() {
    let app = TestApp::start().await;
    let again = json!({ "use": "workflow", "when": "task.id > 0", "with": { "name": "bad" } });
    let (status, made) = app.post("/api/workflows", steps(json!({ "again": again }))).await;
    assert_eq!(status, 201, "{made}");
    let id = app.submit(json!({ "workflow": "bad" })).await;
    let task = app.end(id).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("invalid_workflow")), "{task}");
    super::check_words("itself", &task["error"]);
    let (_, tasks) = app.get("/api/tasks?workflow=bad").await;
    assert_eq!(tasks["total"], 4, "{tasks}");
    app.finish().await;
}

/// Another machine may have it, and this one tomorrow: it is told, and the definition is taken.
#[tokio::test(flavor = "multi_thread")]
async fn what_this_machine_does_not_have_is_a_warning() {
    let settings = "exec.mood.argv = [\"true\"]\nllm.base_url = \"http://127.0.0.1:1/v1\"\nllm.model = \"stub\"";
    let app = TestApp::with(settings).await;
    let ask = |with: Value| json!({ "use": "llm", "with": with });
    let definition = steps(json!({
        "a": { "use": "exec:moood", "with": { "b": "${steps.b.output.text}", "c": "${steps.c.output.text}" } },
        "b": ask(json!({ "prompt": "sumary", "input": "x" })),
        "c": ask(json!({ "system": "x", "model": "defualt", "input": "x" })),
        "d": { "use": "workflow", "with": { "name": "transcibe", "params": { "link": "https://x.example" } } },
    }));
    let (status, made) = app.post("/api/workflows", definition).await;
    assert_eq!(status, 201, "{made}");
    let told: Vec<[&str; 3]> = made["warnings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| ["code", "pointer", "suggestion"].map(|field| one[field].as_str().unwrap_or_default()))
        .collect();
    let expected = [
        ["W_UNKNOWN", "/steps/d/with/name", "transcribe"],
        ["W_UNKNOWN", "/steps/a/use", "mood"],
        ["W_UNKNOWN", "/steps/b/with/prompt", "summary"],
        ["W_UNKNOWN", "/steps/c/with/model", "default"],
    ];
    assert_eq!(told, expected, "{made}");
    app.finish().await;
}
