//! Who goes first when the engine is busy.

use serde_json::json;

use super::{
    cancel::{Stage, step},
    support::sample_bytes,
};

const CLIP: &str = "en-known-04.flac";
/// So that the clips are not one transcript for all.
const CACHE: (&str, &str) = ("options", "{\"no_cache\": true}");

#[tokio::test(flavor = "multi_thread")]
async fn urgent_clips_are_transcribed_first() {
    let stage = Stage::set("").await;
    let busy = stage.upload("long.m4a").await;
    stage.until(busy, "text", "running").await;
    let mut waiting = Vec::new();
    for priority in ["low", "normal"] {
        let (_, task) = stage.app.upload(CLIP, sample_bytes(CLIP), &[("priority", priority), CACHE]).await;
        waiting.push(task["id"].as_i64().unwrap());
    }
    for id in &waiting {
        stage.until(*id, "text", "ready").await;
    }
    // An urgent clip goes between two windows of the recording that has the only slot.
    let (_, urgent) = stage.app.upload(CLIP, sample_bytes(CLIP), &[("priority", "high"), CACHE]).await;
    let urgent = stage.app.end(urgent["id"].as_i64().unwrap()).await;
    assert_eq!(urgent["status"], "completed");
    let (_, recording) = stage.app.get(&format!("/api/tasks/{busy}")).await;
    assert_eq!(step(&recording, "text")["state"], "running", "{recording}");

    let (status, _) = stage.app.post(&format!("/api/tasks/{busy}/cancel"), json!({})).await;
    assert_eq!(status, 200);
    let mut started = Vec::new();
    for id in &waiting {
        let task = stage.app.end(*id).await;
        assert_eq!(task["status"], "completed");
        started.push((step(&task, "text")["started_at"].as_str().unwrap().to_owned(), *id));
    }
    started.sort();
    waiting.reverse();
    assert_eq!(started.into_iter().map(|(_, id)| id).collect::<Vec<_>>(), waiting);
    stage.app.finish().await;
}
