//! Models that are not here: the task waits, says so, and goes on by itself.

use serde_json::{Value, json};

use super::{
    super::support::{TestApp, root, sample_bytes},
    check_words,
};

const WORDS: &str = "The music is near the long box.";

fn waits(task: &Value) -> bool {
    task["waiting"]["code"] == "model_missing"
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_waits_for_its_model_and_goes_on_when_the_file_is_there() {
    let models = tempfile::tempdir().unwrap();
    let app = TestApp::with(&format!("models.dir = \"{}\"\nmodels.default = \"base\"", models.path().display())).await;
    let (status, task) =
        app.upload("a.flac", sample_bytes("en-known-04.flac"), &[("options", "{\"model\": \"tiny\"}")]).await;
    assert_eq!(status, 202, "{task}");
    let id = task["id"].as_i64().unwrap();
    let task = app.until(id, waits).await;
    assert_eq!(task["status"], "processing");
    check_words("a missing model", &task["waiting"]);
    assert!(task["waiting"]["hint"].as_str().unwrap().contains("ggml-tiny.bin"), "{task}");
    let step = &task["steps"][3];
    assert_eq!((step["state"].as_str(), step["attempt"].as_i64()), (Some("ready"), Some(0)), "{step}");

    // A file that is being copied into the folder is half there for a while.
    let whole = std::fs::read(root().join("models/smoke/ggml-smoke-q8_0.bin")).unwrap();
    let file = models.path().join("ggml-tiny.bin");
    std::fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let task =
        app.until(id, |task| waits(task) && task["waiting"]["detail"].as_str().unwrap().contains("complete")).await;
    check_words("half a model", &task["waiting"]);
    std::fs::write(&file, &whole).unwrap();
    let task = app.end(id).await;
    assert_eq!((task["status"].as_str(), task["result"]["text"].as_str()), (Some("completed"), Some(WORDS)), "{task}");
    assert_eq!((&task["waiting"], task["steps"][3]["attempt"].as_i64()), (&Value::Null, Some(1)), "{task}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_waiting_task_can_be_cancelled_and_a_broken_model_fails_it() {
    let models = tempfile::tempdir().unwrap();
    let app = TestApp::with(&format!("models.dir = \"{}\"\nmodels.default = \"base\"", models.path().display())).await;
    let (_, task) = app.upload("a.flac", sample_bytes("en-known-04.flac"), &[]).await;
    let id = task["id"].as_i64().unwrap();
    app.until(id, waits).await;
    assert_eq!(app.post(&format!("/api/tasks/{id}/cancel"), json!({})).await.1["status"], "cancelled");
    // Something that is no model at all, and will never be one.
    let file = models.path().join("ggml-tiny.bin");
    std::fs::write(&file, b"<!doctype html>not found").unwrap();
    let yesterday = std::time::SystemTime::now() - std::time::Duration::from_secs(86_400);
    std::fs::File::options().write(true).open(&file).unwrap().set_modified(yesterday).unwrap();
    let (_, task) =
        app.upload("a.flac", sample_bytes("en-known-04.flac"), &[("options", "{\"model\": \"tiny\"}")]).await;
    let task = app.end(task["id"].as_i64().unwrap()).await;
    assert_eq!(
        (task["status"].as_str(), task["error"]["code"].as_str()),
        (Some("failed"), Some("model_invalid")),
        "{task}"
    );
    check_words("a broken model", &task["error"]);
    app.finish().await;
}
