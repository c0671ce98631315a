//! Servers elsewhere beside this machine, and instead of it. The server is a stub in OpenAI's wire format, but what it
//! answers was recognised: by whisper.cpp and the smoke model, from the audio that it was sent.

#[allow(dead_code, reason = "the library's own tests use the rest of it")]
#[path = "../transcribe/remote/tests/server.rs"]
mod server;

use std::{path::PathBuf, process::Stdio, sync::Arc};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{runtime::Handle, sync::watch};
use tokio_util::sync::CancellationToken;
use trawl::{
    config::{Config, EngineConfig},
    domain::{Options, Transcript},
    error::Result,
    net::Net,
    transcribe::{EngineEvent, Job, ModelRef, Pool},
};

use self::server::{Asked, Asr, Said, in_turn};
use super::support::{TestApp, program, root, sample, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";

fn smoke() -> ModelRef {
    ModelRef::new("smoke-q8_0", root().join("models/smoke/ggml-smoke-q8_0.bin"))
}

/// A pool with one slot on this machine, and more configuration as TOML.
fn pool(more: &str) -> Pool {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("pool.toml");
    std::fs::write(&file, format!("engine.threads = 2\nnet.allow_hosts = [\"127.0.0.1\"]\n{more}")).unwrap();
    let config = Config::load(Some(&file), &[]).unwrap();
    let engine = EngineConfig { slots: 1, ..config.engine };
    Pool::new(&engine, Net::new(&config.net).unwrap(), program()).unwrap()
}

fn job(pcm: PathBuf, options: Value) -> Job {
    let samples = pcm.metadata().unwrap().len() / 2;
    let options = Options::from_json(options.as_object().unwrap()).unwrap();
    Job { model: smoke().name, file: Some(smoke()), pcm, samples, options, is_urgent: false }
}

async fn run(pool: &Pool, job: Job) -> Result<Transcript> {
    pool.transcribe(job, &|_| {}, &CancellationToken::new()).await.map(|done| done.transcript)
}

fn decoded(folder: &TempDir, clip: &str) -> PathBuf {
    let pcm = folder.path().join(format!("{clip}.pcm"));
    let mut ffmpeg = std::process::Command::new("ffmpeg");
    ffmpeg.args(["-v", "error", "-nostdin", "-i"]).arg(sample(clip));
    ffmpeg.args(["-ar", "16000", "-ac", "1", "-f", "s16le", "-y"]).arg(&pcm).stdin(Stdio::null());
    assert!(ffmpeg.status().unwrap().success());
    pcm
}

/// Recognises what was sent, and says it as faster-whisper's servers do.
fn recogniser() -> impl Fn(&Asked) -> Said + Send + Sync + 'static {
    let engine = Arc::new(pool(""));
    move |asked| {
        let folder = tempfile::tempdir().unwrap();
        let pcm = folder.path().join("sent.pcm");
        std::fs::write(&pcm, asked.samples().iter().flat_map(|sample| sample.to_le_bytes()).collect::<Vec<_>>())
            .unwrap();
        let heard = Handle::current().block_on(run(&engine, job(pcm, json!({"word_timestamps": true})))).unwrap();
        let segments: Vec<Value> = heard.segments.iter().map(|segment| json!(segment)).collect();
        let answer =
            json!({"task": "transcribe", "language": heard.language, "text": heard.text, "segments": segments});
        Said::Json(200, answer)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_without_models_and_devices_leaves_the_work_to_a_server() {
    let server = Asr::start(recogniser()).await;
    let models = tempfile::tempdir().unwrap();
    let app = TestApp::with(&format!(
        "models.dir = \"{}\"\nmodels.default = \"base\"\nengine.devices = []\nengine.remote.lab.url = \"{}\"\n\
         engine.remote.lab.api_key = \"sk-lab\"",
        models.path().display(),
        server.url
    ))
    .await;
    let (status, task) = app.upload(CLIP, sample_bytes(CLIP), &[("options", "{\"word_timestamps\": true}")]).await;
    assert_eq!(status, 202, "{task}");
    let id = task["id"].as_i64().unwrap();
    let task = app.end(id).await;
    assert_eq!((task["status"].as_str(), task["result"]["text"].as_str()), (Some("completed"), Some(WORDS)), "{task}");
    let (_, transcript) = app.get(&format!("/api/tasks/{id}/transcript")).await;
    assert_eq!((&transcript["engine"], &transcript["model"]), (&json!("remote:lab"), &json!("base")), "{transcript}");
    assert_eq!((&transcript["language"], &transcript["warnings"]), (&json!("en"), &json!([])));
    let words: Vec<&str> = transcript["segments"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|segment| segment["words"].as_array().unwrap())
        .map(|word| word["word"].as_str().unwrap())
        .collect();
    assert_eq!(words.join(" "), WORDS);
    let asked = server.seen().asked.remove(0);
    assert_eq!((asked.authorization.as_deref(), asked.field("model")), (Some("Bearer sk-lab"), vec!["base"]));
    let (_, info) = app.get("/api/info").await;
    assert!(info.to_string().contains("remote:lab") && !info.to_string().contains("sk-lab"), "{info}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn this_machine_takes_over_from_a_server_that_fails() {
    let server = Asr::start(in_turn(vec![Said::Json(500, json!({}))])).await;
    let pool = pool(&format!("engine.remote.lab.url = \"{}\"", server.url));
    let folder = tempfile::tempdir().unwrap();
    let events = std::sync::Mutex::new(Vec::new());
    let hear = |event| {
        if let EngineEvent::Segment(segment) = event {
            events.lock().unwrap().push(segment);
        }
    };
    let job = job(decoded(&folder, CLIP), json!({}));
    let done = pool.transcribe(job.clone(), &hear, &CancellationToken::new()).await.unwrap().transcript;
    assert!(done.engine.starts_with("whisper.cpp") && done.text == WORDS, "{done:?}");
    assert!(
        done.warnings.iter().any(|w| w == "The server lab answered with status 500; another engine did it"),
        "{done:?}"
    );
    assert_eq!(events.into_inner().unwrap(), done.segments);
    assert_eq!(server.seen().asked.len(), 1);
    let lab = pool.status().into_iter().find(|status| status.device == "remote:lab").unwrap();
    assert_eq!(lab.problem.as_deref(), Some("The server lab answered with status 500"));

    // Nobody is there for a job whose model is not here.
    let error = run(&pool, Job { file: None, ..job }).await.unwrap_err();
    assert!(error.is_retryable(), "{error}");
    pool.shutdown().await;
}

/// What this machine made in place of a server is not handed to others when the server is well again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_stand_in_made_is_no_answer_for_others() {
    let server = Asr::start(in_turn(vec![Said::Json(500, json!({}))])).await;
    let app = TestApp::with(&format!("engine.remote.lab.url = \"{}\"", server.url)).await;
    let (_, task) = app.upload(CLIP, sample_bytes(CLIP), &[]).await;
    let id = task["id"].as_i64().unwrap();
    let task = app.end(id).await;
    assert_eq!(task["result"]["text"].as_str(), Some(WORDS), "{task}");
    let (_, transcript) = app.get(&format!("/api/tasks/{id}/transcript")).await;
    assert!(transcript["warnings"].to_string().contains("another engine did it"), "{transcript}");
    let (_, task) = app.upload(CLIP, sample_bytes(CLIP), &[]).await;
    let id = task["id"].as_i64().unwrap();
    app.end(id).await;
    let steps = app.app.services.queue.store().steps_of(trawl::domain::TaskId(id)).await.unwrap();
    let made = steps.into_iter().find(|row| row.step.key == "text").unwrap().step.output.unwrap();
    assert_eq!(made["cached"], false, "{made}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_for_overflow_works_when_this_machine_is_full() {
    let server = Asr::start(recogniser()).await;
    let pool = pool(&format!("engine.remote.lab.url = \"{}\"\nengine.remote.lab.use = \"overflow\"", server.url));
    assert_eq!(pool.slots(), 3);
    let folder = tempfile::tempdir().unwrap();
    let short = decoded(&folder, CLIP);
    let alone = run(&pool, job(short.clone(), json!({}))).await.unwrap();
    assert!(alone.engine.starts_with("whisper.cpp") && alone.text == WORDS, "{alone:?}");
    let (begun, begins) = watch::channel(false);
    let cancel = CancellationToken::new();
    let begin = |_| begun.send_modify(|begun| *begun = true);
    let long = pool.transcribe(job(decoded(&folder, "long.m4a"), json!({})), &begin, &cancel);
    let over = async {
        begins.clone().wait_for(|begun| *begun).await.unwrap();
        let done = run(&pool, job(short, json!({}))).await.unwrap();
        cancel.cancel();
        done
    };
    let (_, done) = tokio::join!(long, over);
    assert_eq!((done.engine.as_str(), done.text.as_str()), ("remote:lab", WORDS));
    assert_eq!(server.seen().asked.len(), 1);
    pool.shutdown().await;
}
