//! The example workflows, stored and run over the API for real: pages and files on loopback, ffmpeg, the smoke model, a
//! language model's server that speaks OpenAI's wire format, and a receiver that verifies what it is told.

mod enrich;
mod follow;
mod killed;
mod summarise;
mod translate;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::{Asked, LlmServer, Receiver, SECRET, Say, Site, TestApp, root, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
const SUMMARY: &str = "• There is music.\n• It is near a box.";
/// Signs what has no secret of its own, so that a receiver can tell which one was used.
const ANOTHER: &str = "whsec_MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";

/// What a model says to each of the instructions, or a refusal.
const SAID: [(&str, &str); 7] = [
    ("Summarise the transcript", SUMMARY),
    ("Translate into zh. Keep line breaks.", "音乐在长盒子旁边。"),
    ("Return chapters.", r#"{"answer": [{"title": "All of it"}]}"#),
    ("Return at most 12 keywords.", r#"{"answer": ["music", "car"]}"#),
    ("Divide the transcript", r#"{"chapters": [{"start": 0, "title": "All of it", "summary": "It is short."}]}"#),
    ("Name the keywords", r#"{"keywords": ["music", "car"]}"#),
    ("Judge the mood", r#"{"label": "positive", "score": 0.5, "reason": "Something is liked."}"#),
];

/// A definition of the design.
fn given(name: &str) -> Value {
    let path = root().join(format!("src/tests/fixtures/workflows/{name}.json"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// A daemon and the world around it.
struct Scene {
    app: TestApp,
    site: Site,
    llm: LlmServer,
    receiver: Receiver,
}

impl Scene {
    /// Starts it with more settings and the secret `callback` for the receiver's host.
    async fn set(more: &str) -> Self {
        let llm = LlmServer::answering(answer).await;
        let app = TestApp::with(&settings(&llm, more)).await;
        let body = json!({ "value": SECRET, "hosts": ["127.0.0.1"] });
        let put = app.http.put(format!("{}/api/secrets/callback", app.url)).json(&body).send().await.unwrap();
        assert_eq!(put.status(), 201);
        Self { app, site: Site::start().await, llm, receiver: Receiver::start().await }
    }

    /// Stores a definition; returns its revision.
    async fn store(&self, definition: Value) -> i64 {
        let (status, made) = self.app.post("/api/workflows", definition).await;
        assert_eq!(status, 201, "{made}");
        made["revision"].as_i64().unwrap_or_else(|| panic!("{made}"))
    }

    /// A page with a clip; returns its link.
    fn page(&self, clip: &str) -> String {
        self.site.file("/clip", "audio/flac", sample_bytes(clip));
        self.site.page("/page", "<title>Boxes</title><audio src='clip'></audio>")
    }

    /// Runs a workflow to its end, which must be a good one.
    async fn run(&self, workflow: &str, params: Value) -> Value {
        let id = self.app.submit(json!({ "workflow": workflow, "params": params })).await;
        let task = self.app.end(id).await;
        assert_eq!(task["status"], "completed", "{task}");
        task
    }

    /// What the next callback of a task's step says. It must be signed with the receiver's secret.
    async fn told(&mut self, task: &Value, step: &str) -> Value {
        let callback = self.receiver.next().await;
        assert!(callback.verified, "signed with another secret");
        let data = &callback.body["data"];
        let expected = (&json!("workflow.callback"), &task["id"], &task["workflow"], &json!(step));
        assert_eq!((&callback.body["type"], &data["task_id"], &data["workflow"], &data["step"]), expected);
        data["data"].clone()
    }

    /// Ends it; nobody may have been told anything else.
    async fn finish(mut self) {
        self.app.finish().await;
        assert!(self.receiver.try_next().is_none(), "told more than once");
    }
}

/// Settings with the language model's server.
fn settings(llm: &LlmServer, more: &str) -> String {
    format!("llm.base_url = \"{}\"\nllm.model = \"large-1\"\nllm.models.small.model = \"small-1\"\n{more}", llm.url)
}

fn answer(asked: &Asked) -> Say {
    let instructions = asked.said_by("system")[0];
    if instructions.contains("Translate the text into English") {
        let told = |line: &str| {
            let segment: Value = serde_json::from_str(line).unwrap();
            json!({ "id": segment["id"], "text": format!("In English: {}", segment["text"].as_str().unwrap()) })
        };
        let segments: Vec<Value> = asked.data().lines().map(told).collect();
        return Say::json(&json!({ "segments": segments }));
    }
    let said = SAID.iter().find(|(words, _)| instructions.contains(words));
    said.map_or(Say::Error(400, "nobody expects that", "invalid_request", None), |(_, said)| Say::text(*said))
}

/// The state of every step of a task.
fn states(task: &Value) -> BTreeMap<&str, &str> {
    let steps = task["steps"].as_array().unwrap();
    steps.iter().map(|step| (step["key"].as_str().unwrap(), step["state"].as_str().unwrap())).collect()
}

/// That every step of a task has succeeded, and which they are.
fn assert_succeeded(task: &Value, keys: &[&str]) {
    let expected: BTreeMap<&str, &str> = keys.iter().map(|key| (*key, "succeeded")).collect();
    assert_eq!(states(task), expected, "{task}");
}
