//! What one token may not do by a workflow's steps, on the real road.

use serde_json::{Value, json};
use trawl::{
    access::{Wanted, create},
    domain::{Quota, Scope},
};

use super::support::{Site, TestApp, sample_bytes};

async fn token(app: &TestApp, name: &str, quota: Quota) -> String {
    let scopes = [Scope::Read, Scope::Submit].into_iter().collect();
    let wanted = Wanted { name: name.to_owned(), scopes, quota, expires_at: None };
    create(app.app.services.queue.store(), wanted).await.unwrap().1.text().to_owned()
}

/// Posts JSON with a token.
async fn post(app: &TestApp, key: &str, body: Value) -> (u16, Value) {
    let request = app.http.post(format!("{}/api/tasks", app.url)).bearer_auth(key).json(&body);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// The tasks of a token, the newest first, when all of them have ended.
async fn ended(app: &TestApp, key: &str, task: &Value) -> Vec<Value> {
    app.end(task["id"].as_i64().unwrap()).await;
    let answer = app.http.get(format!("{}/api/tasks", app.url)).bearer_auth(key).send().await.unwrap();
    answer.json::<Value>().await.unwrap()["items"].as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_s_task_may_name_no_more_than_its_own() {
    let app = TestApp::start().await;
    let (status, theirs) = app.upload("en-known-04.flac", sample_bytes("en-known-04.flac"), &[]).await;
    assert_eq!(status, 202, "{theirs}");
    let theirs = app.end(theirs["id"].as_i64().unwrap()).await;
    let key = token(&app, "curious", Quota::default()).await;
    let media = format!("media:{}", theirs["media"]["id"]);
    for link in [media.as_str(), theirs["link"].as_str().unwrap()] {
        assert_eq!(post(&app, &key, json!({ "link": link })).await.0, 404, "{link}");
        let files = json!([{ "name": "x", "link": link }]);
        let wanted = json!({ "workflow": "transcribe-folder", "params": { "files": files } });
        let (status, task) = post(&app, &key, wanted).await;
        assert_eq!(status, 202, "{task}");
        let own = ended(&app, &key, &task).await;
        assert!(own.iter().all(|task| task["media"].is_null()), "{own:?}");
        let items = app.get(&format!("/api/tasks/{}/steps/each/items", task["id"])).await.1;
        assert_eq!(items["items"][0]["error"]["code"], "not_found", "{items}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_day_s_audio_ends_between_the_files_of_one_list() {
    let app = TestApp::start().await;
    let step = json!({ "use": "workflow", "with": { "name": "transcribe", "params": { "link": "${file}" } },
        "foreach": { "in": "params.files", "as": "file", "parallel": 1, "on_item_error": "collect" } });
    let workflow = json!({ "dsl": 1, "name": "one-by-one", "params": { "files": { "type": "array" } },
        "steps": { "each": step } });
    assert_eq!(app.post("/api/workflows", workflow).await.0, 201);
    let key = token(&app, "frugal", Quota { audio_seconds: Some(1), ..Quota::default() }).await;
    let site = Site::start().await;
    let links = ["en-known-04.flac", "en-known-02.flac"]
        .map(|name| site.file(&format!("/{name}"), "audio/flac", sample_bytes(name)));
    let (status, task) = post(&app, &key, json!({ "workflow": "one-by-one", "params": { "files": links } })).await;
    assert_eq!(status, 202, "{task}");
    app.end(task["id"].as_i64().unwrap()).await;
    let (_, items) = app.get(&format!("/api/tasks/{}/steps/each/items", task["id"])).await;
    assert_eq!(items["items"][0]["state"], "succeeded", "{items}");
    assert_eq!(items["items"][1]["error"]["code"], "quota_exceeded", "{items}");
    // More is not taken either.
    assert_eq!(post(&app, &key, json!({ "link": links[0] })).await.0, 429);
    app.finish().await;
}

/// Security list, 35: who exempts the daemon's own address (these tests do) lets links to it through, and the daemon
/// then asks itself as a stranger would: without a token.
#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_the_own_api_has_no_rights() {
    let app = TestApp::with("auth.mode = \"on\"").await;
    let key = token(&app, "curious", Quota::default()).await;
    let (status, task) = post(&app, &key, json!({ "link": format!("{}/api/tasks", app.url) })).await;
    assert_eq!(status, 202, "{task}");
    let path = format!("{}/api/tasks/{}?wait=60", app.url, task["id"]);
    let task = app.http.get(path).bearer_auth(&key).send().await.unwrap().json::<Value>().await.unwrap();
    let error = (&task["status"], &task["error"]["code"]);
    assert_eq!(error, (&json!("failed"), &json!("source_forbidden")), "{task}");
    app.finish().await;
}
