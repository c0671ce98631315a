//! The supervisor with a process that speaks the protocol and misbehaves on purpose.

use std::{os::unix::fs::PermissionsExt, path::Path, time::Duration};

use tempfile::TempDir;

use super::*;
use crate::{
    domain::{Options, Span},
    transcribe::{engine::Heard, models::ModelRef},
};

/// A process in `sh`: it logs its model, then `body` runs with `$id` set for every job.
struct Stage {
    dir: TempDir,
}

impl Stage {
    fn new(body: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let script = format!(
            r#"#!/bin/sh
cd '{}'
echo "$5" >> started
done_() {{ echo '{{"type":"done","id":'$id',"inference_ms":5,"warnings":[]}}'; }}
echo '{{"type":"ready","model":"m","engine":"e","device":"cpu","slots":1}}'
while read -r line; do
  case "$line" in
    *'"recognise"'*) id=$(echo "$line" | sed 's/.*"id":\([0-9]*\).*/\1/')
{body}
    ;;
    *shutdown*) exit 0 ;;
  esac
done
"#,
            dir.path().display(),
        );
        let path = dir.path().join("program");
        std::fs::write(&path, script).unwrap();
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
        Self { dir }
    }

    fn engine(&self, hang: Duration, idle: Duration) -> Local {
        let config =
            EngineConfig { threads: 1, idle_unload: Span(idle), hang_timeout: Span(hang), ..EngineConfig::default() };
        Local::new(&config, self.dir.path().join("program")).unwrap()
    }

    fn started(&self) -> String {
        std::fs::read_to_string(self.dir.path().join("started")).unwrap()
    }
}

const LONG: Duration = Duration::from_secs(600);

fn window(model: &str) -> Window {
    let path = Path::new("/models").join(model);
    Window { job: 1, model: ModelRef { name: model.to_owned(), path }, pcm: "/tmp/x".into(), range: 0..1 }
}

fn ask() -> Ask {
    Ask { language: "en".to_owned(), previous: String::new(), options: Options::default() }
}

async fn run(engine: &Local, model: &str) -> Result<Recognised> {
    engine.recognise(&window(model), &ask(), &|_| {}, &CancellationToken::new()).await
}

#[tokio::test]
async fn a_crash_fails_its_job_and_the_next_one_runs() {
    let stage = Stage::new("[ -e crashed ] || { touch crashed; echo 'ggml said why' >&2; kill -9 $$; }; done_");
    let engine = stage.engine(LONG, LONG);
    let (first, second) = tokio::join!(run(&engine, "a"), run(&engine, "a"));
    let error = first.unwrap_err();
    assert_eq!(error.code, Code::EngineCrashed);
    assert!(error.detail.contains("signal 9 (SIGKILL"), "{}", error.detail);
    assert_eq!(second.unwrap().inference_ms, 5);
    let status = &engine.status()[0];
    assert_eq!((status.restarts, status.busy, status.model.as_deref()), (1, 0, Some("a")));
    assert!(status.rss.unwrap() > 0);
}

#[tokio::test]
async fn nonsense_and_exits_are_crashes_of_the_process() {
    for (body, told) in [("echo nonsense", "makes no sense"), ("exit 3", "status 3"), ("exec >&-; read x", "stopped")] {
        let stage = Stage::new(body);
        let error = run(&stage.engine(LONG, LONG), "a").await.unwrap_err();
        assert_eq!(error.code, Code::EngineCrashed);
        assert!(error.detail.contains(told), "{}", error.detail);
    }
}

#[tokio::test]
async fn a_silent_process_is_ended() {
    let stage = Stage::new("read never");
    let error = run(&stage.engine(Duration::from_millis(300), LONG), "a").await.unwrap_err();
    assert_eq!(error.code, Code::EngineCrashed);
    assert!(error.detail.contains("said nothing for 0.3 seconds"), "{}", error.detail);
}

#[tokio::test]
async fn events_are_passed_on_and_a_deaf_process_cannot_hold_up_a_cancel() {
    let stage = Stage::new(r#"echo '{"type":"progress","id":'$id',"value":0.5}'; while :; do read -r x || exit; done"#);
    let engine = stage.engine(LONG, LONG);
    let cancel = CancellationToken::new();
    let seen = |event: Heard| {
        assert_eq!(event, Heard::Alive(0.5));
        cancel.cancel();
    };
    let error = engine.recognise(&window("a"), &ask(), &seen, &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    let gone = CancellationToken::new();
    gone.cancel();
    assert_eq!(engine.recognise(&window("a"), &ask(), &|_| {}, &gone).await.unwrap_err().code, Code::Cancelled);
}

#[tokio::test]
async fn other_models_take_their_turn() {
    let stage = Stage::new("done_");
    let engine = stage.engine(LONG, LONG);
    let all = tokio::join!(run(&engine, "a"), run(&engine, "a"), run(&engine, "b"), run(&engine, "a"));
    assert!(all.0.is_ok() && all.1.is_ok() && all.2.is_ok() && all.3.is_ok());
    assert_eq!(stage.started(), "a\nb\na\n");
    assert_eq!(engine.status()[0].restarts, 0, "a change of model is no failure");
}

#[tokio::test]
async fn an_unusable_model_fails_with_its_own_error() {
    let stage = Stage::new("done_");
    let script =
        "#!/bin/sh\necho '{\"type\":\"unusable\",\"code\":\"model_invalid\",\"detail\":\"is cut off\"}'\nexit 1\n";
    std::fs::write(stage.dir.path().join("program"), script).unwrap();
    let error = run(&stage.engine(LONG, LONG), "a").await.unwrap_err();
    assert_eq!((error.code, error.detail.as_str()), (Code::ModelInvalid, "is cut off"));
    let engine = Local::new(
        &EngineConfig { threads: 1, idle_unload: Span(LONG), hang_timeout: Span(LONG), ..EngineConfig::default() },
        "/nowhere/trawl".into(),
    )
    .unwrap();
    assert_eq!(run(&engine, "a").await.unwrap_err().code, Code::EngineFailed);
}

#[tokio::test]
async fn an_unused_process_is_ended() {
    let stage = Stage::new("done_");
    let fifo = stage.dir.path().join("alive");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let path = stage.dir.path().join("program");
    let script =
        std::fs::read_to_string(&path).unwrap().replace("echo \"$5\"", "[ -e started ] || exec 3>alive; echo \"$5\"");
    std::fs::write(&path, script).unwrap();
    let engine = stage.engine(LONG, Duration::from_millis(50));
    // The end of the pipe comes when the process is gone.
    let gone = tokio::task::spawn_blocking(move || std::fs::read(fifo));
    run(&engine, "a").await.unwrap();
    gone.await.unwrap().unwrap();
    run(&engine, "a").await.unwrap();
    assert_eq!((stage.started().as_str(), engine.status()[0].restarts), ("a\na\n", 0));
}

#[tokio::test]
async fn a_shutdown_ends_running_and_later_jobs() {
    let stage = Stage::new(r#"echo '{"type":"progress","id":'$id',"value":0.5}'"#);
    let engine = Arc::new(stage.engine(LONG, LONG));
    let begun = Arc::new(tokio::sync::Notify::new());
    let (running, told) = (engine.clone(), begun.clone());
    let running = tokio::spawn(async move {
        running.recognise(&window("a"), &ask(), &move |_| told.notify_one(), &CancellationToken::new()).await
    });
    begun.notified().await;
    let waiting = run(&engine, "b");
    let (waiting, ()) = tokio::join!(waiting, engine.shutdown());
    assert_eq!(waiting.unwrap_err().code, Code::ShuttingDown);
    assert_eq!(running.await.unwrap().unwrap_err().code, Code::ShuttingDown);
    assert_eq!(run(&engine, "a").await.unwrap_err().code, Code::ShuttingDown);
    engine.shutdown().await;

    let unused = stage.engine(LONG, LONG);
    unused.shutdown().await;
    assert_eq!(run(&unused, "a").await.unwrap_err().code, Code::ShuttingDown);
}
