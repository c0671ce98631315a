//! A daemon that dies again and again, who asks it for things, and what must be true in the end.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use poem::Response;
use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::{Daemon, Event, Receiver, Reply, Site, is_server, multipart, sample_bytes, walk};

/// ffmpeg has to decode it.
pub const CLIP: &str = "en-known-18.mp3";
pub const WORDS: &str = "Please write the window at nine o'clock.";
/// So many tasks come to any point that is on their way, though perhaps when the lease of a worker is over that died there.
const MOST_TRIES: usize = 30;
/// For a server, which learns from leases alone who is gone: those of callbacks are as long as two of their timeouts.
const SOON_OVER: &str = "callbacks.timeout = \"2s\"\n";

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// A link is pasted.
    Link,
    /// A file is uploaded.
    Upload,
    /// A link is pasted; at its end the task is deleted.
    Delete,
    /// A workflow of two requests, which costs little.
    Calls,
    /// Nothing: it has enough to do.
    Nothing,
}

impl Ask {
    /// The result and the steps of such a task.
    fn comes_to(self) -> (Value, &'static [&'static str]) {
        match self {
            Self::Calls => (json!("yes"), &["first", "second"]),
            _ => (json!(WORDS), &["source", "media", "text:extract", "text"]),
        }
    }
}

pub struct World {
    pub daemon: Daemon,
    pub receiver: Receiver,
    _site: Site,
    link: String,
    /// What was asked for, by its Idempotency-Key, and whether its task was to be deleted.
    asked: BTreeMap<String, Ask>,
}

impl World {
    pub async fn new(more: &str) -> Self {
        let (site, receiver) = (Site::start().await, Receiver::start().await);
        let count = AtomicUsize::new(0);
        // Other bytes of the same sound each time, so that each is a file of its own.
        let clip = move |_: &poem::Request| {
            let bytes = bytes(&count.fetch_add(1, Ordering::SeqCst).to_string());
            Response::builder().header("content-type", "audio/mpeg").body(bytes)
        };
        let link = site.put("/clip.mp3", Reply::Made(Arc::new(clip)));
        let page = site.file("/page", "application/json", b"{\"said\": \"yes\"}".to_vec());
        let lease = if is_server() { SOON_OVER } else { "" };
        let daemon = Daemon::new(&format!("queue.max_crashes = 1000\n{lease}{more}"));
        let workflows = daemon.folder().join("workflows");
        std::fs::create_dir(&workflows).unwrap();
        std::fs::write(workflows.join("calls.json"), calls(&page)).unwrap();
        Self { daemon, receiver, _site: site, link, asked: BTreeMap::new() }
    }

    /// Lives until it comes to `point` after it has passed it `skip` times, asking for things meanwhile, and dies there.
    pub async fn die_at(&mut self, point: &str, skip: usize, ask: Ask) {
        let skipped = if skip > 0 { format!("{skip}*off->") } else { String::new() };
        self.daemon.env = vec![("FAILPOINTS", format!("{point}={skipped}1*return"))];
        let mut tries = if self.daemon.try_start().await && ask != Ask::Nothing { MOST_TRIES } else { 0 };
        while tries > 0 && self.daemon.is_alive() {
            let key = format!("{point}-{}", self.asked.len());
            self.asked.insert(key.clone(), ask);
            if self.ask(&key, ask).await.is_none() {
                break;
            }
            tries -= 1;
        }
        assert!(self.daemon.died().await, "{point}: it ended otherwise:\n{}", self.daemon.log());
        self.daemon.env.clear();
        self.no_file_is_partial();
    }

    /// Asks for something and waits for its end; none when nobody answers.
    async fn ask(&self, key: &str, ask: Ask) -> Option<()> {
        let id = self.post(key, ask).await?;
        loop {
            let task = self.get(&format!("/api/tasks/{id}?wait=60")).await?;
            match task["status"].as_str() {
                Some("queued" | "processing") => {}
                Some("failed") => panic!("{task}\n{}", self.daemon.log()),
                _ if ask == Ask::Delete => {
                    let deleted = self.daemon.http.delete(format!("{}/api/tasks/{id}", self.daemon.url)).send();
                    return deleted.await.ok().map(drop);
                }
                _ => return Some(()),
            }
        }
    }

    async fn get(&self, path: &str) -> Option<Value> {
        self.daemon.http.get(format!("{}{path}", self.daemon.url)).send().await.ok()?.json().await.ok()
    }

    /// The id of the task of a key, as it is told now.
    async fn post(&self, key: &str, ask: Ask) -> Option<i64> {
        let (url, callback) = (&self.daemon.url, self.receiver.url.as_str());
        let request = match ask {
            Ask::Upload => {
                let request = self.daemon.http.post(format!("{url}/api/tasks/upload"));
                multipart(request, CLIP, bytes(key), &[("callback_url", callback)])
            }
            _ => {
                let body = match ask {
                    Ask::Calls => json!({ "workflow": "calls", "callback_url": callback }),
                    _ => json!({ "link": self.link, "callback_url": callback }),
                };
                self.daemon.http.post(format!("{url}/api/tasks")).json(&body)
            }
        };
        let task: Value = request.header("Idempotency-Key", key).send().await.ok()?.json().await.ok()?;
        Some(task["id"].as_i64().unwrap_or_else(|| panic!("{key}: {task}")))
    }

    /// What is kept, by name, is what its name says.
    pub fn no_file_is_partial(&self) {
        for file in self.kept() {
            let name = file.file_stem().unwrap().to_str().unwrap().to_owned();
            assert_eq!(sha256(&std::fs::read(&file).unwrap()), name, "a partial file can be seen");
        }
    }

    fn kept(&self) -> Vec<PathBuf> {
        walk(&self.daemon.folder().join("data/media"))
    }

    /// Starts it for good. Everything that was asked for is done, once, and told to who wanted to know; nothing else is
    /// there.
    pub async fn settle(mut self) {
        self.age_files();
        self.daemon.start().await;
        let deleted: Vec<String> = self.of(|ask| ask == Ask::Delete);
        let mut ids = BTreeMap::new();
        for key in self.of(|ask| ask != Ask::Delete) {
            // What had no answer may have been stored or not; whoever asks again gets the one task there is.
            let id = self.post(&key, self.asked[&key]).await.unwrap();
            assert!(ids.insert(id, key.clone()).is_none(), "{key} is another one's task");
        }
        for (id, key) in &ids {
            let task = self.daemon.end(*id).await;
            let (text, steps) = self.asked[key].comes_to();
            assert_eq!((&task["status"], &task["result"]["text"]), (&json!("completed"), &text), "{task}");
            let events = self.daemon.follow(*id, Event::is_end).await.unwrap();
            assert_eq!(events.iter().filter(|event| event.is_end()).count(), 1);
            for step in steps {
                let ends = events.iter().filter(|event| event.is_step(step, "succeeded")).count();
                assert_eq!(ends, 1, "step {step} of task {id} has succeeded {ends} times");
            }
        }
        let tasks = self.daemon.get("/api/tasks?limit=200").await;
        let all: BTreeSet<i64> = tasks["items"].as_array().unwrap().iter().filter_map(|it| it["id"].as_i64()).collect();
        for id in &all {
            self.daemon.end(*id).await;
        }
        let twice = all.iter().filter(|id| !ids.contains_key(id)).count();
        assert!(twice <= deleted.len(), "{} were asked for, there are {}", self.asked.len(), tasks["total"]);
        self.told(ids.keys().copied()).await;
        let has_file = |id: &i64| ids.get(id).is_none_or(|key| self.asked[key] != Ask::Calls);
        self.files_are_those_of(all.iter().copied().filter(has_file)).await;
        assert!(self.daemon.stop().await, "{}", self.daemon.log());
        let temp = self.daemon.folder().join("temp");
        assert_eq!(walk(&temp), Vec::<PathBuf>::new(), "files are left in the working folders");
        is_sound(&self.daemon).await;
    }

    fn of(&self, wanted: impl Fn(Ask) -> bool) -> Vec<String> {
        self.asked.iter().filter(|(_, ask)| wanted(**ask)).map(|(key, _)| key.clone()).collect()
    }

    /// Each of these tasks was told of, by one message, however often it came.
    async fn told(&mut self, ids: impl Iterator<Item = i64>) {
        let mut open: BTreeSet<i64> = ids.collect();
        let mut messages: BTreeMap<i64, BTreeSet<String>> = BTreeMap::new();
        while !open.is_empty() {
            let callback = self.receiver.next().await;
            assert!(callback.verified, "{callback:?}");
            let id = callback.body["data"]["id"].as_i64().unwrap();
            messages.entry(id).or_default().insert(callback.id);
            open.remove(&id);
        }
        let written = async {
            for state in ["pending", "sending"] {
                while self.daemon.get(&format!("/api/deliveries?state={state}&limit=1")).await["items"] != json!([]) {}
            }
        };
        tokio::time::timeout(Duration::from_secs(60), written).await.expect("a delivery never ends");
        while let Some(callback) = self.receiver.try_next() {
            messages.entry(callback.body["data"]["id"].as_i64().unwrap()).or_default().insert(callback.id);
        }
        for (id, messages) in messages {
            assert_eq!(messages.len(), 1, "task {id} was told as {messages:?}");
        }
    }

    /// What is kept is what these tasks have, each whole: what died between its row and its file was swept.
    async fn files_are_those_of(&self, ids: impl Iterator<Item = i64>) {
        let mut named = BTreeSet::new();
        for id in ids {
            let media = self.daemon.http.get(format!("{}/api/tasks/{id}/media", self.daemon.url)).send().await.unwrap();
            assert_eq!(media.status(), 200, "task {id} has lost its media");
            named.insert(sha256(&media.bytes().await.unwrap()));
        }
        let swept = async {
            while self.kept().len() != named.len() {
                self.daemon.get("/live").await;
            }
        };
        let swept = tokio::time::timeout(Duration::from_secs(60), swept).await;
        assert!(swept.is_ok(), "{} files of {} are kept", self.kept().len(), named.len());
        self.no_file_is_partial();
    }

    /// Makes what is kept two days old, so that what nobody names may go.
    fn age_files(&self) {
        let then = std::time::SystemTime::now() - Duration::from_secs(2 * 24 * 60 * 60);
        for file in self.kept() {
            std::fs::File::options().append(true).open(file).unwrap().set_modified(then).unwrap();
        }
    }
}

/// Two requests, one after the other.
pub fn calls(url: &str) -> String {
    let step = json!({ "use": "http", "with": { "url": url } });
    let mut second = step.clone();
    second["after"] = json!(["first"]);
    let output = json!({ "text": "${steps.second.output.json.said}" });
    json!({ "dsl": 1, "name": "calls", "steps": { "first": step, "second": second }, "output": output }).to_string()
}

/// The clip with something after its last frame.
fn bytes(tail: &str) -> Vec<u8> {
    [sample_bytes(CLIP), format!("{tail:\0>32}").into_bytes()].concat()
}

pub fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// SQLite finds nothing wrong with a daemon's database.
pub async fn is_sound(daemon: &Daemon) {
    if is_server() {
        return;
    }
    let file = daemon.folder().join("data/trawl.db");
    let connection = Database::connect(format!("sqlite://{}", file.display())).await.unwrap();
    let ask = async |sql: &str| connection.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
    let said: String = ask("PRAGMA integrity_check").await[0].try_get_by_index(0).unwrap();
    assert_eq!(said, "ok");
    assert!(ask("PRAGMA foreign_key_check").await.is_empty(), "a row names one that is not there");
}
