//! Cancelling in every state: at once, with nothing left behind, told to the receiver, and undone by a retry.

use std::sync::Arc;

use poem::{Response, http::StatusCode};
use serde_json::{Value, json};
use tokio::sync::watch;

use super::support::{Receiver, Reply, Site, TestApp, processes, program, root, sample_bytes, walk};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
/// A step may be over before the request arrives; then the scene is played again, this often at most.
const SCENES: usize = 20;

/// A daemon with its own models folder, in which the smoke model is, and the world around it.
pub struct Stage {
    pub app: TestApp,
    pub site: Site,
    pub receiver: Receiver,
    pub gate: watch::Sender<bool>,
    pub models: tempfile::TempDir,
}

impl Stage {
    pub async fn set(more: &str) -> Self {
        Self::with_program(more, program()).await
    }

    /// With another program as the engine.
    pub async fn with_program(more: &str, program: std::path::PathBuf) -> Self {
        let models = tempfile::tempdir().unwrap();
        let settings = format!("models.dir = \"{}\"\n{more}", models.path().display());
        let app = TestApp::with_program(&settings, program).await;
        let stage = Self {
            app,
            site: Site::start().await,
            receiver: Receiver::start().await,
            gate: watch::Sender::new(false),
            models,
        };
        stage.model("smoke-q8_0");
        stage
    }

    /// Puts the smoke model's file into the models folder under a name.
    pub fn model(&self, name: &str) {
        let to = self.models.path().join(format!("ggml-{name}.bin"));
        std::fs::copy(root().join("models/smoke/ggml-smoke-q8_0.bin"), to).unwrap();
    }

    /// The reply behind the gate.
    pub fn gated(&self, reply: Reply) -> Reply {
        Reply::Gated(self.gate.subscribe(), Box::new(reply))
    }

    /// A page with a clip; either of them may wait for the gate. Returns the page's link.
    pub fn page(&self, page_waits: bool, clip_waits: bool) -> String {
        let maybe = |waits: bool, reply: Reply| if waits { self.gated(reply) } else { reply };
        self.site.put("/clip.flac", maybe(clip_waits, Reply::Body("audio/flac", sample_bytes(CLIP))));
        let page = Reply::Body("text/html", b"<audio src='clip.flac'></audio>".to_vec());
        self.site.put("/page", maybe(page_waits, page))
    }

    /// Pastes a link with a callback.
    pub async fn paste(&self, link: &str, options: Value) -> i64 {
        let body = json!({ "link": link, "callback_url": self.receiver.url, "options": options });
        self.app.submit(body).await
    }

    /// Uploads a clip with a callback.
    pub async fn upload(&self, name: &str) -> i64 {
        let fields =
            [("callback_url", self.receiver.url.as_str()), ("options", "{\"beam_size\": 1, \"no_cache\": true}")];
        let (status, task) = self.app.upload(name, sample_bytes(name), &fields).await;
        assert_eq!(status, 202, "{task}");
        task["id"].as_i64().unwrap()
    }

    /// Waits until the step `key` is in a state.
    pub async fn until(&self, id: i64, key: &str, state: &str) {
        self.app.until(id, |task| step(task, key)["state"] == state).await;
    }

    /// Nothing is left of a task's work: no process, no file in its working folder, no busy engine.
    pub async fn is_quiet(&self) {
        let temp = self.app.folder().join("temp");
        self.app.eventually("empty working folders", || walk(&temp).is_empty()).await;
        self.app.eventually("no process", || processes(self.app.folder()).is_empty()).await;
        let pool = &self.app.app.services.pool;
        self.app.eventually("an idle engine", || pool.status().iter().all(|engine| engine.busy == 0)).await;
    }

    /// Cancels a task and checks all that follows; returns the task.
    async fn cancel(&mut self, id: i64) -> Value {
        let (status, task) = self.app.post(&format!("/api/tasks/{id}/cancel"), json!({})).await;
        assert_eq!((status, task["status"].as_str()), (200, Some("cancelled")), "{task}");
        let task = self.app.until(id, |task| states(task).iter().all(|state| state != "running")).await;
        assert!(states(&task).iter().all(|state| state == "succeeded" || state == "cancelled"), "{task}");
        let callback = self.receiver.next().await;
        assert!(callback.verified);
        assert_eq!((&callback.body["type"], &callback.body["data"]["id"]), (&json!("task.cancelled"), &json!(id)));
        let (status, again) = self.app.post(&format!("/api/tasks/{id}/cancel"), json!({})).await;
        assert_eq!((status, again["status"].as_str()), (200, Some("cancelled")), "{again}");
        task
    }

    /// Tries the task again; it completes now.
    async fn retry(&mut self, id: i64) -> Value {
        let (status, task) = self.app.post(&format!("/api/tasks/{id}/retry"), json!({})).await;
        assert_eq!((status, task["status"].as_str()), (202, Some("queued")), "{task}");
        let task = self.app.end(id).await;
        assert_eq!(task["status"], "completed", "{task}");
        assert_eq!(self.receiver.next().await.body["type"], "task.completed");
        task
    }
}

pub fn step<'a>(task: &'a Value, key: &str) -> &'a Value {
    task["steps"].as_array().unwrap().iter().find(|step| step["key"] == key).unwrap()
}

fn states(task: &Value) -> Vec<String> {
    task["steps"].as_array().unwrap().iter().map(|step| step["state"].as_str().unwrap().to_owned()).collect()
}

/// A refusal after which the next try is far enough away to be cancelled before it.
fn not_for_a_minute() -> Reply {
    Reply::Made(Arc::new(|_| {
        Response::builder().status(StatusCode::SERVICE_UNAVAILABLE).header("Retry-After", "60").finish()
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn while_queued() {
    let mut stage = Stage::set("queue.net = 1").await;
    let link = stage.page(true, false);
    let busy = stage.app.paste(&link).await;
    stage.until(busy, "source", "running").await;
    let id = stage.paste(&link, json!({})).await;
    let task = stage.cancel(id).await;
    assert_eq!(states(&task), ["cancelled"; 4]);
    stage.gate.send_replace(true);
    assert_eq!(stage.app.end(busy).await["status"], "completed");
    stage.is_quiet().await;
    assert_eq!(stage.retry(id).await["result"]["text"], WORDS);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_resolving() {
    let mut stage = Stage::set("").await;
    let link = stage.page(true, false);
    let id = stage.paste(&link, json!({})).await;
    stage.until(id, "source", "running").await;
    assert_eq!(states(&stage.cancel(id).await), ["cancelled"; 4]);
    stage.is_quiet().await;
    stage.gate.send_replace(true);
    assert_eq!(stage.retry(id).await["result"]["text"], WORDS);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_downloading() {
    let mut stage = Stage::set("").await;
    let link = stage.page(false, true);
    let id = stage.paste(&link, json!({})).await;
    stage.until(id, "media", "running").await;
    assert_eq!(states(&stage.cancel(id).await), ["succeeded", "cancelled", "cancelled", "cancelled"]);
    stage.is_quiet().await;
    stage.gate.send_replace(true);
    assert_eq!(stage.retry(id).await["result"]["text"], WORDS);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_extracting() {
    cancelled_in("text:extract").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_transcribing() {
    cancelled_in("text").await;
}

/// Cancels a task while the step `key` runs. Its samples go with the working folder, and are there again after a retry.
async fn cancelled_in(key: &str) {
    let mut stage = Stage::set("").await;
    for _ in 0..SCENES {
        let id = stage.upload(CLIP).await;
        stage.until(id, key, "running").await;
        let task = stage.cancel(id).await;
        stage.is_quiet().await;
        if step(&task, key)["state"] == "cancelled" && step(&task, key)["attempt"] == 1 {
            let task = stage.retry(id).await;
            assert_eq!((&task["result"]["text"], &step(&task, key)["attempt"]), (&json!(WORDS), &json!(1)));
            return stage.app.finish().await;
        }
    }
    panic!("the step was always over before it was cancelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn in_the_middle_of_long_audio() {
    let mut stage = Stage::set("").await;
    let id = stage.upload("long.m4a").await;
    for tries in 1..=2 {
        let newest = stage.app.app.services.queue.store().last_event().await.unwrap();
        let path = format!("/api/tasks/{id}/events?last_event_id={newest}");
        stage.app.listen(&path, |event| event.kind == "segment").await;
        let task = stage.cancel(id).await;
        assert_eq!(states(&task), ["succeeded", "succeeded", "succeeded", "cancelled"]);
        stage.is_quiet().await;
        if tries == 1 {
            assert_eq!(stage.app.post(&format!("/api/tasks/{id}/retry"), json!({})).await.0, 202);
        }
    }
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_waits_for_the_next_try() {
    let mut stage = Stage::set("").await;
    let link = stage.page(false, false);
    stage.site.put("/clip.flac", not_for_a_minute());
    let id = stage.paste(&link, json!({})).await;
    let failed = |task: &Value| step(task, "media")["state"] == "ready" && step(task, "media")["attempt"] == 1;
    stage.app.until(id, failed).await;
    assert_eq!(states(&stage.cancel(id).await), ["succeeded", "cancelled", "cancelled", "cancelled"]);
    stage.is_quiet().await;
    stage.page(false, false);
    assert_eq!(stage.retry(id).await["result"]["text"], WORDS);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_it_waits_for_its_model() {
    let mut stage = Stage::set("").await;
    let link = stage.page(false, false);
    let id = stage.paste(&link, json!({ "model": "tiny" })).await;
    let task = stage.app.until(id, |task| task["waiting"]["code"] == "model_missing").await;
    assert_eq!(task["status"], "processing");
    assert!(!walk(&stage.app.folder().join("temp")).is_empty(), "there is nothing to clean up");
    assert_eq!(states(&stage.cancel(id).await), ["succeeded", "succeeded", "succeeded", "cancelled"]);
    stage.is_quiet().await;
    stage.model("tiny");
    assert_eq!(stage.retry(id).await["result"]["text"], WORDS);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn tasks_without_their_model_hold_nobody_up() {
    let stage = Stage::set("queue.prefetch = 1").await;
    let link = stage.page(false, false);
    let mut waiting = Vec::new();
    for _ in 0..4 {
        let id = stage.app.submit(json!({ "link": link, "options": { "model": "tiny" } })).await;
        stage.app.until(id, |task| task["waiting"]["code"] == "model_missing").await;
        waiting.push(id);
    }
    let id = stage.app.paste(&link).await;
    assert_eq!(stage.app.end(id).await["result"]["text"], WORDS);
    for id in waiting {
        assert_eq!(stage.app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    stage.is_quiet().await;
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_cannot_be_cancelled() {
    let stage = Stage::set("").await;
    let link = stage.page(false, false);
    let completed = stage.app.paste(&link).await;
    let missing = stage.app.paste(&format!("{}/nothing", stage.site.url)).await;
    for (id, end) in [(completed, "completed"), (missing, "failed")] {
        assert_eq!(stage.app.end(id).await["status"], end);
        let (status, problem) = stage.app.post(&format!("/api/tasks/{id}/cancel"), json!({})).await;
        assert_eq!((status, problem["code"].as_str()), (409, Some("conflict")), "{problem}");
        assert_eq!(stage.app.get(&format!("/api/tasks/{id}")).await.1["status"], end);
    }
    let (status, _) = stage.app.post(&format!("/api/tasks/{completed}/retry"), json!({})).await;
    assert_eq!(status, 409);
    stage.app.finish().await;
}
