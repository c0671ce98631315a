//! Several servers as one engine. What takes part on this machine is shown in `src/tests/remote.rs`.

use std::{sync::Mutex, time::Duration};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    config, honest, job, net,
    server::{Asr, Said},
    times,
};
use crate::{
    config::{Config, EngineConfig, RemoteConfig, RemoteUse},
    error::{Code, Result},
    transcribe::{EngineEvent, Pool, Transcribed},
};

fn engine(remotes: &[(&str, RemoteConfig)]) -> EngineConfig {
    let mut engine = Config::defaults().engine;
    engine.devices = Vec::new();
    engine.remote = remotes.iter().map(|(name, config)| ((*name).to_owned(), config.clone())).collect();
    engine
}

fn pool(remotes: &[(&str, RemoteConfig)]) -> Pool {
    Pool::new(&engine(remotes), net(), "nothing".into()).unwrap()
}

async fn run(pool: &Pool) -> Result<Transcribed> {
    let (_file, job) = job(2, json!({}));
    pool.transcribe(job, &|_| {}, &CancellationToken::new()).await
}

fn limited(url: &str, models: &[&str]) -> RemoteConfig {
    RemoteConfig { models: models.iter().map(|model| (*model).to_owned()).collect(), ..config(url) }
}

#[tokio::test]
async fn a_failing_server_is_replaced_and_left_alone() {
    let bad = Asr::start(|_| Said::Raw(503, vec![("retry-after", "60".to_owned())], Vec::new())).await;
    let good = Asr::start(honest).await;
    let pool = pool(&[("a", config(&bad.url)), ("b", config(&good.url))]);
    assert_eq!((pool.slots(), pool.devices().len()), (4, 0));
    let (_file, job) = job(2, json!({}));
    let segments = Mutex::new(0);
    let count = |event| *segments.lock().unwrap() += usize::from(matches!(event, EngineEvent::Segment(_)));
    let done = pool.transcribe(job, &count, &CancellationToken::new()).await.unwrap();
    assert!(done.is_makeshift, "it would be found again by everybody");
    let done = done.transcript;
    assert_eq!((done.engine.as_str(), *segments.lock().unwrap()), ("remote:b", 1));
    assert_eq!(done.warnings, ["The server a answered with status 503; another engine did it"]);
    let next = run(&pool).await.unwrap();
    assert!(next.transcript.warnings.is_empty() && !next.is_makeshift);
    assert_eq!((bad.seen().asked.len(), good.seen().asked.len()), (1, 2));
    let states: Vec<_> = pool.status().into_iter().map(|status| (status.device, status.state)).collect();
    assert_eq!(states, [("remote:a".to_owned(), "waiting".to_owned()), ("remote:b".to_owned(), "ready".to_owned())]);
    pool.shutdown().await;
    assert_eq!(run(&pool).await.unwrap_err().code, Code::ShuttingDown);
}

#[tokio::test]
async fn segments_of_a_job_that_fails_later_are_not_heard() {
    let bad = Asr::start(|asked| if times(asked).0 == 0.0 { honest(asked) } else { Said::Json(500, json!({})) }).await;
    let good = Asr::start(honest).await;
    let mut one = config(&bad.url);
    one.slots = 1;
    let pool = pool(&[("a", one), ("b", RemoteConfig { used: RemoteUse::Overflow, ..config(&good.url) })]);
    let (_file, job) = job(40, json!({}));
    let heard = Mutex::new(Vec::new());
    let hear = |event| {
        if let EngineEvent::Segment(segment) = event {
            heard.lock().unwrap().push(segment);
        }
    };
    let done = pool.transcribe(job, &hear, &CancellationToken::new()).await.unwrap().transcript;
    assert_eq!((done.engine.as_str(), bad.seen().asked.len()), ("remote:b", 2));
    assert_eq!(heard.into_inner().unwrap(), done.segments);
}

#[tokio::test]
async fn when_nobody_can_the_error_says_when_to_come_back() {
    let bad = Asr::start(|_| Said::Raw(429, vec![("retry-after", "60".to_owned())], Vec::new())).await;
    let pool = pool(&[("a", limited(&bad.url, &["large-v3"])), ("b", limited(&bad.url, &["tiny"]))]);
    assert!(pool.is_remote("large-v3") && !pool.is_remote("base"));
    let first = run(&pool).await.unwrap_err();
    assert_eq!((first.code, first.retry_after), (Code::RemoteEngine, Some(Duration::from_secs(60))));
    let error = run(&pool).await.unwrap_err();
    assert!(error.is_retryable() && error.retry_after.unwrap() > Duration::from_secs(55), "{error:?}");
    assert_eq!(error.detail, "No server for the model large-v3 can be used now. The server a answered with status 429");
    assert_eq!(bad.seen().asked.len(), 1);
}

#[tokio::test]
async fn a_wrong_key_is_nobody_elses_work() {
    let bad = Asr::start(|_| Said::Json(401, json!({}))).await;
    let good = Asr::start(honest).await;
    let pool = pool(&[("a", config(&bad.url)), ("b", config(&good.url))]);
    assert_eq!(run(&pool).await.unwrap_err().code, Code::Config);
    assert!(good.seen().asked.is_empty());
}

#[tokio::test]
async fn jobs_go_where_room_is_and_wait_where_none_is() {
    let (open, gate) = tokio::sync::watch::channel(false);
    let gated = move |asked: &super::server::Asked| {
        let mut gate = gate.clone();
        tokio::runtime::Handle::current().block_on(async { gate.wait_for(|open| *open).await.map(drop) }).unwrap();
        honest(asked)
    };
    let (a, b) = (Asr::start(gated.clone()).await, Asr::start(gated).await);
    let one = |url: &str| RemoteConfig { slots: 1, ..config(url) };
    let pool = pool(&[("a", one(&a.url)), ("b", one(&b.url))]);
    let release = async {
        a.until(|seen| seen.open == 1).await;
        b.until(|seen| seen.open == 1).await;
        open.send(true).unwrap();
    };
    let (first, second, third, ()) = tokio::join!(run(&pool), run(&pool), run(&pool), release);
    assert!(first.is_ok() && second.is_ok() && third.is_ok());
    assert_eq!((a.seen().most, b.seen().most, a.seen().asked.len() + b.seen().asked.len()), (1, 1, 3));
}

#[tokio::test]
async fn another_server_is_another_recipe() {
    let url = "http://127.0.0.1:1/v1";
    let of = |name: &str, config: RemoteConfig| pool(&[(name, config)]).recipe("large-v3");
    let usual = of("a", config(url));
    assert_eq!(usual, of("a", RemoteConfig { slots: 1, api_key: "other".to_owned(), ..config(url) }));
    let none = of("a", limited(url, &["tiny"]));
    assert_eq!(none, of("b", limited(url, &["tiny"])), "servers that do other models make no difference");
    assert_ne!(none, usual);
    let others = [
        of("b", config(url)),
        of("a", config("http://127.0.0.1:2/v1")),
        of("a", RemoteConfig { model: "turbo".to_owned(), ..config(url) }),
        pool(&[("a", config(url)), ("b", config(url))]).recipe("large-v3"),
    ];
    assert!(others.iter().all(|other| *other != usual && !other.contains(super::KEY)), "{others:?}");
}

#[tokio::test]
async fn a_pool_of_nothing_is_refused() {
    let error = Pool::new(&engine(&[]), net(), "nothing".into()).err().unwrap();
    assert_eq!(error.code, Code::Config);
    let wrong = RemoteConfig { slots: 0, ..config("http://127.0.0.1/v1") };
    let error = Pool::new(&engine(&[("a", wrong)]), net(), "nothing".into()).err().unwrap();
    assert_eq!((error.code, error.detail.as_str()), (Code::Config, "`engine.remote.a.slots` must be from 1 to 64"));
}
