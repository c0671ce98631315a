//! Secrets with the real binary: used, echoed by whoever saw them, and never seen again.

use std::{process::Stdio, sync::Arc};

use poem::{Request, Response, http::StatusCode};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;
use trawl::store::Store;

use super::{NOWHERE, save};
use crate::support::{Daemon, Receiver, Reply, SECRET, Site, program, test_url};

const VALUE: &str = "hush-7f3a/91+c2";

/// Says everything that it was told.
const ECHO: &str =
    "import os, sys; given = sys.stdin.read(); print(given, os.environ['KEY'], file=sys.stderr); print(given)";
/// The same as a failure.
const FAIL: &str =
    "import json, os, sys; print(json.dumps({'error': {'code': 'x', 'message': os.environ['KEY']}})); sys.exit(1)";

fn settings() -> String {
    let program = |name: &str, code: &str| {
        format!(
            "exec.{name}.argv = [{:?}, \"-c\", {}]\nexec.{name}.secrets = {{ KEY = \"key\" }}\n",
            super::python(),
            json!(code)
        )
    };
    // Another secret than the one that the receiver knows.
    format!(
        "log.level = \"trace\"\ncallbacks.secret = \"whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=\"\n{}{}",
        program("echo", ECHO),
        program("fail", FAIL)
    )
}

/// Pages that say what they were told, well and as a failure.
fn echo(site: &Site, status: u16) -> String {
    let path = format!("/echo{status}");
    site.put(
        &path,
        Reply::Made(Arc::new(move |request: &Request| {
            let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
            let told = json!({
                "key": header("x-key"), "auth": header("authorization"), "query": request.uri().query(),
                header("x-key"): 1,
            });
            let status = StatusCode::from_u16(status).unwrap();
            Response::builder().status(status).content_type("application/json").body(told.to_string())
        })),
    )
}

async fn command(daemon: &Daemon, args: &[&str], input: &str) -> (bool, String) {
    let mut command = tokio::process::Command::new(program());
    command.arg("secrets").args(args).arg("--config").arg(daemon.config());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes()).await;
    let done = child.wait_with_output().await.unwrap();
    let said = [done.stdout, done.stderr].concat();
    (done.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_is_used_echoed_and_never_seen_again() {
    let (site, other, mut receiver) = (Site::start().await, Site::start().await, Receiver::start().await);
    let (url, broken) = (echo(&site, 200), echo(&site, 500));
    let away = site.put("/away", Reply::Redirect(echo(&other, 200)));
    let mut daemon = Daemon::new(&settings());
    let mut seen = Vec::new();

    // The command line writes into the database, whether the daemon runs or not.
    let everywhere = ["--host", "127.0.0.1", "--host", "exec:echo", "--host", "exec:fail"];
    let (well, said) = command(&daemon, &[&["set", "key"][..], &everywhere].concat(), VALUE).await;
    assert!(well && said.contains("key: set for"), "{said}");
    let store = Store::open(&test_url(daemon.folder())).await.unwrap();
    let headers = json!({ "x-key": "${secrets.key}" });
    let no_retry = json!({ "max": 0 });
    let well_steps = json!({
        "a": { "use": "http", "with": { "url": url, "headers": headers, "query": { "q": "${secrets.key}" } } },
        "b": { "use": "http", "with": { "url": url, "auth": { "user": "me", "password": "${secrets.key}" } } },
        "c": { "use": "exec:echo", "with": { "key": "<${secrets.key}>" } },
        "d": { "use": "http", "with": { "url": away, "headers": headers, "query": { "z": 1 } } },
        "e": { "use": "callback", "with": {
            "url": receiver.url, "secret": "${secrets.hook}", "event": "my.event",
            "data": { "a": "${steps.a.output.json}", "key": "${secrets.key}" } } },
    });
    let output = json!({ "a": "${steps.a.output}", "b": "${steps.b.output}", "c": "${steps.c.output}", "d": "${steps.d.output}" });
    save(&store, "well", well_steps, output).await;
    for (name, step) in [
        ("status", json!({ "use": "http", "with": { "url": broken, "headers": headers }, "retry": no_retry })),
        ("program", json!({ "use": "exec:fail", "with": { "key": "${secrets.key}" } })),
        ("type", json!({ "use": "http", "with": { "url": url, "auth": { "user": 7, "password": "${secrets.key}" } } })),
        ("public", json!({ "use": "http", "with": { "url": url, "headers": { "User-Agent": "${secrets.key}" } } })),
        ("unbound", json!({ "use": "http", "with": { "url": url, "headers": { "x": "${secrets.elsewhere}" } } })),
        ("unknown", json!({ "use": "http", "with": { "url": url, "headers": { "x": "${secrets.nobody}" } } })),
        ("mixed", json!({ "use": "callback", "with": { "url": receiver.url, "secret": "x${secrets.hook}" } })),
        ("foreign", json!({ "use": "callback", "with": { "url": receiver.url, "secret": "${secrets.elsewhere}" } })),
    ] {
        save(&store, name, json!({ "it": step }), Value::Null).await;
    }
    drop(store);
    daemon.start().await;
    let (well, said) = command(&daemon, &["set", "hook", "--host", "127.0.0.1"], &format!("{SECRET}\n")).await;
    assert!(well && said.contains("hook: set for 127.0.0.1"), "{said}");
    let (well, _) = command(&daemon, &["set", "elsewhere", "--host", "*.example.com"], VALUE).await;
    assert!(well);
    let (well, said) = command(&daemon, &["list"], "").await;
    assert!(well && said.contains("*.example.com") && said.contains("exec:echo"), "{said}");
    seen.push(said);
    let (well, said) = command(&daemon, &["set", "bad", "--host", "*"], VALUE).await;
    assert!(!well && said.contains("cannot be bound"), "{said}");
    seen.push(said);

    let run = async |workflow: &str| {
        let body = json!({ "link": NOWHERE, "workflow": workflow });
        let answer = daemon.http.post(format!("{}/api/tasks", daemon.url)).json(&body).send().await.unwrap();
        let task: Value = answer.json().await.unwrap();
        daemon.end(task["id"].as_i64().unwrap()).await
    };
    let task = run("well").await;
    assert_eq!(task["status"], "completed", "{task}");
    let result = &task["result"];
    // It went out: what came back is as long as it was told, and hidden.
    assert_eq!(
        (&result["a"]["json"]["key"], &result["a"]["json"]["query"]),
        (&json!("***"), &json!("q=***")),
        "{task}"
    );
    assert!(result["b"]["json"]["auth"].as_str().unwrap().contains("***"), "{task}");
    assert_eq!(result["c"]["key"], "<***>", "{task}");
    assert_eq!((&result["d"]["json"]["key"], &result["d"]["json"]["query"]), (&json!(""), &Value::Null), "{task}");
    let message = receiver.next().await;
    assert!(message.verified, "signed with another secret");
    assert_eq!((&message.body["type"], &message.body["data"]["data"]["key"]), (&json!("my.event"), &json!("***")));
    seen.extend([task.to_string(), message.body.to_string()]);
    let id = task["id"].clone();
    for (workflow, code) in [
        ("status", "source_error"),
        ("program", "exec_failed"),
        ("type", "invalid_workflow"),
        ("public", "invalid_workflow"),
        ("unbound", "secret_refused"),
        ("unknown", "secret_refused"),
        ("mixed", "invalid_workflow"),
        ("foreign", "secret_refused"),
    ] {
        let task = run(workflow).await;
        assert_eq!(task["error"]["code"], code, "{workflow}: {task}");
        seen.push(task.to_string());
    }
    let paths = [
        "/api/secrets".to_owned(),
        format!("/api/tasks/{id}/deliveries"),
        format!("/api/tasks/{id}/steps/a"),
        format!("/api/tasks/{id}/steps/c"),
        "/api/tasks".to_owned(),
        "/api/workflows".to_owned(),
    ];
    for path in paths {
        seen.push(daemon.get(&path).await.to_string());
    }
    let events = daemon.http.get(format!("{}/api/tasks/{id}/events", daemon.url)).send().await.unwrap();
    seen.push(events.text().await.unwrap());
    let (well, _) = command(&daemon, &["remove", "elsewhere"], "").await;
    assert!(well && daemon.get("/api/secrets").await["items"].as_array().unwrap().len() == 2);

    let encoded: String = url::form_urlencoded::byte_serialize(VALUE.as_bytes()).collect();
    let is_clean = |text: &str| !text.contains(VALUE) && !text.contains(&encoded) && !text.contains(SECRET);
    assert!(is_clean(&seen.join("\n")), "{seen:#?}");
    let log = daemon.log();
    assert!(log.contains("a program failed"), "{log}");
    for line in log.lines() {
        assert!(is_clean(line), "in the log: {line}");
    }
    for file in ["trawl.db", "trawl.db-wal"] {
        let bytes = std::fs::read(daemon.folder().join("data").join(file)).unwrap_or_default();
        for hidden in [VALUE, &encoded, SECRET] {
            assert!(!bytes.windows(hidden.len()).any(|part| part == hidden.as_bytes()), "{hidden} is in {file}");
        }
    }
    assert!(daemon.stop().await);
}
