//! What came with one token is not there for another.

use futures_util::StreamExt;
use serde_json::json;

use super::*;
use crate::{
    domain::TaskId,
    store::{NewMedia, NewUpload},
};

#[tokio::test]
async fn a_task_of_one_token_is_not_there_for_another() {
    let api = guarded().await;
    let (one, other) = (api.token_for(WORKER).await, api.token_for(WORKER).await);
    let admin = api.token_for(&[Scope::Admin]).await;
    let id = api.task_as(&one).await;
    let document: Value = serde_json::from_str(&crate::api::openapi()).unwrap();
    let mut tried = 0;
    for (path, operations) in document["paths"].as_object().unwrap() {
        if !path.starts_with("/api/tasks/{") {
            continue;
        }
        for method in operations.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let there = path.replacen("{id}", &id.to_string(), 1).replace("{name}", "x").replace("{file}", "x.srt");
            let nowhere = there.replacen(&format!("/{id}"), "/999", 1);
            let not_own = api.as_(&other, method.clone(), &there, "{}").await;
            let missing = api.as_(&other, method.clone(), &nowhere, "{}").await;
            not_own.problem(404, "not_found");
            assert_eq!(not_own.text(), missing.text().replace("999", &id.to_string()), "{method} {path}");
            tried += 1;
        }
    }
    assert!(tried >= 9);
    assert_eq!(api.get_as(&one, &format!("/api/tasks/{id}")).await.json()["status"], "queued");
    assert_eq!(api.get_as(&admin, &format!("/api/tasks/{id}")).await.status, 200);
    for path in ["/api/tasks", "/api/tasks/counts"] {
        let total = async |key: &str| api.get_as(key, path).await.json()["total"].clone();
        assert_eq!((total(&one).await, total(&other).await, total(&admin).await), (json!(1), json!(0), json!(1)));
    }
    assert_eq!(api.post_as(&one, &format!("/api/tasks/{id}/cancel"), json!({})).await.status, 200);
    // What is made of it is its owner's, whoever asks for it.
    let again = api.post_as(&admin, &format!("/api/tasks/{id}/rerun"), json!({})).await.json()["id"].clone();
    assert_eq!(api.get_as(&one, &format!("/api/tasks/{again}")).await.status, 200);
    assert_eq!(api.as_(&one, Method::DELETE, &format!("/api/tasks/{id}"), ()).await.status, 204);
}

#[tokio::test]
async fn the_events_of_one_token_are_not_told_to_another() {
    let api = guarded().await;
    let (one, other) = (api.token_for(WORKER).await, api.token_for(WORKER).await);
    // More than are read at once.
    let foreign = TaskId(api.task_as(&one).await);
    api.write(async |tx| {
        for number in 0..450 {
            tx.add_event(foreign, "progress", json!({ "progress": number }));
        }
    })
    .await;
    let own = api.task_as(&other).await;
    let request = Request::builder().uri_str("/api/events?last_event_id=0").header("x-api-key", &other).finish();
    let mut view = Box::pin(api.call(request).await.into_body().into_bytes_stream());
    let first = String::from_utf8(view.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.contains(&format!("\"task_id\":{own}")), "{first}");
}

#[tokio::test]
async fn a_deletion_is_told_to_its_owner_only() {
    let api = guarded().await;
    let (one, other) = (api.token_for(WORKER).await, api.token_for(WORKER).await);
    for key in [&one, &other] {
        let id = api.task_as(key).await;
        assert_eq!(api.as_(key, Method::DELETE, &format!("/api/tasks/{id}"), ()).await.status, 204);
    }
    let request = Request::builder().uri_str("/api/events?last_event_id=0").header("x-api-key", &other).finish();
    let mut view = Box::pin(api.call(request).await.into_body().into_bytes_stream());
    let first = String::from_utf8(view.next().await.unwrap().unwrap().to_vec()).unwrap();
    assert!(first.contains("event: deleted") && first.contains("\"task_id\":2"), "{first}");
}

#[tokio::test]
async fn uploads_and_media_are_their_owners() {
    let api = guarded().await;
    let (first, one) = api.token_with(WORKER, Quota::default()).await;
    let (other, admin) = (api.token_for(WORKER).await, api.token_for(&[Scope::Admin]).await);
    let task = TaskId(api.task_as(&one).await);
    let mut media = None;
    api.write(async |tx| {
        let upload = NewUpload {
            id: "u1".to_owned(),
            file_name: "a.wav".to_owned(),
            file: "key".to_owned(),
            size: 1,
            sha256: "0".repeat(64),
            content_type: None,
            owner: Some(first.id),
        };
        tx.insert_upload(upload).await.unwrap();
        let new = NewMedia { platform: "generic".to_owned(), platform_id: "1".to_owned(), ..NewMedia::default() };
        let id = tx.upsert_media(new).await.unwrap();
        tx.set_task_media(task, id).await.unwrap();
        media = Some(id);
    })
    .await;
    let media = media.unwrap().0;
    for (body, none) in [
        (json!({"upload_id": "u1"}), json!({"upload_id": "u2"})),
        (json!({ "media_id": media }), json!({"media_id": 99})),
        (json!({"link": format!("media:{media}")}), json!({"link": "media:99"})),
    ] {
        let refused = api.post_as(&other, "/api/tasks", body.clone()).await;
        refused.problem(404, "not_found");
        let missing = api.post_as(&other, "/api/tasks", none).await.text();
        let changed = missing.replace("u2", "u1").replace("media 99", &format!("media {media}"));
        assert_eq!(refused.text(), changed);
        for key in [&one, &admin] {
            assert_eq!(api.post_as(key, "/api/tasks", body.clone()).await.status, 202, "{body}");
        }
    }
    let lines = api.post_as(&other, "/api/tasks/batch", json!({"text": "https://example.com/a.mp3"})).await.json();
    let id = lines["accepted"][0]["id"].as_i64().unwrap();
    assert_eq!(api.get_as(&other, &format!("/api/tasks/{id}")).await.status, 200);
    api.get_as(&one, &format!("/api/tasks/{id}")).await.problem(404, "not_found");
}

#[tokio::test]
async fn two_tokens_may_use_the_same_idempotency_key() {
    let api = guarded().await;
    let (one, other) = (api.token_for(WORKER).await, api.token_for(WORKER).await);
    let send = async |key: &str| {
        let request = Request::builder().method(Method::POST).uri_str("/api/tasks").content_type("application/json");
        let request = request.header("x-api-key", key).header("idempotency-key", "same");
        api.send(request.body(r#"{"link": "https://example.com/a.mp3"}"#)).await.json()["id"].as_i64().unwrap()
    };
    let (a, b) = (send(&one).await, send(&other).await);
    assert_ne!(a, b);
    assert_eq!((send(&one).await, send(&other).await), (a, b));
}

#[tokio::test]
async fn one_token_leaves_room_for_the_uploads_of_others() {
    let api = guarded_with(|config| config.uploads.max_unfinished = 8).await;
    let (one, other) = (api.token_for(WORKER).await, api.token_for(WORKER).await);
    let begin = async |key: &str| {
        let request = Request::builder().method(Method::POST).uri_str("/api/uploads").header("x-api-key", key);
        api.send(request.header("tus-resumable", "1.0.0").header("upload-length", "9").finish()).await
    };
    for key in [&one, &one, &other] {
        assert_eq!(begin(key).await.status, 201);
    }
    begin(&one).await.problem(507, "insufficient_storage");
    assert_eq!(begin(&other).await.status, 201);
}
