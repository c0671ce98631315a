//! The pool with the real program and the smoke model. Part of the integration binary (`src/tests/mod.rs`), because
//! only there cargo says where the built program is.

#![allow(clippy::unwrap_used, reason = "clippy sees tests only in functions marked as such")]

use std::{
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
};

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use trawl::{
    config::{Config, EngineConfig},
    domain::Options,
    error::{Code, Result},
    net::Net,
    transcribe::{EngineEvent, Job, ModelRef, Pool, Transcribed},
};

struct Stage {
    pool: Pool,
    dir: TempDir,
}

impl Stage {
    fn new(slots: usize) -> Self {
        let config = EngineConfig { slots, threads: slots, ..EngineConfig::default() };
        let net = Net::new(&Config::defaults().net).unwrap();
        let pool = Pool::new(&config, net, env!("CARGO_BIN_EXE_trawl").into()).unwrap();
        Self { pool, dir: TempDir::new().unwrap() }
    }

    fn job(&self, sample: &str) -> Job {
        let smoke = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke");
        let pcm: PathBuf = self.dir.path().join(format!("{sample}.pcm"));
        let decoded = Command::new("ffmpeg")
            .args(["-v", "error", "-nostdin", "-i"])
            .arg(smoke.join("samples").join(sample))
            .args(["-ar", "16000", "-ac", "1", "-f", "s16le", "-y"])
            .arg(&pcm)
            .stdin(Stdio::null())
            .status();
        assert!(decoded.expect("ffmpeg is installed").success());
        let samples = pcm.metadata().unwrap().len() / 2;
        let model = ModelRef { name: "smoke-q8_0".to_owned(), path: smoke.join("ggml-smoke-q8_0.bin") };
        Job { model: model.name.clone(), file: Some(model), pcm, samples, options: Options::default() }
    }

    async fn run(&self, job: Job) -> Result<Transcribed> {
        self.pool.transcribe(job, &|_| {}, &CancellationToken::new()).await
    }
}

/// The engine process, a child of this one, which has a file open.
fn engine_with(pcm: &Path) -> Option<u32> {
    let me = std::process::id().to_string();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        let Ok(stat) = std::fs::read_to_string(path.join("stat")) else { continue };
        // The parent is the second field after the name, which ends with the last bracket.
        let parent = stat.rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1));
        if parent != Some(me.as_str()) {
            continue;
        }
        let open = std::fs::read_dir(path.join("fd")).into_iter().flatten().flatten();
        if open.filter_map(|fd| std::fs::read_link(fd.path()).ok()).any(|target| target == pcm) {
            return entry.file_name().to_str()?.parse().ok();
        }
    }
    None
}

#[tokio::test]
async fn a_clip_becomes_text() {
    let stage = Stage::new(1);
    let events = Arc::new(Mutex::new(Vec::new()));
    let seen = |event| events.lock().unwrap().push(event);
    let done = stage.pool.transcribe(stage.job("zh-known-13.wav"), &seen, &CancellationToken::new()).await.unwrap();
    assert_eq!(done.transcript.text, "那个图片很大。他们明天要语言。");
    assert_eq!((done.transcript.language.as_str(), done.transcript.model.as_str()), ("zh", "smoke-q8_0"));
    let streamed: Vec<_> = events
        .lock()
        .unwrap()
        .iter()
        .filter_map(|event| match event {
            EngineEvent::Segment(segment) => Some(segment.clone()),
            EngineEvent::Progress(_) => None,
        })
        .collect();
    assert_eq!(streamed, done.transcript.segments);
    let status = &stage.pool.status()[0];
    assert_eq!((status.model.as_deref(), status.busy, status.restarts), (Some("smoke-q8_0"), 0, 0));
    assert!(status.rss.unwrap() > 10_000_000);
    stage.pool.shutdown().await;
    assert_eq!(stage.run(stage.job("zh-known-13.wav")).await.unwrap_err().code, Code::ShuttingDown);
}

#[tokio::test]
async fn a_killed_engine_fails_its_job_and_starts_again() {
    let stage = Stage::new(1);
    let job = stage.job("long.m4a");
    let pcm = job.pcm.clone();
    let kill = |event: EngineEvent| {
        // After the first segment; a second one may come before the signal is felt, the process may be gone by then.
        if matches!(event, EngineEvent::Segment(_))
            && let Some(pid) = engine_with(&pcm)
        {
            assert!(Command::new("kill").args(["-SEGV", &pid.to_string()]).status().is_ok());
        }
    };
    let error = stage.pool.transcribe(job, &kill, &CancellationToken::new()).await.unwrap_err();
    assert_eq!(error.code, Code::EngineCrashed);
    assert!(error.detail.contains("signal 11 (SIGSEGV)"), "{}", error.detail);
    let done = stage.run(stage.job("zh-new-23.m4a")).await.unwrap();
    assert_eq!(done.transcript.text, "那个飞机很热。");
    assert_eq!(stage.pool.status()[0].restarts, 1);
}

#[tokio::test]
async fn a_cancelled_job_ends_and_the_engine_works_on() {
    let stage = Stage::new(1);
    let cancel = CancellationToken::new();
    let asked = Mutex::new(None);
    let stop = |event: EngineEvent| {
        if matches!(event, EngineEvent::Segment(_)) {
            cancel.cancel();
            asked.lock().unwrap().get_or_insert_with(std::time::Instant::now);
        }
    };
    let error = stage.pool.transcribe(stage.job("long.m4a"), &stop, &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    eprintln!("the cancel took {:?}", asked.lock().unwrap().unwrap().elapsed());
    assert_eq!(stage.run(stage.job("zh-new-23.m4a")).await.unwrap().transcript.text, "那个飞机很热。");
}

#[tokio::test]
async fn a_wrong_model_file_is_told() {
    let stage = Stage::new(1);
    let mut job = stage.job("silence.wav");
    let path = stage.dir.path().join("ggml-broken.bin");
    std::fs::write(&path, b"lmgg and nothing else").unwrap();
    job.model = "broken".to_owned();
    job.file = Some(ModelRef { name: "broken".to_owned(), path });
    let error = stage.run(job).await.unwrap_err();
    assert_eq!(error.code, Code::ModelInvalid);
    assert!(error.detail.contains("ggml-broken.bin"), "{}", error.detail);
    let silent = stage.run(stage.job("silence.wav")).await.unwrap().transcript;
    assert_eq!((silent.text.as_str(), silent.warnings.len()), ("", 1));
}

#[test]
fn the_process_ends_with_its_stdin_and_says_nothing_else_on_stdout() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin");
    let output = Command::new(env!("CARGO_BIN_EXE_trawl"))
        .args(["engine", "--model-name", "smoke-q8_0", "--model"])
        .arg(model)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("{\"type\":\"ready\"") && text.lines().count() == 1, "{text}");
}
