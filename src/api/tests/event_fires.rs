//! What became of events, over the API.

use serde_json::{Map, json};

use super::Api;
use crate::{domain::TaskId, store::NewEventFire};

#[tokio::test]
async fn events_that_triggers_took_come_in_pages() {
    let api = Api::new().await;
    let fire = |event_id: i64, params| NewEventFire {
        workflow: "transcribe".to_owned(),
        trigger: 2,
        event_id,
        source_task: TaskId(9),
        params,
    };
    api.write(async |tx| {
        for event_id in 1..=2 {
            tx.insert_event_fire(fire(event_id, Ok(Map::new()))).await.unwrap();
        }
        tx.insert_event_fire(fire(3, Err("no such field".to_owned()))).await.unwrap();
    })
    .await;
    let page = api.get("/api/workflows/transcribe/fires?limit=2").await.json();
    assert_eq!((&page["total"], page["items"].as_array().unwrap().len()), (&json!(3), 2));
    let newest = &page["items"][0];
    assert_eq!((&newest["state"], &newest["note"]), (&json!("refused"), &json!("no such field")), "{newest}");
    assert_eq!((&newest["event_id"], &newest["trigger"], &newest["source_task_id"]), (&json!(3), &json!(2), &json!(9)));
    assert_eq!(page["items"][1]["state"], "pending");
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/api/workflows/transcribe/fires?limit=2&cursor={cursor}")).await.json();
    assert_eq!((&rest["items"][0]["event_id"], &rest["next_cursor"]), (&json!(1), &json!(null)));
    let problem = api.get("/api/workflows/transcibe/fires").await.problem(404, "unknown_workflow");
    assert_eq!(problem["hint"], "Did you mean \"transcribe\"?");
}
