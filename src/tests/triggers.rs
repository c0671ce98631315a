//! Workflows that events and times start, through the whole daemon.

use serde_json::json;

use super::support::{Receiver, Site, TestApp, sample_bytes};

const CLIP: &str = "en-known-04.flac";

#[tokio::test(flavor = "multi_thread")]
async fn a_transcript_that_was_made_is_told_once() {
    let (app, site, mut receiver) = (TestApp::start().await, Site::start().await, Receiver::start().await);
    let definition = json!({
        "dsl": 1, "name": "tell", "params": {"text": {"type": "string"}, "url": {"type": "url"}},
        "triggers": [{
            "event": "transcript.created", "when": "event.task.workflow == 'transcribe'",
            "params": {"text": "${event.transcript.text}", "url": receiver.url}
        }],
        "steps": {"tell": {"use": "callback", "with": {"url": "${params.url}", "data": {"text": "${params.text}"}}}}
    });
    let (status, made) = app.post("/api/workflows", definition).await;
    assert_eq!(status, 201, "{made}");
    let link = site.file("/clip.flac", "audio/flac", sample_bytes(CLIP));
    let task = app.end(app.paste(&link).await).await;
    let told = receiver.next().await;
    assert!(told.verified);
    assert_eq!(told.body["data"]["data"]["text"], task["result"]["text"], "{}", told.body);
    let (_, tasks) = app.get("/api/tasks?workflow=tell").await;
    assert_eq!(tasks["total"], 1);
    let started = &tasks["items"][0]["id"];
    app.end(started.as_i64().unwrap()).await;
    let (_, fires) = app.get("/api/workflows/tell/fires").await;
    let fire = &fires["items"][0];
    assert_eq!((&fires["total"], &fire["state"], &fire["trigger"]), (&json!(1), &json!("started"), &json!(0)));
    assert_eq!((&fire["task_id"], &fire["source_task_id"]), (started, &task["id"]), "{fire}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trigger_by_time_is_a_schedule_until_its_workflow_is_gone() {
    let app = TestApp::start().await;
    let definition = json!({
        "dsl": 1, "name": "nightly", "triggers": [{"cron": "30 2 * * *", "tz": "Europe/Berlin", "jitter": "5m"}],
        "steps": {"choose": {"use": "condition", "with": {"cases": [{"when": "true", "value": "yes"}]}}}
    });
    let (status, made) = app.post("/api/workflows", definition).await;
    assert_eq!(status, 201, "{made}");
    let (_, list) = app.get("/api/schedules?workflow=nightly").await;
    let schedule = &list["items"][0];
    assert_eq!(
        (&list["total"], &schedule["origin"], &schedule["jitter"]),
        (&json!(1), &json!("workflow"), &json!("5m"))
    );
    let path = format!("/api/schedules/{}", schedule["id"]);
    assert_eq!(app.delete(&path).await, 409);
    let (status, fire) = app.post(&format!("{path}/run"), json!({})).await;
    assert_eq!((status, &fire["state"]), (202, &json!("started")));
    assert_eq!(app.end(fire["task_id"].as_i64().unwrap()).await["status"], "completed");
    let (_, fires) = app.get(&format!("{path}/fires")).await;
    let fire = &fires["items"][0];
    assert!(fire["started_at"].is_string() && fire["caught_up"] == false && fire["note"] == "by hand", "{fire}");
    assert_eq!(app.delete("/api/workflows/nightly").await, 204);
    assert_eq!(app.get(&path).await.0, 404);
    let (status, problem) =
        app.post("/api/schedules", json!({ "link": "https://example.com", "cron": "0 25 * * *" })).await;
    assert_eq!((status, &problem["field"]), (422, &json!("cron")), "{problem}");
    let (_, preview) = app.post("/api/schedules/preview", json!({ "cron": "0 0 29 2 *", "count": 2 })).await;
    assert_eq!(preview["times"], json!(["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]));
    app.finish().await;
}
