//! What tasks are at, as lists and tasks tell it.

use std::time::Duration;

use serde_json::{Value, json};

use super::Api;
use crate::{
    domain::Lane,
    error::{Code, Error},
    queue::End,
};

/// What each task of the list is at, the newest task first.
async fn listed(api: &Api) -> Vec<Value> {
    let list = api.get("/api/tasks").await.json();
    list["items"].as_array().unwrap().iter().map(|task| task["current"].clone()).collect()
}

#[tokio::test]
async fn rows_of_the_list_tell_what_runs_and_who_is_next() {
    let api = Api::new().await;
    for _ in 0..3 {
        api.task().await;
    }
    let work = api.state.queue.claim(Lane::Net, 1, &[], false).await.unwrap().remove(0);
    assert!(api.state.queue.report(&work, 0.25, &[]).await.unwrap());
    let [third, second, first] = listed(&api).await.try_into().unwrap();
    assert_eq!(
        (&first["key"], &first["kind"], &first["state"]),
        (&json!("source"), &json!("resolve"), &json!("running"))
    );
    assert_eq!((&first["progress"], &first["attempt"], &first["lane"]), (&json!(0.25), &json!(1), &json!("net")));
    assert!(first["waits_for"].is_null() && first["position"].is_null() && first["started_at"].is_string());
    assert_eq!((&second["waits_for"], &second["position"]), (&json!("turn"), &json!(1)));
    assert_eq!((&third["waits_for"], &third["position"]), (&json!("turn"), &json!(2)));
    assert_eq!(api.get("/api/tasks/3").await.json()["current"], third);
    api.post("/api/tasks/2/cancel", "").await;
    assert!(api.get("/api/tasks/2").await.json()["current"].is_null());
    assert_eq!(listed(&api).await[0]["position"], 1);
}

#[tokio::test]
async fn rows_of_the_list_tell_why_a_step_does_not_run() {
    let api = Api::new().await;
    for _ in 0..2 {
        api.task().await;
    }
    let claimed = api.state.queue.claim(Lane::Net, 2, &[], false).await.unwrap();
    let missing = Error::new(Code::InsufficientStorage, "The disk is full").report();
    let waits = End::Wait { why: missing, wait: Duration::from_secs(60) };
    let failed = End::Failed(Error::new(Code::SourceError, "The site has answered 500"));
    for (work, end) in claimed.iter().zip([waits, failed]) {
        assert!(api.state.queue.end(work, &end).await.unwrap());
    }
    let [second, first] = listed(&api).await.try_into().unwrap();
    assert_eq!((&first["waits_for"], &first["error"]["code"]), (&json!("outside"), &json!("insufficient_storage")));
    assert_eq!((&second["waits_for"], &second["error"]["code"]), (&json!("retry"), &json!("source_error")));
    assert!(second["position"].is_null() && second["eligible_at"].as_str() > second["started_at"].as_str());
}
