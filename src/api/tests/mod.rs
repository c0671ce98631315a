//! The API over a real store, queue and folder of files.

mod access;
mod bodies;
mod current;
mod deliveries;
mod doctor;
mod documents;
mod edge;
mod edits;
mod event_fires;
mod events;
mod media;
mod metrics;
mod models;
mod nodes;
mod openai;
mod outside;
mod results;
mod resumable;
mod search;
mod secrets;
mod server;
mod sources;
mod tasks;
mod transcripts;
mod upload;
mod wire;
mod workflows;

use std::sync::{Arc, LazyLock, OnceLock, atomic::AtomicBool};

use poem::{
    Body, Endpoint, EndpointExt, Request, Response,
    endpoint::BoxEndpoint,
    http::{HeaderMap, Method, StatusCode},
};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{Resolve, State, app};
use crate::{
    access::Access,
    config::Config,
    crawl::{Ask, Identities},
    domain::TaskId,
    error::{Code, Error, Result},
    files::Files,
    follow::{Follow, tests::Stub},
    intake::Intake,
    llm::Llm,
    media::Ffmpeg,
    net::Net,
    queue::Queue,
    schedule::Scheduler,
    secrets::Secrets,
    store::{Store, Tx},
    transcribe::{
        Fetch, Models, Pool,
        models::{Progress, Pulls},
    },
};

const WORKFLOW: &str = include_str!("../../../workflows/transcribe.json");

/// Found once for all tests: each of its programs is started for that.
static FFMPEG: LazyLock<Ffmpeg> = LazyLock::new(|| Ffmpeg::new(&Config::defaults().media).unwrap());

struct NoResolver;

#[async_trait::async_trait]
impl Resolve for NoResolver {
    async fn resolve(&self, ask: &Ask) -> Result<Value> {
        match ask.link.as_str() {
            "panic" => panic!("as asked"),
            link => {
                Err(Error::new(Code::NoMediaFound, link).with_retry_after(Some(std::time::Duration::from_millis(1500))))
            }
        }
    }
}

/// A network for models that sends nothing until it is cancelled.
struct NoNetwork;

#[async_trait::async_trait]
impl Fetch for NoNetwork {
    async fn fetch(
        &self,
        _: &str,
        part: &std::path::Path,
        _: std::ops::RangeInclusive<u64>,
        progress: &Progress<'_>,
        cancel: &CancellationToken,
    ) -> Result<u64> {
        std::fs::write(part, b"begun")?;
        progress(5, Some(10));
        cancel.cancelled().await;
        Err(Error::new(Code::Cancelled, "as asked"))
    }
}

/// A daemon's API without the rest of the daemon.
struct Api {
    folder: TempDir,
    list: Arc<Stub>,
    state: State,
    /// Built once: that takes a while.
    app: OnceLock<BoxEndpoint<'static, Response>>,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Api {
    async fn new() -> Self {
        Self::with(|_| ()).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("empty.toml");
        std::fs::write(&file, "").unwrap();
        let mut config = Config::load(Some(&file), &[]).unwrap();
        config.paths.data = folder.path().join("data");
        config.paths.temp = folder.path().join("temp");
        config.uploads.reserve_bytes = 0;
        config.database.url = crate::store::test_url::test_url(folder.path());
        change(&mut config);
        let store = Store::open(&config.database_url()).await.unwrap();
        let tx = store.begin().await.unwrap();
        tx.save_workflow("transcribe", serde_json::from_str(WORKFLOW).unwrap(), "x").await.unwrap();
        tx.commit().await.unwrap();
        let store = Arc::new(store);
        let identities = Identities::new(store.clone(), &[7; 32], &config);
        let secrets = Secrets::new(store.clone(), &[8; 32]);
        let queue = Queue::new(store, config.queue.clone());
        let models = Models::new(&config.models);
        let intake = Intake::new(queue.clone(), Net::new(&config.net).unwrap(), models.clone());
        let files = Files::open(&config.paths, &config.storage, &config.uploads).await.unwrap();
        // No engine process is started without a job.
        let pool = Arc::new(Pool::new(&config.engine, Net::new(&config.net).unwrap(), "trawl".into()).unwrap());
        let llm = Llm::new(&config.llm, &Net::new(&config.net).unwrap()).unwrap();
        let list = Arc::new(Stub::default());
        let follow = Follow::new(Arc::clone(&list) as Arc<_>, intake.clone(), queue.clone());
        let state = State {
            access: Access::new(queue.shared_store(), &config, &[9; 32]),
            scheduler: Scheduler::new(queue.clone(), intake.clone(), follow.clone(), Net::new(&config.net).unwrap()),
            follow,
            config: Arc::new(config),
            queue,
            intake,
            files,
            resolver: Arc::new(NoResolver),
            identities,
            secrets,
            pulls: Pulls::new(models.clone(), Arc::new(NoNetwork)),
            models,
            llm,
            ffmpeg: FFMPEG.clone(),
            pool,
            info: Arc::new(|| json!({ "ffmpeg": "7.1", "name": "other" })),
            draining: Arc::new(AtomicBool::new(false)),
        };
        Self { folder, list, state, app: OnceLock::new() }
    }

    fn store(&self) -> &Store {
        self.state.queue.store()
    }

    async fn write(&self, work: impl AsyncFnOnce(&Tx)) {
        let tx = self.store().begin().await.unwrap();
        work(&tx).await;
        tx.commit().await.unwrap();
        self.state.queue.wake().event();
    }

    async fn call(&self, request: Request) -> Response {
        self.app.get_or_init(|| app(self.state.clone()).boxed()).call(request).await.unwrap()
    }

    async fn send(&self, request: Request) -> Answer {
        let response = self.call(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = response.into_body().into_vec().await.unwrap();
        Answer { status, headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::builder().uri_str(path).finish()).await
    }

    async fn post(&self, path: &str, body: impl Into<Body>) -> Answer {
        let request = Request::builder().method(Method::POST).uri_str(path).content_type("application/json");
        self.send(request.body(body)).await
    }

    async fn task(&self) -> TaskId {
        let answer = self.post("/api/tasks", r#"{"link": "https://example.com/a.mp3"}"#).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
        TaskId(answer.json()["id"].as_i64().unwrap())
    }

    /// The files below a folder of the test.
    fn files(&self, below: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = vec![self.folder.path().join(below)];
        while let Some(folder) = open.pop() {
            for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type().unwrap().is_dir() {
                    true => open.push(entry.path()),
                    false => found.push(entry.file_name().into_string().unwrap()),
                }
            }
        }
        found
    }
}

impl Answer {
    fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.text()))
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Checks that this is a problem with a status and a code, and returns it.
    #[track_caller]
    fn problem(&self, status: u16, code: &str) -> Value {
        assert_eq!(self.status, status, "{}", self.text());
        assert_eq!(self.header("content-type"), "application/problem+json");
        let problem = self.json();
        assert_eq!(problem["code"], code, "{problem}");
        assert_eq!((&problem["type"], &problem["status"]), (&json!("about:blank"), &json!(status)));
        for field in ["title", "detail", "hint", "instance"] {
            assert!(problem[field].as_str().is_some_and(|text| !text.is_empty()), "{field}: {problem}");
        }
        problem
    }
}
