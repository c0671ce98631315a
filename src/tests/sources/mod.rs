//! Lists that are followed, through the whole daemon and real HTTP: each post comes in once.

mod douyin;
mod podcast;
mod schedule;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::TestApp;

/// Pages of a list may be asked for as fast as a test can.
const FAST: &str = "crawlers.pace.list_every = \"1ms\"";

impl TestApp {
    /// Follows a list; the answer must be a 201. Returns the source's path, and what the first poll has brought.
    async fn follow(&self, wishes: Value) -> (String, Value) {
        let (status, answer) = self.post("/api/sources", wishes).await;
        assert_eq!(status, 201, "{answer}");
        (format!("/api/sources/{}", answer["source"]["id"]), answer["poll"].clone())
    }

    /// Polls a source; nothing may go wrong. Returns what that has brought.
    async fn poll(&self, source: &str) -> Value {
        let (status, answer) = self.post(&format!("{source}/run"), json!({})).await;
        assert_eq!((status, &answer["poll"]["error"]), (200, &Value::Null), "{answer}");
        answer["poll"].clone()
    }

    /// Every post seen in a source, with the task that was made of it.
    async fn items(&self, source: &str) -> BTreeMap<String, Value> {
        let (_, list) = self.get(&format!("{source}/items?limit=200")).await;
        let items = list["items"].as_array().unwrap();
        items.iter().map(|item| (item["item_id"].as_str().unwrap().to_owned(), item["task_id"].clone())).collect()
    }
}

/// The ids of the tasks that a poll has made.
fn tasks(poll: &Value) -> Vec<i64> {
    poll["tasks"].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect()
}
