//! What is counted, and what is too much.

use serde_json::json;

use super::*;
use crate::domain::Usage;

const LINK: &str = r#"{"link": "https://example.com/a.mp3"}"#;

#[tokio::test]
async fn what_was_done_is_told_to_whom_it_concerns() {
    let api = guarded().await;
    let (first, one) = api.token_with(WORKER, Quota::default()).await;
    let (other, admin) = (api.token_for(WORKER).await, api.token_for(&[Scope::Admin]).await);
    api.task_as(&one).await;
    api.task_as(&other).await;
    api.write(async |tx| {
        let used = Usage { audio_ms: 1500, llm_tokens: 70, ..Usage::default() };
        tx.add_usage(Some(first.id), used).await.unwrap();
        tx.add_usage(Some(first.id), used).await.unwrap();
    })
    .await;
    let own = api.get_as(&one, "/api/usage").await.json();
    let row = &own["items"][0];
    assert_eq!(own["items"].as_array().unwrap().len(), 1);
    assert_eq!((&row["token_id"], &row["token_name"]), (&json!(first.id.0), &json!("test")));
    assert_eq!((&row["requests"], &row["tasks"]), (&json!(2), &json!(1)));
    assert_eq!((&row["audio_seconds"], &row["llm_tokens"]), (&json!(3.0), &json!(140)));
    assert_eq!(row["bytes_in"], json!(LINK.replace(": ", ":").len()));
    assert_eq!(own["total"]["tasks"], 1);
    assert!(row["day"].as_str().unwrap().ends_with("T00:00:00Z"), "{row}");
    let all = api.get_as(&admin, "/api/usage").await.json();
    assert_eq!((all["items"].as_array().unwrap().len(), &all["total"]["tasks"]), (3, &json!(2)));
    let of =
        async |key: &str, id: i64| api.get_as(key, &format!("/api/usage?token_id={id}")).await.json()["items"].clone();
    assert_eq!(of(&admin, first.id.0).await[0]["tasks"], 1);
    assert_eq!(of(&other, first.id.0).await, json!([]));
    // What was counted in memory is in the database after an orderly stop.
    api.state.access.flush().await.unwrap();
    let rows = api.store().usage(Some(first.id), 0).await.unwrap();
    assert_eq!(rows[0].usage.requests, 2);
}

#[tokio::test]
async fn a_quota_is_told_before_anything_is_stored() {
    let api = guarded().await;
    let quota = Quota { tasks: Some(2), ..Quota::default() };
    let (_, key) = api.token_with(WORKER, quota).await;
    api.task_as(&key).await;
    let text = "https://example.com/b.mp3\nhttps://example.com/c.mp3";
    let batch = api.post_as(&key, "/api/tasks/batch", json!({ "text": text })).await.json();
    assert_eq!(batch["accepted"].as_array().unwrap().len(), 1);
    assert_eq!(batch["rejected"][0]["error"]["code"], "quota_exceeded");
    let answer = api.post_as(&key, "/api/tasks", json!({"link": "https://example.com/d.mp3"})).await;
    answer.problem(429, "quota_exceeded");
    assert_eq!(answer.header("retry-after"), "60");
    assert_eq!(api.get_as(&key, "/api/tasks").await.json()["total"], 2);

    let (_, key) = api.token_with(WORKER, Quota { bytes: Some(100), ..Quota::default() }).await;
    let upload = async |length: &str| {
        let request = Request::builder().method(Method::POST).uri_str("/api/tasks/upload").header("x-api-key", &key);
        let request = request.header("content-length", length).content_type("multipart/form-data; boundary=B");
        api.send(request.body("--B--\r\n")).await
    };
    upload("101").await.problem(429, "quota_exceeded");
    upload("7").await.problem(400, "invalid_request");

    let (token, key) = api.token_with(WORKER, Quota { audio_seconds: Some(10), ..Quota::default() }).await;
    api.task_as(&key).await;
    api.write(async |tx| {
        tx.add_usage(Some(token.id), Usage { audio_ms: 10_000, ..Usage::default() }).await.unwrap();
    })
    .await;
    let answer = api.post_as(&key, "/api/tasks", json!({"link": "https://example.com/d.mp3"})).await;
    answer.problem(429, "quota_exceeded");
    assert!((1..=86_400).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    assert!(api.files("temp").is_empty());
}

#[tokio::test]
async fn submissions_have_a_rate() {
    let api = guarded_with(|config| config.auth.submits_per_minute = 2).await;
    let (one, other) = (api.token_for(WORKER).await, api.token_for(WORKER).await);
    api.task_as(&one).await;
    api.task_as(&one).await;
    let answer = api.post_as(&one, "/api/tasks", json!({"link": "https://example.com/a.mp3"})).await;
    answer.problem(429, "too_many_requests");
    assert!((1..=30).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    api.task_as(&other).await;
    assert_eq!(api.get_as(&one, "/api/tasks").await.status, 200);
}
