//! The pool with the real program and the smoke model. Part of the integration binary (`src/tests/mod.rs`), because
//! only there cargo says where the built program is.

#![allow(clippy::unwrap_used, reason = "clippy sees tests only in functions marked as such")]

use std::{
    io::{BufRead, BufReader},
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

#[path = "weights.rs"]
mod weights;

struct Stage {
    pool: Pool,
    dir: TempDir,
}

impl Stage {
    fn new(slots: usize) -> Self {
        let config = EngineConfig { slots, threads: slots, ..EngineConfig::default() };
        Self::with(config, env!("CARGO_BIN_EXE_trawl").into())
    }

    fn with(config: EngineConfig, program: PathBuf) -> Self {
        let net = Net::new(&Config::defaults().net).unwrap();
        let pool = Pool::new(&config, net, program).unwrap();
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
        let model = ModelRef::new("smoke-q8_0", smoke.join("ggml-smoke-q8_0.bin"));
        Job {
            model: model.name.clone(),
            file: Some(model),
            pcm,
            samples,
            options: Options::default(),
            is_urgent: false,
        }
    }

    /// The same with a model of another name, which gets an engine of its own.
    fn job_for(&self, model: &str, sample: &str) -> Job {
        let mut job = self.job(sample);
        job.model = model.to_owned();
        job.file.as_mut().unwrap().name = model.to_owned();
        job
    }

    async fn run(&self, job: Job) -> Result<Transcribed> {
        self.pool.transcribe(job, &|_| {}, &CancellationToken::new()).await
    }
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
            EngineEvent::Progress(_) | EngineEvent::LastBegun => None,
        })
        .collect();
    assert_eq!(streamed, done.transcript.segments);
    let status = &stage.pool.status()[0];
    assert_eq!((status.model.as_deref(), status.busy, status.restarts), (Some("smoke-q8_0"), 0, 0));
    assert!(status.rss.unwrap() > 10_000_000);
    stage.pool.shutdown().await;
    assert_eq!(stage.run(stage.job("zh-known-13.wav")).await.unwrap_err().code, Code::ShuttingDown);
}

/// The engine process of a model, a child of this one.
fn engine_of(model: &str) -> Option<u32> {
    let me = std::process::id().to_string();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok()).find(|id| {
        // One that is gone meanwhile has no files.
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{id}/{file}")).unwrap_or_default();
        let parent = read("stat").rsplit(')').next().and_then(|rest| rest.split_whitespace().nth(1)) == Some(&me);
        parent && read("cmdline").contains(&format!("--model-name\0{model}\0"))
    })
}

#[tokio::test]
async fn whatever_ends_an_engine_other_engines_work_on() {
    let hang_timeout = "10s".parse().unwrap();
    let config = EngineConfig { slots: 1, threads: 1, hang_timeout, ..EngineConfig::default() };
    let stage = Stage::with(config, env!("CARGO_BIN_EXE_trawl").into());
    for (signal, told) in [
        ("SEGV", "signal 11 (SIGSEGV)"),
        ("ABRT", "signal 6 (SIGABRT)"),
        ("KILL", "signal 9 (SIGKILL"),
        ("STOP", "said nothing for 10 seconds"),
    ] {
        let strike = |event: EngineEvent| {
            if matches!(event, EngineEvent::Segment(_))
                && let Some(pid) = engine_of("struck")
            {
                assert!(Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().is_ok());
            }
        };
        let (cancel, mut struck) = (CancellationToken::new(), stage.job_for("struck", "long.m4a"));
        struck.options.beam_size = 1;
        let struck = stage.pool.transcribe(struck, &strike, &cancel);
        let (struck, spared) = tokio::join!(struck, stage.run(stage.job("zh-known-13.wav")));
        let error = struck.unwrap_err();
        assert_eq!(error.code, Code::EngineCrashed);
        assert!(error.detail.contains(told), "{}", error.detail);
        assert_eq!(spared.unwrap().transcript.text, "那个图片很大。他们明天要语言。");
    }
    let status = stage.pool.status();
    let restarts = |model: &str| status.iter().find(|row| row.model.as_deref() == Some(model)).unwrap().restarts;
    // A blow between two windows costs nobody anything: the next window starts the engine again.
    assert!(restarts("struck") >= 3 && restarts("smoke-q8_0") == 0, "{status:?}");
    let done = stage.run(stage.job_for("struck", "zh-new-23.m4a")).await.unwrap();
    assert_eq!(done.transcript.text, "那个飞机很热。");
}

#[tokio::test]
async fn a_model_that_does_not_fit_into_memory_fails_alone() {
    let folder = TempDir::new().unwrap();
    let program = folder.path().join("trawl");
    let limited = "case \"$*\" in *'--model-name large'*) ulimit -v 300000;; esac";
    let script = format!("#!/bin/sh\n{limited}\nexec '{}' \"$@\"\n", env!("CARGO_BIN_EXE_trawl"));
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let config = EngineConfig { slots: 1, threads: 1, ..EngineConfig::default() };
    let stage = Stage::with(config, program);
    let mut large = stage.job_for("large", "zh-new-23.m4a");
    let path = folder.path().join("ggml-large.bin");
    weights::write(&path, 2_048);
    large.file.as_mut().unwrap().path = path;
    let (large, small) = tokio::join!(stage.run(large), stage.run(stage.job("zh-new-23.m4a")));
    let error = large.unwrap_err();
    assert!(matches!(error.code, Code::EngineFailed | Code::EngineCrashed), "{error:?}");
    eprintln!("without memory: {}", error.detail);
    assert_eq!(small.unwrap().transcript.text, "那个飞机很热。");
}

#[test]
fn slots_share_one_copy_of_the_weights() {
    let folder = TempDir::new().unwrap();
    let model = folder.path().join("ggml-heavy.bin");
    weights::write(&model, 512);
    let size = model.metadata().unwrap().len();
    let resident = |slots: &str| {
        let mut engine = Command::new(env!("CARGO_BIN_EXE_trawl"))
            .args(["engine", "--model-name", "heavy", "--slots", slots, "--model"])
            .arg(&model)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(engine.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert!(line.starts_with("{\"type\":\"ready\""), "{line}");
        let status = std::fs::read_to_string(format!("/proc/{}/status", engine.id())).unwrap();
        engine.kill().unwrap();
        engine.wait().unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse::<u64>().unwrap() << 10
    };
    let (one, four) = (resident("1"), resident("4"));
    eprintln!("a file of {} MiB: {} MiB with one slot, {} MiB with four", size >> 20, one >> 20, four >> 20);
    assert!(one > size && four < 2 * one, "{size} {one} {four}");
}

#[tokio::test]
async fn models_are_loaded_beforehand_and_unloaded() {
    let stage = Stage::new(1);
    let model = stage.job("silence.wav").file.unwrap();
    stage.pool.load(&model).await.unwrap();
    let status = &stage.pool.status()[0];
    assert_eq!((status.model.as_deref(), status.state.as_str(), status.busy), (Some("smoke-q8_0"), "ready", 0));
    let device = &stage.pool.devices()[0];
    assert_eq!((device.name.as_str(), device.memory_used >= status.rss.unwrap()), ("cpu", true));
    assert!(stage.pool.unload("smoke-q8_0").await.unwrap());
    assert_eq!(stage.pool.status()[0].model, None);
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
    let mut job = stage.job("zh-new-23.m4a");
    let path = stage.dir.path().join("ggml-broken.bin");
    std::fs::write(&path, b"lmgg and nothing else").unwrap();
    job.model = "broken".to_owned();
    job.file = Some(ModelRef::new("broken", path));
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
