//! Processes that die, hang, lie or do not listen.

use super::{stage::held, *};

#[tokio::test]
async fn a_crash_fails_its_window_and_the_next_one_runs() {
    let mut stage = Stage::new("[ -e crashed ] || { touch crashed; echo 'ggml said why' >&2; kill -9 $$; }; done_");
    stage.config.slots = 1;
    let pool = stage.pool();
    let (first, second) = tokio::join!(run(&pool, "a"), run(&pool, "a"));
    // Either may be the first to arrive.
    let (failed, done) = if first.is_err() { (first, second) } else { (second, first) };
    let error = failed.unwrap_err();
    assert_eq!(error.code, Code::EngineCrashed);
    assert!(error.detail.contains("signal 9 (SIGKILL"), "{}", error.detail);
    assert_eq!(done.unwrap().inference_ms, 5);
    let status = &pool.status()[0];
    assert_eq!((status.restarts, status.busy, status.model.as_deref()), (1, 0, Some("a")));
    assert_eq!(status.state, "ready");
    assert!(status.rss.unwrap() > 0);
}

#[tokio::test]
async fn a_crash_leaves_other_engines_alone() {
    let stage = Stage::new("progress; [ $model = good ] || kill -9 $$; read -r abort; done_");
    let pool = stage.pool();
    let error = held(&pool, "good", run(&pool, "bad")).await.unwrap_err();
    assert_eq!(error.code, Code::EngineCrashed);
    let status = pool.status();
    let state = |model: &str| status.iter().find(|row| row.model.as_deref() == Some(model)).unwrap().state.clone();
    assert_eq!((state("good").as_str(), state("bad").as_str()), ("busy", "waiting"));
}

#[tokio::test]
async fn nonsense_and_exits_are_crashes_of_the_process() {
    for (body, told) in [("echo nonsense", "makes no sense"), ("exit 3", "status 3"), ("exec >&-; read x", "stopped")] {
        let error = run(&Stage::new(body).pool(), "a").await.unwrap_err();
        assert_eq!(error.code, Code::EngineCrashed);
        assert!(error.detail.contains(told), "{}", error.detail);
    }
}

#[tokio::test]
async fn a_silent_process_is_ended() {
    for (loading, body) in [("", "read never"), ("read never", "")] {
        let mut stage = Stage::with(loading, body);
        stage.config.hang_timeout = Span(Duration::from_millis(300));
        let error = run(&stage.pool(), "a").await.unwrap_err();
        assert_eq!(error.code, Code::EngineCrashed);
        assert!(error.detail.contains("said nothing for 0.3 seconds"), "{}", error.detail);
    }
}

#[tokio::test]
async fn events_are_passed_on_and_a_deaf_process_cannot_hold_up_a_cancel() {
    let stage = Stage::new("progress; while :; do read -r x || exit; done");
    let pool = stage.pool();
    let cancel = CancellationToken::new();
    let seen = |event: Heard| {
        assert_eq!(event, Heard::Alive(0.5));
        cancel.cancel();
    };
    let error = pool.recognise(&window("a"), &ask(), &seen, &cancel).await.unwrap_err();
    assert_eq!(error.code, Code::Cancelled);
    let gone = CancellationToken::new();
    gone.cancel();
    assert_eq!(pool.recognise(&window("a"), &ask(), &|_| {}, &gone).await.unwrap_err().code, Code::Cancelled);
}

#[tokio::test]
async fn a_caller_that_goes_away_frees_its_slot() {
    let answer = r#"read -r abort; echo "$abort" >> aborts; [ "$id" = 1 ] || { done_; continue; }"#;
    let failed = r#"echo '{"type":"failed","id":1,"code":"cancelled","detail":"x"}'"#;
    let mut stage = Stage::new(&format!("progress; [ \"$id\" = 1 ] && {{ {answer}\n{failed}; }} || done_"));
    stage.config.slots = 1;
    let pool = stage.pool();
    held(&pool, "a", async {}).await;
    run(&pool, "a").await.unwrap();
    assert_eq!(stage.started(), "a cpu", "the process was not replaced");
    let aborts = std::fs::read_to_string(stage.dir.path().join("aborts")).unwrap();
    assert_eq!(aborts, "{\"type\":\"abort\",\"id\":1}\n");
}

#[tokio::test]
async fn an_unusable_model_fails_with_its_own_error() {
    let stage = Stage::with("unusable model_invalid", "");
    let error = run(&stage.pool(), "a").await.unwrap_err();
    assert_eq!((error.code, error.detail.as_str()), (Code::ModelInvalid, "it is model_invalid"));
    let pool = Local::new(&stage.config, "/nowhere/trawl".into()).unwrap();
    assert_eq!(run(&pool, "a").await.unwrap_err().code, Code::EngineFailed);
}

#[tokio::test]
async fn a_process_that_does_not_stop_holds_up_nobody() {
    let mut stage = Stage::new("done_; trap '' TERM; [ $model = stubborn ] && while :; do read -r x; done");
    stage.config.idle_unload = Span(Duration::from_millis(1));
    let pool = stage.pool();
    run(&pool, "stubborn").await.unwrap();
    let begun = std::time::Instant::now();
    run(&pool, "a").await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_shutdown_ends_running_and_later_windows() {
    let stage = Stage::new("progress");
    let pool = Arc::new(stage.pool());
    let begun = Arc::new(tokio::sync::Notify::new());
    let (running, told) = (pool.clone(), begun.clone());
    let running = tokio::spawn(async move {
        running.recognise(&window("a"), &ask(), &move |_| told.notify_one(), &CancellationToken::new()).await
    });
    begun.notified().await;
    let waiting = run(&pool, "b");
    let (waiting, ()) = tokio::join!(waiting, pool.shutdown());
    assert_eq!(waiting.unwrap_err().code, Code::ShuttingDown);
    assert_eq!(running.await.unwrap().unwrap_err().code, Code::ShuttingDown);
    assert_eq!(run(&pool, "a").await.unwrap_err().code, Code::ShuttingDown);
    assert_eq!(pool.load(&stage::model("a")).await.unwrap_err().code, Code::ShuttingDown);
    assert_eq!(pool.unload("a").await.unwrap_err().code, Code::ShuttingDown);
    pool.shutdown().await;

    let unused = stage.pool();
    unused.shutdown().await;
    assert_eq!(run(&unused, "a").await.unwrap_err().code, Code::ShuttingDown);
}

#[test]
fn waits_double_and_end_with_a_success() {
    let mut pair = pairs::Pair::default();
    let wait = |pair: &pairs::Pair| pair.waits_until().map(|until| until - tokio::time::Instant::now());
    let is_about = |wait: Option<Duration>, ms: u64| {
        wait.is_some_and(|wait| wait <= Duration::from_millis(ms) && wait > Duration::from_millis(ms / 2))
    };
    for ms in [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000] {
        pair.crashed();
        assert!(is_about(wait(&pair), ms), "{ms}: {pair:?}");
    }
    pair.starts();
    pair.worked();
    pair.crashed();
    assert!(is_about(wait(&pair), 250), "{pair:?}");
    assert_eq!(pair.restarts, 1);
    pair.failed("x".to_owned());
    assert_eq!(pair.problem(), Some("x"));
    pair.forgive();
    assert!(pair.problem().is_none() && pair.waits_until().is_none());
}
