//! Who goes first when the engine is busy.

use serde_json::json;

use super::{
    cancel::{Stage, step},
    support::sample_bytes,
};

const CLIP: &str = "en-known-04.flac";

#[tokio::test(flavor = "multi_thread")]
async fn urgent_clips_are_transcribed_first() {
    let stage = Stage::set("").await;
    let busy = stage.upload("long.m4a").await;
    stage.until(busy, "text", "running").await;
    let mut tasks = Vec::new();
    for priority in ["low", "normal", "high"] {
        let (_, task) = stage.app.upload(CLIP, sample_bytes(CLIP), &[("priority", priority)]).await;
        tasks.push(task["id"].as_i64().unwrap());
    }
    // All of them are decoded and wait for the one slot.
    for id in &tasks {
        stage.until(*id, "text", "ready").await;
    }
    let (status, _) = stage.app.post(&format!("/api/tasks/{busy}/cancel"), json!({})).await;
    assert_eq!(status, 200);
    let mut started = Vec::new();
    for id in &tasks {
        let task = stage.app.end(*id).await;
        assert_eq!(task["status"], "completed");
        started.push((step(&task, "text")["started_at"].as_str().unwrap().to_owned(), *id));
    }
    started.sort();
    tasks.reverse();
    assert_eq!(started.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), tasks);
    stage.app.finish().await;
}
