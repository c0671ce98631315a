//! A daemon inside the test's process, on a free port.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use trawl::{app::App, config::Config, error::Result};

use super::{Event, program, settings};

/// A running daemon.
pub struct TestApp {
    /// The daemon's parts.
    pub app: App,
    /// Its address: `http://127.0.0.1:PORT`.
    pub url: String,
    /// A client for it.
    pub http: reqwest::Client,
    folder: TempDir,
    shutdown: CancellationToken,
    running: JoinHandle<Result<()>>,
}

impl TestApp {
    /// Starts a daemon with the tests' settings.
    pub async fn start() -> Self {
        Self::with("").await
    }

    /// Starts a daemon with more settings, as TOML lines with dotted keys.
    pub async fn with(more: &str) -> Self {
        Self::with_program(more, program()).await
    }

    /// Starts a daemon whose engines are started from `program`.
    pub async fn with_program(more: &str, program: PathBuf) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("test.toml");
        std::fs::write(&file, settings(folder.path(), more)).unwrap();
        let config = Config::load(Some(&file), &[]).unwrap();
        let app = App::open(config, program).await.unwrap();
        let (listener, address) = app.listen().await.unwrap();
        let shutdown = CancellationToken::new();
        let (runner, stop) = (app.clone(), shutdown.clone());
        let running = tokio::spawn(async move { runner.run(Some(listener), stop, CancellationToken::new()).await });
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(90)).build().unwrap();
        Self { app, url: format!("http://{address}"), http, folder, shutdown, running }
    }

    /// GET as status and JSON.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        read(self.http.get(format!("{}{path}", self.url)).send().await.unwrap()).await
    }

    /// GET as text; the answer must be a 200.
    pub async fn text(&self, path: &str) -> String {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.text().await.unwrap()
    }

    /// POST of JSON as status and JSON.
    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        read(self.http.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap()).await
    }

    /// DELETE as status.
    pub async fn delete(&self, path: &str) -> u16 {
        self.http.delete(format!("{}{path}", self.url)).send().await.unwrap().status().as_u16()
    }

    /// Pastes a link; the answer must be 202. Returns the task's id.
    pub async fn paste(&self, link: &str) -> i64 {
        self.submit(json!({ "link": link })).await
    }

    /// Posts a task; the answer must be 202. Returns the task's id.
    pub async fn submit(&self, body: Value) -> i64 {
        let (status, task) = self.post("/api/tasks", body).await;
        assert_eq!(status, 202, "{task}");
        task["id"].as_i64().unwrap()
    }

    /// Uploads bytes; returns status and JSON.
    pub async fn upload(&self, name: &str, bytes: Vec<u8>, fields: &[(&str, &str)]) -> (u16, Value) {
        let request = self.http.post(format!("{}/api/tasks/upload", self.url));
        read(multipart(request, name, bytes, fields).send().await.unwrap()).await
    }

    /// Waits for a task's end and returns it.
    pub async fn end(&self, id: i64) -> Value {
        loop {
            let (status, task) = self.get(&format!("/api/tasks/{id}?wait=60")).await;
            assert_eq!(status, 200, "{task}");
            if ["completed", "failed", "cancelled"].contains(&task["status"].as_str().unwrap()) {
                return task;
            }
        }
    }

    /// Waits until a task looks as wanted, by way of the event that brings it there.
    pub async fn until(&self, id: i64, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut events = self.app.services.queue.wake().events();
        loop {
            let (_, task) = self.get(&format!("/api/tasks/{id}")).await;
            if wanted(&task) {
                return task;
            }
            tokio::time::timeout(Duration::from_secs(60), events.changed()).await.expect("nothing happens").unwrap();
        }
    }

    /// Waits until the task's first delivery has arrived and returns its deliveries.
    pub async fn until_delivered(&self, id: i64) -> Value {
        let mut events = self.app.services.queue.wake().events();
        loop {
            let (_, deliveries) = self.get(&format!("/api/tasks/{id}/deliveries")).await;
            let list = deliveries.get("items").cloned().unwrap_or(deliveries);
            if list[0]["state"] == "delivered" {
                return list;
            }
            tokio::time::timeout(Duration::from_secs(60), events.changed()).await.expect("nothing happens").unwrap();
        }
    }

    /// Reads server-sent events from `path` until one is as wanted, or the stream ends.
    pub async fn listen(&self, path: &str, wanted: impl Fn(&Event) -> bool) -> Vec<Event> {
        let answer = self.http.get(format!("{}{path}", self.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        Event::listen(answer, wanted).await.0
    }

    /// Looks again and again until `there` says yes; for what no event tells of (files, processes). Each look waits for an
    /// answer of the daemon, so it takes turns with the daemon's work.
    pub async fn eventually(&self, what: &str, there: impl Fn() -> bool) {
        let looking = async {
            while !there() {
                self.text("/live").await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looking).await.unwrap_or_else(|_| panic!("never: {what}"));
    }

    /// Where the daemon works.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// Stops the daemon in an orderly way; nothing may be left in its queue or its working folders.
    pub async fn finish(self) {
        let open = self.app.services.queue.store().open_tasks().await.unwrap();
        assert_eq!(open, [], "tasks are left in the queue");
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
        let temp = self.folder.path().join("temp");
        // What lies in the cache is no leftover: it is bounded, and the next start finds it.
        let left: Vec<_> = walk(&temp).into_iter().filter(|path| !path.starts_with(temp.join("cache"))).collect();
        assert_eq!(left, Vec::<std::path::PathBuf>::new(), "files are left in the working folders");
    }
}

/// A request with a file and fields.
pub fn multipart(
    request: reqwest::RequestBuilder,
    name: &str,
    bytes: Vec<u8>,
    fields: &[(&str, &str)],
) -> reqwest::RequestBuilder {
    let boundary = "trawl-test-boundary";
    let mut body = Vec::new();
    for (field, value) in fields {
        let part = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{field}\"\r\n\r\n{value}\r\n");
        body.extend(part.into_bytes());
    }
    let head = format!(
        "--{boundary}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n"
    );
    body.extend(head.into_bytes());
    body.extend(bytes);
    body.extend(format!("\r\n--{boundary}--\r\n").into_bytes());
    request.header("content-type", format!("multipart/form-data; boundary={boundary}")).body(body)
}

/// Every file below a folder.
pub fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries
        .flatten()
        .flat_map(|entry| if entry.path().is_dir() { walk(&entry.path()) } else { vec![entry.path()] })
        .collect()
}

async fn read(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    let text = answer.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}
