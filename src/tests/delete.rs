//! Deleting in every state: nothing of the task stays, nothing of anybody else goes.

use std::{future::Future, pin::pin, task::Poll};

use serde_json::json;
use trawl::domain::TaskId;

use super::{
    cancel::Stage,
    support::{Reply, sample_bytes, walk},
};

const WORDS: &str = "The music is near the long box.";

impl Stage {
    fn kept(&self) -> usize {
        walk(&self.app.folder().join("data/media")).len()
    }

    /// Deletes a task; nothing of it is left.
    async fn delete(&self, id: i64) {
        assert_eq!(self.app.delete(&format!("/api/tasks/{id}")).await, 204);
        assert_eq!(self.app.get(&format!("/api/tasks/{id}")).await.0, 404);
        self.is_quiet().await;
        self.app.eventually("no kept file", || self.kept() == 0).await;
        let store = self.app.app.services.queue.store();
        assert!(store.events(Some(TaskId(id)), 0, 1).await.unwrap().is_empty());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_resolving_and_while_downloading() {
    let stage = Stage::set("").await;
    for (page_waits, clip_waits, key) in [(true, false, "source"), (false, true, "media")] {
        let link = stage.page(page_waits, clip_waits);
        let id = stage.app.paste(&link).await;
        stage.until(id, key, "running").await;
        stage.delete(id).await;
    }
    stage.gate.send_replace(true);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_extracting_and_while_transcribing() {
    let stage = Stage::set("").await;
    for key in ["text:extract", "text"] {
        let id = stage.upload("long.m4a").await;
        stage.until(id, key, "running").await;
        stage.delete(id).await;
    }
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_waits_and_after_its_end() {
    let mut stage = Stage::set("").await;
    let link = stage.page(false, false);
    let id = stage.paste(&link, json!({ "model": "tiny" })).await;
    stage.app.until(id, |task| task["waiting"]["code"] == "model_missing").await;
    assert_eq!(stage.kept(), 1);
    stage.delete(id).await;
    let id = stage.paste(&link, json!({})).await;
    assert_eq!(stage.app.end(id).await["result"]["text"], WORDS);
    stage.receiver.next().await;
    stage.app.until_delivered(id).await;
    stage.delete(id).await;
    stage.app.finish().await;
}

/// The download is over and about to say so when the task is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_ends_after_the_delete_leaves_nothing() {
    let stage = Stage::set("").await;
    let link = stage.page(false, true);
    let id = stage.app.paste(&link).await;
    stage.app.eventually("a request", || stage.site.seen().contains(&"/clip.flac".to_owned())).await;
    let queue = stage.app.app.services.queue.clone();
    // Whoever wants to write waits in line: first the delete, then the download's end.
    let writer = queue.store().begin().await.unwrap();
    let mut delete = pin!(queue.delete(TaskId(id)));
    let first = std::future::poll_fn(|context| Poll::Ready(delete.as_mut().poll(context).is_pending())).await;
    assert!(first);
    stage.gate.send_replace(true);
    stage.app.eventually("a kept file", || stage.kept() == 1).await;
    drop(writer);
    delete.await.unwrap();
    stage.is_quiet().await;
    stage.app.eventually("no kept file", || stage.kept() == 0).await;
    stage.app.finish().await;
}

/// A site may send other bytes each time; whichever download is the last one, both tasks have their words and one file
/// stays.
#[tokio::test(flavor = "multi_thread")]
async fn two_downloads_of_one_media_leave_one_file() {
    let stage = Stage::set("").await;
    let link = stage.page(false, true);
    let first = stage.app.paste(&link).await;
    let asked = || stage.site.seen().iter().filter(|path| *path == "/clip.flac").count();
    stage.app.eventually("the first request", || asked() == 1).await;
    let mut other = sample_bytes("en-known-04.flac");
    // The same sound in other bytes: something after the last frame.
    other.extend([0; 64]);
    stage.site.put("/clip.flac", stage.gated(Reply::Body("audio/flac", other)));
    let second = stage.app.paste(&link).await;
    stage.app.eventually("the second request", || asked() == 2).await;
    stage.gate.send_replace(true);
    for id in [first, second] {
        let task = stage.app.end(id).await;
        assert_eq!(task["result"]["text"], WORDS, "{task}");
    }
    assert_eq!(stage.kept(), 1);
    assert_eq!(stage.app.delete(&format!("/api/tasks/{first}")).await, 204);
    assert_eq!(stage.kept(), 1);
    stage.delete(second).await;
    stage.app.finish().await;
}
