//! Whole workflows in a daemon: lists, tasks of tasks, `on_error`, another run of a task, deadlines, tasks that are held
//! back, and SIGKILL between their steps.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trawl::{config::Config, store::Store};

use super::support::{Daemon, Receiver, Site, TestApp, sample_bytes};

/// Saves a definition as the newest revision of its workflow.
async fn save(store: &Store, definition: Value) {
    let tx = store.begin().await.unwrap();
    let name = definition["name"].as_str().unwrap().to_owned();
    let digest = format!("{:08x}", crc32fast::hash(definition.to_string().as_bytes()));
    tx.save_workflow(&name, definition, &digest).await.unwrap();
    tx.commit().await.unwrap();
}

fn trivial() -> Value {
    json!({ "use": "condition", "with": { "cases": [], "else": true } })
}

/// A workflow that does nothing for each item of `params.list`, so many at once.
fn each(parallel: u32) -> Value {
    let mut step = json!({ "use": "condition", "with": { "cases": [], "else": "${item}" } });
    step["foreach"] = json!({ "in": "params.list", "parallel": parallel, "on_item_error": "collect" });
    json!({
        "dsl": 1, "name": "each", "params": { "list": { "type": "array" } }, "steps": { "each": step },
        "output": { "all": "${steps.each.output}" },
    })
}

async fn submit(app: &TestApp, workflow: &str, params: Value) -> i64 {
    app.submit(json!({ "workflow": workflow, "params": params })).await
}

/// A list of so many items, and how many steps a second that makes.
async fn list_of(count: usize, parallel: u32) -> f64 {
    let app = TestApp::start().await;
    save(app.app.services.queue.store(), each(parallel)).await;
    let items: Vec<usize> = (0..count).collect();
    let begin = Instant::now();
    let id = submit(&app, "each", json!({ "list": items })).await;
    let task = app.end(id).await;
    let took = begin.elapsed();
    let ok = task["result"]["all"]["ok"].as_array().unwrap_or_else(|| panic!("{task}"));
    let values: Vec<Value> = ok.iter().map(|made| made["value"].clone()).collect();
    assert_eq!(values, items.iter().map(|item| json!(item)).collect::<Vec<_>>());
    assert_eq!(task["steps"].as_array().unwrap().len(), 1, "a task shows its steps, not their items");
    app.finish().await;
    #[allow(clippy::cast_precision_loss, reason = "a thousand")]
    let rate = count as f64 / took.as_secs_f64();
    rate
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_comes_out_in_order() {
    list_of(60, 8).await;
}

/// `make bench-runs`: what a step costs beside its work.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures, and takes its time in a debug build"]
async fn measured_steps() {
    for parallel in [64, 16, 1] {
        let rate = list_of(1_000, parallel).await;
        eprintln!("list of 1,000, {parallel} at once: {rate:.0} steps/s, {:.1} ms each", 1_000.0 / rate);
    }
    let app = TestApp::start().await;
    let (definition, begin) = (chain(100), Instant::now());
    save(app.app.services.queue.store(), definition).await;
    let id = submit(&app, "chain", json!({})).await;
    assert_eq!(app.end(id).await["status"], "completed");
    eprintln!("100 steps one after the other: {:.1} ms each", begin.elapsed().as_secs_f64() * 10.0);
    app.finish().await;
}

/// `make bench-runs`: how long the checks of a large definition take.
#[test]
#[ignore = "measures"]
fn measured_checks() {
    let check = |text: &str| trawl::workflow::Definition::parse(text).map(drop).unwrap();
    for (what, definition) in [("conditions", chain(100)), ("questions", questions(100))] {
        let text = definition.to_string();
        let begin = Instant::now();
        check(&text); // the schemas are compiled once for a process
        let first = begin.elapsed();
        let begin = Instant::now();
        (0..20).for_each(|_| check(&text));
        let each = begin.elapsed().as_secs_f64() * 50.0;
        eprintln!("a definition of 100 {what} is checked in {each:.1} ms, the first time in {first:.1?}");
    }
}

/// Steps with much to check, each after two others.
fn questions(count: usize) -> Value {
    let step = |number: usize| {
        let (before, half) = (number.max(1) - 1, number / 2);
        let input = match number {
            0 => "${params.text}".to_owned(),
            _ => format!("${{steps.s{before}.output.text}} and ${{default(steps.s{half}.output.text, 'none')}}"),
        };
        let when =
            if number == 0 { "true".to_owned() } else { format!("size(steps.s{before}.output.text) > {number}") };
        json!({ "use": "llm", "when": when, "timeout": "5m", "retry": { "max": 3, "first": "1s", "on": ["timeout"] },
            "with": { "model": "small", "system": "Say it.", "input": input, "json_schema": { "type": "object" } } })
    };
    let steps: serde_json::Map<String, Value> = (0..count).map(|number| (format!("s{number}"), step(number))).collect();
    json!({ "dsl": 1, "name": "questions", "params": { "text": { "type": "string" } }, "steps": steps,
        "output": format!("${{default(steps.s{}.output.text, null)}}", count - 1) })
}

/// Trivial steps, each after the one before.
fn chain(count: usize) -> Value {
    let mut steps = serde_json::Map::new();
    for number in 0..count {
        let before = format!("${{default(steps.s{}.output.value, 0)}}", number.max(1) - 1);
        let last = if number == 0 { json!(0) } else { json!(before) };
        steps.insert(format!("s{number}"), json!({ "use": "condition", "with": { "cases": [], "else": last } }));
    }
    json!({ "dsl": 1, "name": "chain", "steps": steps, "output": format!("${{steps.s{}.output.value}}", count - 1) })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_calls_another_and_tells_of_its_failure() {
    let app = TestApp::start().await;
    let store = app.app.services.queue.store();
    let mut inner =
        json!({ "dsl": 1, "name": "inner", "params": { "n": { "type": "integer" } }, "steps": { "a": trivial() } });
    inner["output"] = json!({ "n": "${params.n}" });
    save(store, inner).await;
    let call = |n: Value| json!({ "use": "workflow", "with": { "name": "inner", "params": { "n": n } } });
    let outer = json!({
        "dsl": 1, "name": "outer", "params": { "n": { "type": "integer" }, "bad": { "type": "string", "default": "x" } },
        "steps": { "call": call(json!("${params.n}")) }, "output": { "n": "${steps.call.output.output.n}" },
    });
    save(store, outer.clone()).await;
    let task = app.end(submit(&app, "outer", json!({ "n": 7 })).await).await;
    assert_eq!((&task["status"], &task["result"]), (&json!("completed"), &json!({ "n": 7 })), "{task}");

    let mut wrong = outer;
    wrong["name"] = json!("wrong");
    wrong["steps"]["call"] = call(json!("${params.bad}"));
    // A handler sees how the steps ended, in the cases of a condition, too.
    let cases = json!([{ "when": "steps.call.status == 'failed'", "value": "${task.error.code}" }]);
    wrong["on_error"] = json!({ "tell": { "use": "condition", "with": { "cases": cases } } });
    save(store, wrong).await;
    let task = app.end(submit(&app, "wrong", json!({ "n": 7 })).await).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("invalid_value")), "{task}");
    let told = task["steps"].as_array().unwrap().iter().find(|step| step["key"] == "tell").unwrap();
    assert_eq!(told["state"], "succeeded", "{task}");
    let rows = store.steps_of(trawl::domain::TaskId(task["id"].as_i64().unwrap())).await.unwrap();
    let told = rows.into_iter().find(|row| row.step.key == "tell").unwrap().step.output.unwrap();
    assert_eq!(told["value"], "invalid_value");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn cancelling_reaches_the_tasks_below() {
    let app = TestApp::start().await;
    let store = app.app.services.queue.store();
    let mut slow = trivial();
    slow["delay"] = json!("1h");
    save(store, json!({ "dsl": 1, "name": "inner", "steps": { "slow": slow } })).await;
    let call = json!({ "use": "workflow", "with": { "name": "inner" } });
    save(store, json!({ "dsl": 1, "name": "outer", "steps": { "call": call } })).await;
    let id = submit(&app, "outer", json!({})).await;
    app.until(id, |task| task["steps"][0]["state"] == "waiting").await;
    assert_eq!(app.post(&format!("/api/tasks/{id}/cancel"), json!({})).await.0, 200);
    let (_, tasks) = app.get("/api/tasks?workflow=inner").await;
    assert_eq!(tasks["items"][0]["status"], "cancelled", "{tasks}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_run_takes_over_what_need_not_be_done_again() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    let first = app.paste(&link).await;
    let task = app.end(first).await;
    assert_eq!(task["status"], "completed", "{task}");
    let asked = site.seen().len();
    let again = async |body: Value| {
        let (status, task) = app.post(&format!("/api/tasks/{first}/rerun"), body).await;
        assert_eq!(status, 202, "{task}");
        app.end(task["id"].as_i64().unwrap()).await
    };
    for from in ["failed", "text"] {
        let second = again(json!({ "from": from })).await;
        assert_eq!((&second["status"], &second["result"]), (&json!("completed"), &task["result"]), "{second}");
        assert_eq!((&second["rerun_of"], site.seen().len()), (&json!(first), asked), "the link was asked again");
    }
    let whole = again(json!({ "from": "start" })).await;
    assert_eq!(whole["status"], "completed", "{whole}");
    assert!(site.seen().len() > asked, "a run from the start has taken everything over");
    // A file that is gone is downloaded again.
    let asked = site.seen().len();
    let media = app.folder().join("data/media");
    for file in super::support::walk(&media) {
        std::fs::remove_file(file).unwrap();
    }
    let anew = again(json!({ "from": "failed" })).await;
    assert_eq!((&anew["status"], &anew["result"]), (&json!("completed"), &task["result"]), "{anew}");
    assert!(site.seen().len() > asked, "a file that is gone was taken over");
    let (status, problem) = app.post(&format!("/api/tasks/{first}/rerun"), json!({ "from": "txet" })).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_value")), "{problem}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_takes_too_long_fails_in_time() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let gate = tokio::sync::watch::Sender::new(false);
    let page = super::support::Reply::Body("text/html", Vec::new());
    let link = site.put("/page", super::support::Reply::Gated(gate.subscribe(), Box::new(page)));
    let mut slow = trivial();
    slow["delay"] = json!("1h");
    let steps = json!({ "page": { "use": "resolve", "with": { "link": "${params.link}" } }, "slow": slow });
    let definition = json!({
        "dsl": 1, "name": "late", "params": { "link": { "type": "url" } }, "deadline": "1s", "steps": steps,
    });
    save(app.app.services.queue.store(), definition).await;
    let begin = Instant::now();
    let task = app.end(submit(&app, "late", json!({ "link": link })).await).await;
    assert_eq!((&task["status"], &task["error"]["code"]), (&json!("failed"), &json!("deadline")), "{task}");
    assert!(begin.elapsed() < Duration::from_secs(30), "it was late by {:?}", begin.elapsed());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_of_a_workflow_wait_for_their_turn() {
    let app = TestApp::start().await;
    let definition = json!({ "dsl": 1, "name": "one", "max_active_runs": 1, "params": { "slow": { "type": "boolean" } },
        "steps": { "slow": { "use": "condition", "when": "params.slow", "delay": "1h", "with": { "cases": [], "else": 1 } } } });
    save(app.app.services.queue.store(), definition).await;
    let first = submit(&app, "one", json!({ "slow": true })).await;
    let second = submit(&app, "one", json!({ "slow": true })).await;
    assert_eq!(app.get(&format!("/api/tasks/{second}")).await.1["held"], true);
    app.post(&format!("/api/tasks/{first}/cancel"), json!({})).await;
    app.until(second, |task| task["held"] == false).await;
    app.post(&format!("/api/tasks/{second}/cancel"), json!({})).await;
    app.finish().await;
}

/// Killed again and again while a list is at work: every item has succeeded once, and none is there twice.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_survives_sigkill() {
    let mut receiver = Receiver::start().await;
    let mut daemon = Daemon::new("");
    let config = Config::load(Some(&daemon.config()), &[]).unwrap();
    let store = Store::open(&config.database_url()).await.unwrap();
    save(&store, each(3)).await;
    drop(store);
    let items: Vec<usize> = (0..40).collect();
    daemon.start().await;
    let body = json!({ "workflow": "each", "params": { "list": items }, "callback_url": receiver.url });
    let answer = daemon.http.post(format!("{}/api/tasks", daemon.url)).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    let id = serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()["id"].as_i64().unwrap();
    for item in [0, 10, 25] {
        let key = format!("each[{item}]");
        daemon.follow(id, |event| event.is_step(&key, "succeeded")).await.expect("the item never ended");
        daemon.kill().await;
        daemon.start().await;
    }
    let task = daemon.end(id).await;
    let ok = task["result"]["all"]["ok"].as_array().unwrap_or_else(|| panic!("{task}"));
    assert_eq!(
        ok.iter().map(|made| made["value"].clone()).collect::<Vec<_>>(),
        items.iter().map(|n| json!(n)).collect::<Vec<_>>()
    );
    let callback = receiver.next().await;
    assert_eq!(callback.body["type"], "task.completed");
    let events = daemon.follow(id, super::support::Event::is_end).await.expect("no end in the events");
    for item in items {
        let key = format!("each[{item}]");
        assert_eq!(events.iter().filter(|event| event.is_step(&key, "succeeded")).count(), 1, "{key}");
    }
    assert!(daemon.stop().await, "the daemon did not stop cleanly");
}
