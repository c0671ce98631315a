//! Media files, whole and in parts.

use poem::{Request, http::Method};

use super::{Answer, Api, tasks::complete};
use crate::{
    domain::{MediaId, TaskId},
    store::NewMedia,
};

/// A daemon with one task whose media file holds this.
pub(super) async fn with_media(content: &[u8]) -> Api {
    let api = Api::new().await;
    let id = api.task().await;
    api.get("/api/tasks/1/media").await.problem(409, "not_ready");
    let mut upload = api.state.files.new_upload().await.unwrap();
    upload.write(content).await.unwrap();
    upload.finish().await.unwrap();
    let kept = api.state.files.keep(upload.path()).await.unwrap();
    api.write(async |tx| {
        let new = NewMedia {
            platform: "web".to_owned(),
            platform_id: "1".to_owned(),
            title: "讲话/\"x\"".to_owned(),
            ..NewMedia::default()
        };
        let media = tx.upsert_media(new).await.unwrap();
        let size = i64::try_from(kept.size).unwrap();
        tx.set_media_file(media, &kept.key, size, &kept.sha256, Some("video/mp4")).await.unwrap();
        tx.set_task_media(id, media).await.unwrap();
    })
    .await;
    api
}

async fn ask(api: &Api, method: Method, headers: &[(&str, &str)]) -> Answer {
    let start = Request::builder().method(method).uri_str("/api/tasks/1/media");
    api.send(headers.iter().fold(start, |request, (name, value)| request.header(*name, *value)).finish()).await
}

#[tokio::test]
async fn the_file_is_saved_never_run() {
    let content: Vec<u8> = (0..=255).collect();
    let api = with_media(&content).await;
    let whole = ask(&api, Method::GET, &[]).await;
    assert_eq!((whole.status.as_u16(), &whole.body), (200, &content));
    assert_eq!(whole.header("content-type"), "video/mp4");
    assert_eq!(whole.header("content-length"), "256");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.header("content-security-policy"), "sandbox; default-src 'none'");
    let name = whole.header("content-disposition");
    assert!(name.starts_with("attachment; filename=\"___") && name.contains("filename*=UTF-8''%E8%AE%B2"), "{name}");
    let head = ask(&api, Method::HEAD, &[]).await;
    assert_eq!((head.status.as_u16(), head.header("content-length"), head.body.len()), (200, "256", 0));
    let etag = whole.header("etag").to_owned();
    let unchanged = ask(&api, Method::GET, &[("if-none-match", &etag)]).await;
    assert_eq!((unchanged.status.as_u16(), unchanged.body.len()), (304, 0));
    assert_eq!(api.get("/api/tasks/1").await.json()["media"]["available"], true);
}

#[tokio::test]
async fn parts_are_what_was_asked_for() {
    let content: Vec<u8> = (0..=255).collect();
    let api = with_media(&content).await;
    let part = ask(&api, Method::GET, &[("range", "bytes=10-19")]).await;
    assert_eq!((part.status.as_u16(), &part.body[..]), (206, &content[10..20]));
    assert_eq!((part.header("content-range"), part.header("content-length")), ("bytes 10-19/256", "10"));
    let tail = ask(&api, Method::GET, &[("range", "bytes=-6")]).await;
    assert_eq!((tail.status.as_u16(), &tail.body[..]), (206, &content[250..]));
    let beyond = ask(&api, Method::GET, &[("range", "bytes=256-")]).await;
    beyond.problem(416, "range_not_satisfiable");
    assert_eq!(beyond.header("content-range"), "bytes */256");
    let other = ask(&api, Method::GET, &[("range", "bytes=0-1"), ("if-range", "\"other\"")]).await;
    assert_eq!((other.status.as_u16(), other.body.len()), (200, 256));
}

#[tokio::test]
async fn a_deleted_task_takes_its_file_along() {
    let api = with_media(b"some bytes").await;
    assert_eq!(api.files("data/media").len(), 1);
    let delete = Request::builder().method(Method::DELETE).uri_str("/api/tasks/1").finish();
    assert_eq!(api.send(delete).await.status, 204);
    assert_eq!(api.files("data/media").len(), 0);
}

#[tokio::test]
async fn a_file_that_retention_took_away_is_spoken_of() {
    let api = with_media(b"some bytes").await;
    complete(&api, TaskId(1)).await;
    let media = api.store().media(MediaId(1)).await.unwrap().unwrap();
    api.write(async |tx| tx.give_file_up(&media.file.unwrap()).await.unwrap()).await;
    let gone = ask(&api, Method::GET, &[]).await;
    let said = gone.json();
    gone.problem(404, "not_found");
    assert!(said["detail"].as_str().unwrap().contains("was removed on 20"), "{said}");
    assert!(said["hint"].as_str().unwrap().contains("words stay"), "{said}");
    let task = api.get("/api/tasks/1").await.json();
    assert_eq!((&task["media"]["available"], &task["links"]["media"]), (&false.into(), &serde_json::Value::Null));
    assert!(task["media"]["file_removed_at"].is_string() && task["media"]["sha256"].is_string(), "{task}");
    assert_eq!(api.get("/api/tasks/1/transcript").await.status.as_u16(), 200);
}
