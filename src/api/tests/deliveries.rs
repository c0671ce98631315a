//! Many callbacks sent once more, and their receivers.

use super::{results::delivered, *};
use crate::domain::Heard;

#[tokio::test]
async fn many_are_sent_once_more_by_time_state_and_receiver() {
    let api = Api::new().await;
    delivered(&api).await;
    let since = "2020-01-01T00:00:00Z";
    for (body, count) in [
        (json!({ "since": since, "until": "2020-01-02T00:00:00Z" }), 0),
        (json!({ "since": since, "url": "https://example.com/other" }), 0),
        (json!({ "since": since, "url": "https://example.com/h?task=1" }), 1),
        (json!({ "since": since }), 0),
        (json!({ "since": since, "state": "delivered" }), 1),
    ] {
        let answer = api.post("/api/deliveries/redeliver", body.to_string()).await.json();
        assert_eq!(answer, json!({ "count": count }), "{body}");
    }
    for id in ["msg_0", "msg_1"] {
        assert_eq!(api.get(&format!("/api/deliveries/{id}")).await.json()["state"], "pending", "{id}");
    }
    for (body, field) in [
        (json!({ "since": since, "state": "pending" }), "state"),
        (json!({ "since": since, "until": since }), "until"),
        (json!({}), "since"),
        (json!({ "since": "yesterday" }), "since"),
    ] {
        let problem = api.post("/api/deliveries/redeliver", body.to_string()).await.problem(422, "invalid_value");
        assert_eq!(problem["field"], field, "{body}");
    }
}

#[tokio::test]
async fn receivers_are_listed_and_switched() {
    let api = Api::new().await;
    delivered(&api).await;
    assert_eq!(api.get("/api/endpoints").await.json(), json!({ "items": [], "next_cursor": null }));
    api.write(async |tx| {
        tx.note_endpoint("https://example.com/h?a=1", Heard::Gone, 1).await.unwrap();
        tx.note_endpoint("https://example.com/b", Heard::Taken, 1).await.unwrap();
        assert_eq!(tx.hold_deliveries(9).await.unwrap().len(), 2);
    })
    .await;
    let page = api.get("/api/endpoints?limit=1").await.json();
    let next = api.get(&format!("/api/endpoints?cursor={}", page["next_cursor"].as_str().unwrap())).await.json();
    assert_eq!((next["items"].as_array().map(Vec::len), &next["next_cursor"]), (Some(1), &Value::Null));
    let gone = api.get("/api/endpoints?state=gone").await.json()["items"][0].clone();
    let id = gone["id"].as_str().unwrap();
    assert_eq!(
        (&gone["url"], &gone["failures"], &gone["held"]),
        (&json!("https://example.com/h"), &json!(1), &json!(2))
    );
    assert!(gone["failing_since"].is_string() && gone["last_success_at"].is_null(), "{gone}");
    let held = api.get(&format!("/api/deliveries?endpoint={id}&state=held")).await.json();
    assert_eq!((held["items"].as_array().map(Vec::len), &held["items"][0]["next_at"]), (Some(2), &Value::Null));

    let path = format!("/api/endpoints/{id}");
    let on = api.patch(&path, json!({ "state": "on" })).await.json();
    let counts = ["pending", "sending", "held", "dead"].map(|state| on[state].as_u64().unwrap());
    assert_eq!((&on["state"], &on["failures"], counts), (&json!("on"), &json!(0), [2, 0, 0, 1]));
    assert_eq!(api.patch(&path, json!({ "state": "off" })).await.json()["state"], "off");
    assert_eq!(api.get(&path).await.json()["state"], "off");
    let problem = api.patch(&path, json!({ "state": "gone" })).await.problem(422, "invalid_value");
    assert_eq!(problem["field"], "state");
    api.patch("/api/endpoints/nobody", json!({ "state": "on" })).await.problem(404, "not_found");
    api.get("/api/endpoints/nobody").await.problem(404, "not_found");
}
