//! The list of nodes, and what a node answers that only works.

use serde_json::json;

use super::Api;
use crate::{
    config::AuthMode,
    domain::{Lane, Role, Scope},
    store::{LaneLoad, NewNode},
};

fn node(id: &str, name: &str) -> NewNode {
    NewNode {
        id: id.to_owned(),
        name: name.to_owned(),
        role: Role::Worker,
        version: "1.2.3".to_owned(),
        keys_sha256: "aa".to_owned(),
        draining: false,
        lanes: vec![LaneLoad { lane: Lane::Net, width: 8, busy: 1 }],
        // As another version may tell it.
        devices: json!([{ "name": "cpu", "colour": "red" }, 7]),
        engines: json!({}),
        models: vec!["base".to_owned()],
    }
}

#[tokio::test]
async fn nodes_are_listed_with_what_they_do() {
    let api = Api::new().await;
    let id = api.task().await;
    let own = api.state.queue.owner().to_owned();
    api.write(async |tx| {
        tx.put_node(&node(&own, "this")).await.unwrap();
        tx.put_node(&node("other", "that")).await.unwrap();
    })
    .await;
    let work = api.state.queue.claim(Lane::Net, 1, &[], false).await.unwrap().pop().unwrap();
    let list = api.get("/api/nodes").await.json();
    let items = list["items"].as_array().unwrap();
    assert_eq!(items.len(), 2, "{list}");
    let of = |name: &str| items.iter().find(|node| node["name"] == name).unwrap();
    let (this, that) = (of("this"), of("that"));
    assert_eq!((&this["here"], &that["here"]), (&json!(true), &json!(false)));
    assert_eq!((&this["state"], &this["role"], &this["version"]), (&json!("ready"), &json!("worker"), &json!("1.2.3")));
    assert_eq!(this["lanes"], json!([{ "lane": "net", "width": 8, "busy": 1 }]));
    let running = this["running"].as_array().unwrap();
    assert_eq!((running.len(), &running[0]["task_id"]), (1, &json!(id.0)), "{list}");
    assert_eq!((&running[0]["step"], &running[0]["kind"]), (&json!(work.row.step.key), &json!("resolve")));
    assert_eq!((&that["running"], &that["engines"]), (&json!([]), &json!([])));
    assert_eq!((that["devices"].as_array().unwrap().len(), &that["devices"][0]["name"]), (1, &json!("cpu")));
    assert!(!list.to_string().contains("\"aa\""), "what tells the keys is nobody's business: {list}");
    let metrics = api.get("/metrics").await.text();
    assert!(metrics.contains("trawl_nodes{state=\"ready\"} 2") && metrics.contains("trawl_nodes{state=\"lost\"} 0"));
}

#[tokio::test]
async fn others_tasks_are_not_told_of() {
    let api = Api::with(|config| config.auth.mode = AuthMode::On).await;
    let (admin, owner) = (api.token_for(&[Scope::Admin]).await, api.token_for(&[Scope::Read, Scope::Submit]).await);
    let other = api.token_for(&[Scope::Read]).await;
    api.task_as(&owner).await;
    let own = api.state.queue.owner().to_owned();
    api.write(async |tx| tx.put_node(&node(&own, "this")).await.unwrap()).await;
    api.state.queue.claim(Lane::Net, 1, &[], false).await.unwrap().pop().unwrap();
    for (key, expected) in [(&admin, 1), (&owner, 1), (&other, 0)] {
        let list = api.get_as(key, "/api/nodes").await.json();
        assert_eq!(list["items"][0]["running"].as_array().unwrap().len(), expected, "{list}");
    }
    api.get("/api/nodes").await.problem(401, "unauthorized");
}

#[tokio::test]
async fn a_worker_tells_how_it_is_and_nothing_else() {
    let api = Api::with(|config| config.server.role = Role::Worker).await;
    for path in ["/live", "/ready", "/metrics"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
    for path in ["/", "/docs", "/openapi.json", "/api/tasks", "/api/nodes", "/metrics/x"] {
        let problem = api.get(path).await.problem(404, "not_found");
        assert!(problem["hint"].as_str().unwrap().contains("/ready"), "{problem}");
    }
    // In the shapes of their own systems.
    for path in ["/v1/models", "/health"] {
        assert_eq!(api.get(path).await.status, 404, "{path}");
    }
    api.post("/api/tasks", "{}").await.problem(404, "not_found");
    api.post("/ready", "{}").await.problem(405, "method_not_allowed");
}
