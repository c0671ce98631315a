//! Models over the API: fetched in the background, gone on with, used by the tasks that wait for them.

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::watch;

use super::support::{Mirror, TestApp, Turn, program, sample_bytes};

const MODEL: &str = "/api/models/tiny-q5_1";
const WORDS: &str = "The music is near the long box.";

/// A daemon with an empty models folder and a mirror.
async fn start(mirror: &Mirror, default: &str, more: &str) -> (TempDir, TestApp) {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "models.dir = \"{}\"\nmodels.default = \"{default}\"\nmodels.offline = false\nmodels.base_urls = [\"{}/x\"]\n{more}",
        folder.path().display(),
        mirror.url
    );
    std::fs::write(folder.path().join("ggml-smoke-q8_0.bin"), Mirror::file()).unwrap();
    let app = TestApp::with(&settings).await;
    (folder, app)
}

async fn delete(app: &TestApp, path: &str) -> (u16, Value) {
    let answer = app.http.delete(format!("{}{path}", app.url)).send().await.unwrap();
    let status = answer.status().as_u16();
    (status, serde_json::from_str(&answer.text().await.unwrap()).unwrap_or_default())
}

/// Looks at the model until enough of it is here. Each look waits for an answer, so the download gets its turns.
async fn received(app: &TestApp, path: &str, least: u64) -> Value {
    loop {
        let (_, model) = app.get(path).await;
        if model["pull"]["received"].as_u64().is_some_and(|received| received >= least) {
            return model;
        }
        tokio::task::yield_now().await;
    }
}

async fn ended(app: &TestApp, name: &str) {
    app.app.state().pulls.ended(name).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_download_that_breaks_is_gone_on_with_and_wakes_who_waits() {
    let mirror = Mirror::start(vec![Turn::Break(1_000_000); 4]).await;
    let (folder, app) = start(&mirror, "smoke", "").await;
    let size = Mirror::file().len();
    let (status, model) = app.post(&format!("{MODEL}/pull"), json!({})).await;
    assert_eq!((status, &model["pull"]["state"]), (202, &json!("running")), "{model}");
    ended(&app, "tiny-q5_1").await;
    let (_, model) = app.get(MODEL).await;
    let pull = &model["pull"];
    assert_eq!(
        (&pull["state"], &pull["received"], &pull["total"]),
        (&json!("failed"), &json!(4_000_000), &json!(size))
    );
    assert_eq!((&pull["error"]["code"], &model["present"]), (&json!("model_pull"), &json!(false)), "{model}");
    assert_eq!(folder.path().join("ggml-tiny-q5_1.bin.part").metadata().unwrap().len(), 4_000_000);

    let options = [("options", "{\"model\": \"tiny-q5_1\"}")];
    let (_, task) = app.upload("a.flac", sample_bytes("en-known-04.flac"), &options).await;
    let id = task["id"].as_i64().unwrap();
    app.until(id, |task| task["waiting"]["code"] == "model_missing").await;
    let (gate, open) = watch::channel(false);
    mirror.then([Turn::Hold(1_000_000, open)]);
    assert_eq!(app.post(&format!("{MODEL}/pull"), json!({})).await.0, 202);
    let model = received(&app, MODEL, 5_000_000).await;
    assert_eq!((&model["pull"]["state"], &model["pull"]["total"]), (&json!("running"), &json!(size)), "{model}");
    let (status, problem) = app.post(&format!("{MODEL}/pull"), json!({})).await;
    assert_eq!((status, &problem["code"]), (409, &json!("conflict")));
    assert_eq!(delete(&app, MODEL).await.0, 404, "what is not here yet cannot be removed");
    // The command line is another process, and must not write into the same part.
    let config = app.folder().join("test.toml");
    let arguments = ["models", "pull", "tiny-q5_1", "--config", config.to_str().unwrap()];
    let output = tokio::process::Command::new(program()).args(arguments).output().await.unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && said.contains("[conflict]"), "{said}");
    gate.send_replace(true);
    let task = app.end(id).await;
    assert_eq!((&task["status"], &task["result"]["text"]), (&json!("completed"), &json!(WORDS)), "{task}");
    let (_, model) = app.get(MODEL).await;
    assert_eq!((&model["present"], &model["size"], &model["problem"]), (&json!(true), &json!(size), &Value::Null));
    assert_eq!((&model["pull"]["state"], &model["info"]["ftype"]), (&json!("done"), &json!("q8_0")), "{model}");
    let starts = [None, Some(1_000_000), Some(2_000_000), Some(3_000_000), Some(4_000_000)];
    assert_eq!(mirror.starts(), starts);
    assert_eq!(mirror.requests().iter().map(|request| request.sent).sum::<usize>(), size, "no byte was sent twice");

    assert_eq!(app.post(&format!("{MODEL}/pull"), json!({})).await.0, 200, "what is here is not fetched");
    assert_eq!(delete(&app, MODEL).await.0, 204);
    assert!(!folder.path().join("ggml-tiny-q5_1.bin").exists());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_fetch_of_the_default_model_can_be_seen_and_stopped() {
    let (gate, open) = watch::channel(false);
    let mirror = Mirror::start([Turn::Hold(1_000_000, open)]).await;
    let (folder, app) = start(&mirror, "tiny-q5_1", "").await;
    let model = received(&app, "/api/models/auto", 1_000_000).await;
    assert_eq!((&model["name"], &model["default"]), (&json!("tiny-q5_1"), &json!(true)), "{model}");
    let (_, task) = app.upload("a.flac", sample_bytes("en-known-04.flac"), &[]).await;
    let id = task["id"].as_i64().unwrap();
    app.until(id, |task| task["waiting"]["code"] == "model_missing").await;
    let (status, model) = delete(&app, &format!("{MODEL}/pull")).await;
    assert_eq!((status, &model["pull"]["state"]), (200, &json!("cancelled")), "{model}");
    let here = usize::try_from(folder.path().join("ggml-tiny-q5_1.bin.part").metadata().unwrap().len()).unwrap();
    assert!(here >= 1_000_000, "{here}");
    gate.send_replace(true);
    assert_eq!(app.post(&format!("{MODEL}/pull"), json!({})).await.0, 202);
    assert_eq!(app.end(id).await["result"]["text"], WORDS);
    assert_eq!(mirror.starts(), [None, Some(here)]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_mirror_sends_wrong_becomes_no_model() {
    let page = "<!doctype html><title>Please log in</title>";
    let portal = "{\"login\": \"please\"}";
    let mirror = Mirror::start([]).await;
    let (folder, app) = start(&mirror, "smoke", "").await;
    let files = || std::fs::read_dir(folder.path()).unwrap().count();
    for (turns, told) in [
        (vec![Turn::Page(page)], "43 bytes"),
        (vec![Turn::Page(portal)], "19 bytes"),
        (vec![Turn::Short(1_000)], "cut off"),
    ] {
        mirror.then(turns);
        assert_eq!(app.post(&format!("{MODEL}/pull"), json!({})).await.0, 202);
        ended(&app, "tiny-q5_1").await;
        let (_, model) = app.get(MODEL).await;
        let detail = model["pull"]["error"]["detail"].as_str().unwrap();
        assert!(detail.contains(told), "{told}: {detail}");
        assert_eq!(files(), 1, "{told}: something is left");
    }
    // A length that is too long, and a server that knows no ranges, only cost a second look.
    let before = mirror.requests().len();
    mirror.then([Turn::Long(1_000)]);
    app.post(&format!("{MODEL}/pull"), json!({})).await;
    ended(&app, "tiny-q5_1").await;
    assert_eq!(app.get(MODEL).await.1["present"], true);
    assert_eq!(mirror.starts()[before..], [None, Some(Mirror::file().len())]);
    let base = "/api/models/base-q5_1";
    let before = mirror.requests().len();
    mirror.then([Turn::Break(3_000_000), Turn::NoRanges]);
    app.post(&format!("{base}/pull"), json!({})).await;
    ended(&app, "base-q5_1").await;
    assert_eq!(app.get(base).await.1["present"], true);
    assert_eq!(mirror.starts()[before..], [None, Some(3_000_000)]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reserve_of_the_disk_is_left_alone() {
    let mirror = Mirror::start([]).await;
    let (folder, app) = start(&mirror, "smoke", "uploads.reserve_bytes = 4611686018427387904").await;
    app.post(&format!("{MODEL}/pull"), json!({})).await;
    ended(&app, "tiny-q5_1").await;
    let (_, model) = app.get(MODEL).await;
    let error = &model["pull"]["error"];
    assert_eq!(error["code"], "insufficient_storage", "{model}");
    assert!(error["detail"].as_str().unwrap().contains("stay in reserve"), "{error}");
    assert!(error["hint"].as_str().unwrap().contains("disk space"), "{error}");
    assert!(!folder.path().join("ggml-tiny-q5_1.bin").exists());
    app.finish().await;
}
