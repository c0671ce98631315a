//! A schedule over a podcast.

use std::time::Duration;

use serde_json::{Value, json};

use super::{FAST, podcast::Podcast};
use crate::support::TestApp;

/// Fires a schedule by hand and waits for the fire's end.
async fn fire(app: &TestApp, schedule: &str) -> Value {
    let mut events = app.app.services.queue.wake().events();
    let (status, fire) = app.post(&format!("{schedule}/run"), json!({})).await;
    assert_eq!(status, 202, "{fire}");
    loop {
        let (_, fires) = app.get(&format!("{schedule}/fires?limit=1")).await;
        if fires["items"][0]["ended_at"].is_string() {
            return fires["items"][0].clone();
        }
        tokio::time::timeout(Duration::from_secs(60), events.changed()).await.expect("nothing happens").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_new_episode_makes_one_task_over_three_fires() {
    let (app, radio) = (TestApp::with(FAST).await, Podcast::start().await);
    radio.show(&[1]);
    let (source, _) = app.follow(json!({ "link": radio.link, "backfill": "none" })).await;
    let id: i64 = source.rsplit('/').next().unwrap().parse().unwrap();
    let (status, made) = app.post("/api/schedules", json!({ "source_id": id, "cron": "0 4 1 1 *" })).await;
    assert_eq!((status, made["next"].as_array().map(Vec::len)), (201, Some(5)), "{made}");
    let schedule = format!("/api/schedules/{}", made["id"]);
    let mut new = Vec::new();
    for episodes in [&[2, 1][..], &[1, 3, 2], &[3, 2]] {
        radio.show(episodes);
        let ended = fire(&app, &schedule).await;
        assert_eq!(ended["state"], "succeeded", "{ended}");
        new.push(ended["new_items"].as_i64().unwrap());
    }
    assert_eq!(new, [1, 1, 0]);
    let (_, tasks) = app.get("/api/tasks").await;
    assert_eq!(tasks["total"], 2);
    for task in tasks["items"].as_array().unwrap() {
        assert_eq!(app.end(task["id"].as_i64().unwrap()).await["status"], "completed");
    }
    // A schedule goes with its source.
    assert_eq!(app.delete(&source).await, 204);
    assert_eq!(app.get(&schedule).await.0, 404);
    app.finish().await;
}
