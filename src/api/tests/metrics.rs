//! What Prometheus is told.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Api;
use crate::{
    api::{openapi, pages::PATHS},
    domain::{Lane, StepState, TaskStatus},
    store::NewTask,
};

/// The series of a scrape, without their values.
fn series(text: &str) -> BTreeSet<String> {
    let samples = text.lines().filter(|line| !line.starts_with('#'));
    samples.filter_map(|line| line.rsplit_once(' ')).map(|(series, _)| series.to_owned()).collect()
}

#[tokio::test]
async fn series_do_not_grow_with_use() {
    let api = Api::new().await;
    api.store().hurry().await;
    let scrape = async || {
        let answer = api.get("/metrics").await;
        assert_eq!(answer.status, 200);
        assert!(answer.header("content-type").starts_with("application/openmetrics-text"));
        String::from_utf8(answer.body).unwrap()
    };
    let add = async |count: i64| {
        for _ in 0..count {
            let task = NewTask {
                workflow: "transcribe".to_owned(),
                revision: 1,
                link: "https://secret.example/a-title".to_owned(),
                ..NewTask::default()
            };
            let mut id = None;
            api.write(async |tx| id = Some(tx.insert_task(task.clone()).await.unwrap())).await;
            let id = id.unwrap();
            api.get(&format!("/api/tasks/{id}")).await;
            api.get(&format!("/api/tasks/{id}/transcript")).await;
            api.get(&format!("/{id}/nowhere/{id}")).await;
            api.post(&format!("/api/tasks/{id}"), "{}").await;
            api.post("/api/tasks", "{\"link\": \"https://secret.example/a-title\"}").await;
        }
    };
    add(1).await;
    let before = scrape().await;
    add(8).await;
    let after = scrape().await;
    assert!(before.contains("route=\"/api/tasks/{id}/transcript\"") && before.contains("route=\"other\""), "{before}");
    assert!(after.contains("trawl_tasks{status=\"queued\"} 18"), "{after}");
    for text in ["secret.example", "a-title", "nowhere", "tasks/1"] {
        assert!(!after.contains(text), "{after}");
    }
    // What is measured is of this daemon; what is counted is of the process, in which other tests are at work, too.
    let measured = |text: &str| -> Vec<String> {
        let is_measured =
            |name: &String| !name.contains("_total") && !name.contains("_seconds") && !name.contains("factor");
        series(text).into_iter().filter(is_measured).collect()
    };
    assert_eq!(measured(&before), measured(&after));
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    let patterns: BTreeSet<&str> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    for series in series(&after) {
        let Some((_, rest)) = series.split_once("route=\"") else { continue };
        let route = rest.split('"').next().unwrap();
        assert!(patterns.contains(route) || PATHS.contains(&route) || route == "other", "{series}");
    }
}

#[tokio::test]
async fn what_has_not_ended_is_counted() {
    let api = Api::new().await;
    let answer = api.post("/api/tasks", "{\"link\": \"https://a.example/\"}").await;
    assert_eq!(answer.status, 202);
    let load = api.store().load().await.unwrap();
    assert_eq!(load.tasks.len(), TaskStatus::ALL.len());
    assert!(load.tasks.contains(&(TaskStatus::Queued, 1)) && load.tasks.contains(&(TaskStatus::Failed, 0)));
    assert_eq!(load.steps.len(), Lane::ALL.len() * 3);
    assert!(load.steps.contains(&(Lane::Net, StepState::Ready, 1)), "{load:?}");
    assert!(load.steps.contains(&(Lane::Gpu, StepState::Ready, 0)), "{load:?}");
    assert_eq!(load.deliveries, [("pending", 0), ("sending", 0), ("held", 0)]);
}
