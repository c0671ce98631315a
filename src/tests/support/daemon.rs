//! The real binary as its own process, to be killed and started again on the same data.

use std::{
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::watch,
};

use super::{program, settings};

/// A folder with a daemon's data, and the daemon when it runs.
pub struct Daemon {
    /// Its address while it runs.
    pub url: String,
    /// A client for it.
    pub http: reqwest::Client,
    /// What its next start finds in its environment.
    pub env: Vec<(&'static str, String)>,
    /// What its next start is started by: a program and its arguments.
    pub by: Vec<String>,
    folder: TempDir,
    child: Option<Child>,
    log: watch::Sender<String>,
}

impl Daemon {
    /// A data folder with settings; nothing runs yet.
    pub fn new(more: &str) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("test.toml"), settings(folder.path(), more)).unwrap();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(90)).build().unwrap();
        let (url, env, by, log) = (String::new(), Vec::new(), Vec::new(), watch::Sender::new(String::new()));
        Self { url, http, env, by, folder, child: None, log }
    }

    /// The command that starts it.
    pub fn command(&self) -> Command {
        let program = program().display().to_string();
        let (first, others) = self.by.split_first().unwrap_or((&program, &[]));
        let mut command = Command::new(first);
        if !self.by.is_empty() {
            command.args(others).arg(&program);
        }
        command.arg("serve").arg("--config").arg(self.config()).stdin(Stdio::null()).kill_on_drop(true);
        command.envs(self.env.iter().cloned());
        command
    }

    /// The settings' file.
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("test.toml")
    }

    /// Where it works.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it and waits until it listens.
    pub async fn start(&mut self) {
        assert!(self.try_start().await, "it does not start:\n{}", self.log());
    }

    /// Starts it; whether it came to listen.
    pub async fn try_start(&mut self) -> bool {
        let mut child = self.command().stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let log = watch::Sender::new(String::new());
        self.log = log.clone();
        // Somebody has to read the log, or the daemon stands still when the pipe is full.
        tokio::spawn(async move {
            while let Ok(Some(line)) = lines.next_line().await {
                log.send_modify(|all| *all = format!("{all}{line}\n"));
            }
        });
        let line = tokio::select! {
            line = self.until_logged("url=") => Some(line),
            _ = child.wait() => None,
        };
        self.child = Some(child);
        let Some(line) = line else { return false };
        let (_, rest) = line.split_once("url=").unwrap();
        self.url = rest.split_whitespace().next().unwrap().trim_matches('"').to_owned();
        true
    }

    /// Waits until it has died by itself; whether SIGKILL was the reason.
    pub async fn died(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        let end = tokio::time::timeout(Duration::from_secs(60), child.wait()).await;
        let status = end.unwrap_or_else(|_| panic!("it does not die:\n{}", self.log())).unwrap();
        status.signal() == Some(libc::SIGKILL)
    }

    /// Whether it runs still.
    pub fn is_alive(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// Waits until a line with this text is in the log of the last start, and returns the first one.
    pub async fn until_logged(&self, text: &str) -> String {
        let find = |all: &String| all.lines().find(|line| line.contains(text)).map(str::to_owned);
        let mut log = self.log.subscribe();
        let found = tokio::time::timeout(Duration::from_secs(60), log.wait_for(|all| find(all).is_some())).await;
        match found {
            Ok(Ok(all)) => find(&all).unwrap(),
            _ => panic!("no \"{text}\" in the log:\n{}", self.log()),
        }
    }

    /// What it has logged since its last start.
    pub fn log(&self) -> String {
        self.log.borrow().clone()
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id().unwrap()
    }

    /// SIGKILL.
    pub async fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().await.unwrap();
    }

    /// SIGTERM; waits for the end and returns whether it was a clean one.
    pub async fn stop(&mut self) -> bool {
        self.term();
        self.ended().await
    }

    /// SIGTERM.
    pub fn term(&self) {
        let pid = i32::try_from(self.pid()).unwrap();
        // SAFETY: the process is our child and has not been waited for, so its id is still its own.
        assert_eq!(unsafe { libc::kill(pid, libc::SIGTERM) }, 0);
    }

    /// Waits for the end and returns whether it was a clean one.
    pub async fn ended(&mut self) -> bool {
        let mut child = self.child.take().unwrap();
        let end = tokio::time::timeout(Duration::from_secs(40), child.wait()).await;
        end.unwrap_or_else(|_| panic!("it does not stop:\n{}", self.log())).unwrap().success()
    }

    /// GET as JSON.
    pub async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    /// Pastes a link with a callback; returns the task's id.
    pub async fn paste(&self, link: &str, callback: &str) -> i64 {
        let body = json!({ "link": link, "callback_url": callback });
        let answer = self.http.post(format!("{}/api/tasks", self.url)).json(&body).send().await.unwrap();
        let task: Value = answer.json().await.unwrap();
        task["id"].as_i64().unwrap_or_else(|| panic!("{task}"))
    }

    /// Waits for a task's end and returns it.
    pub async fn end(&self, id: i64) -> Value {
        loop {
            let task = self.get(&format!("/api/tasks/{id}?wait=60")).await;
            match task["status"].as_str() {
                Some("queued" | "processing") => {}
                Some(_) => return task,
                None => panic!("{task}"),
            }
        }
    }

    /// Follows a task's events from the first one until one is as wanted; returns all that were seen, or `None` when the
    /// stream has ended before.
    pub async fn follow(&self, id: i64, wanted: impl Fn(&Event) -> bool) -> Option<Vec<Event>> {
        let answer = self.http.get(format!("{}/api/tasks/{id}/events", self.url)).send().await.unwrap();
        let (seen, found) = Event::listen(answer, wanted).await;
        found.then_some(seen)
    }
}

/// One server-sent event.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its number.
    pub id: i64,
    /// `status`, `step`, …
    pub kind: String,
    /// What happened.
    pub data: Value,
}

impl Event {
    /// Reads a stream until an event is as wanted; returns all that were seen, and whether that one was among them.
    pub async fn listen(mut answer: reqwest::Response, wanted: impl Fn(&Self) -> bool) -> (Vec<Self>, bool) {
        let mut bytes = Vec::new();
        let mut seen = Vec::new();
        while let Ok(Some(chunk)) = answer.chunk().await {
            bytes.extend_from_slice(&chunk);
            while let Some(end) = bytes.windows(2).position(|pair| pair == b"\n\n") {
                let block: Vec<u8> = bytes.drain(..end + 2).collect();
                seen.extend(Self::read(std::str::from_utf8(&block).unwrap()));
                if seen.last().is_some_and(&wanted) {
                    return (seen, true);
                }
            }
        }
        (seen, false)
    }

    /// Reads one block of lines; comments are no events.
    pub fn read(block: &str) -> Option<Self> {
        let field =
            |name: &str| block.lines().find_map(|line| line.strip_prefix(name)).map(|value| value.trim().to_owned());
        let id = field("id:")?.parse().unwrap();
        Some(Self { id, kind: field("event:")?, data: serde_json::from_str(&field("data:")?).unwrap() })
    }

    /// Whether a step has come to a state.
    pub fn is_step(&self, key: &str, state: &str) -> bool {
        self.kind == "step" && self.data["step"] == key && self.data["state"] == state
    }

    /// Whether it tells the task's end.
    pub fn is_end(&self) -> bool {
        self.kind == "status" && ["completed", "failed", "cancelled"].iter().any(|end| self.data["status"] == *end)
    }
}
