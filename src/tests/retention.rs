//! What goes by itself in a running daemon, and what people are told then.

use serde_json::json;

use super::support::{Site, TestApp, sample_bytes, walk};

const WORDS: &str = "The music is near the long box.";

/// A daemon that looks every second, and a link.
async fn daemon(more: &str) -> (TestApp, Site, String) {
    let (app, site) = (TestApp::with(&format!("retention.every = \"1s\"\n{more}")).await, Site::start().await);
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    (app, site, link)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_when_it_is_old() {
    let (app, _site, link) = daemon("retention.tasks = \"1s\"").await;
    let id = app.paste(&link).await;
    assert_eq!(app.end(id).await["result"]["text"], WORDS);
    app.eventually("no kept file", || walk(&app.folder().join("data/media")).is_empty()).await;
    assert_eq!(app.get(&format!("/api/tasks/{id}")).await.0, 404);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_goes_for_room_and_the_words_stay() {
    let (app, site, link) = daemon("retention.media_bytes = 1").await;
    let id = app.paste(&link).await;
    let task = app.end(id).await;
    assert_eq!(task["result"]["text"], WORDS);
    app.eventually("no kept file", || walk(&app.folder().join("data/media")).is_empty()).await;
    let (status, said) = app.get(&format!("/api/tasks/{id}/media")).await;
    assert!(status == 404 && said["detail"].as_str().unwrap().contains("was removed on"), "{said}");
    assert!(app.text(&format!("/api/tasks/{id}/transcript?format=txt")).await.contains("music"));
    let (_, task) = app.get(&format!("/api/tasks/{id}")).await;
    assert!(task["media"]["file_removed_at"].is_string() && task["media"]["available"] == false, "{task}");
    // Whoever needs the file has it fetched once more.
    let asked = || site.seen().iter().filter(|path| *path == "/clip.flac").count();
    let before = asked();
    let again = app.submit(json!({ "media_id": task["media"]["id"] })).await;
    assert_eq!(app.end(again).await["result"]["text"], WORDS);
    assert!(asked() > before, "it was not fetched once more");
    app.finish().await;
}
