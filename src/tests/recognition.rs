//! Recognition through the daemon: the cache, and what options mean on the way.

use serde_json::{Value, json};

use super::{
    cancel::{Stage, step},
    support::{processes, sample_bytes},
};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

impl Stage {
    /// Uploads the clip with options, and follows the task to its end.
    async fn heard(&self, options: Value) -> (i64, Value) {
        let (status, task) = self.app.upload(CLIP, sample_bytes(CLIP), &[("options", &options.to_string())]).await;
        assert_eq!(status, 202, "{task}");
        let id = task["id"].as_i64().unwrap();
        let task = self.app.end(id).await;
        assert_eq!((&task["status"], &task["result"]["text"]), (&json!("completed"), &json!(WORDS)), "{task}");
        (id, task)
    }

    async fn transcript(&self, id: i64) -> Value {
        let (status, transcript) = self.app.get(&format!("/api/tasks/{id}/transcript?format=json")).await;
        assert_eq!(status, 200, "{transcript}");
        transcript
    }
}

/// What the step of a task has put out.
async fn output(stage: &Stage, id: i64) -> Value {
    let steps = stage.app.app.services.queue.store().steps_of(trawl::domain::TaskId(id)).await.unwrap();
    steps.into_iter().find(|row| row.step.key == "text").unwrap().step.output.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_audio_is_recognised_once() {
    let stage = Stage::set("engine.idle_unload = \"100ms\"").await;
    let no_engine = async || stage.app.eventually("no engine", || processes(stage.models.path()).is_empty()).await;
    let (first, task) = stage.heard(json!({ "word_timestamps": true })).await;
    assert_eq!(output(&stage, first).await["cached"], false, "{task}");
    no_engine().await;

    // The second time no engine is started, whatever only changes speed or looks.
    let (second, task) = stage.heard(json!({ "word_timestamps": true, "threads": 1, "zh": "hans" })).await;
    let made = output(&stage, second).await;
    assert_eq!((&made["cached"], &made["inference_ms"]), (&json!(true), &json!(0)), "{task}");
    assert!(processes(stage.models.path()).is_empty());
    assert_eq!(stage.transcript(second).await, stage.transcript(first).await);
    let events = stage.app.listen(&format!("/api/tasks/{second}/events"), |_| false).await;
    assert_eq!(events.iter().filter(|event| event.kind == "segment").count(), 1, "segments are told as ever");

    // Each task has its own copy.
    assert_eq!(stage.app.delete(&format!("/api/tasks/{first}")).await, 204);
    assert_eq!(stage.transcript(second).await["text"], WORDS);

    for other in [json!({ "word_timestamps": true, "no_cache": true }), json!({ "beam_size": 1 })] {
        let (id, task) = stage.heard(other).await;
        let made = output(&stage, id).await;
        assert_eq!(made["cached"], false, "{task}");
        assert_eq!(step(&task, "text")["state"], "succeeded");
    }
    // Another file under the model's name is another model.
    stage.model("smoke-q8_0");
    let (id, _) = stage.heard(json!({ "word_timestamps": true })).await;
    assert_eq!(output(&stage, id).await["cached"], false);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_must_be_among_those_allowed() {
    let stage = Stage::set("").await;
    let (id, _) = stage.heard(json!({ "languages": ["english", "zh"] })).await;
    let transcript = stage.transcript(id).await;
    assert_eq!(transcript["language"], "en");
    assert_eq!(transcript["language_probs"][0][0], "en");
    stage.app.finish().await;
}
