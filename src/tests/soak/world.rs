//! The nodes, and the database and the files that they share.

use std::{sync::Arc, time::Duration};

use serde_json::json;
use tempfile::TempDir;
use trawl::store::{self, Store};

use super::{LEASE, outside::Outside, people};
use crate::{
    s3::S3,
    storage,
    support::{Daemon, is_server, processes, test_url, walk},
};

/// Keys that all nodes have in common.
const KEYS: &str = r#"
auth.key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="
identities.key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="
secrets.key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="
"#;

/// Nodes at work, and all that is around them.
pub struct World {
    /// The nodes.
    pub nodes: Vec<Daemon>,
    /// The database.
    pub url: String,
    /// A look at it from outside, where others may look.
    pub store: Option<Store>,
    /// What is not theirs.
    pub outside: Arc<Outside>,
    folder: TempDir,
    bucket: Option<S3>,
}

impl World {
    /// Starts so many nodes, with what tests may set to happen in them.
    pub async fn begin(count: usize, failpoints: Option<&str>) -> Self {
        Self::with(count, failpoints, LEASE, LEASE / 5, |_| String::new()).await
    }

    /// Starts nodes with this lease and heartbeat; `more` are the settings of one of them, as lines of TOML.
    pub async fn with(
        count: usize,
        failpoints: Option<&str>,
        lease: Duration,
        heartbeat: Duration,
        more: impl Fn(usize) -> String,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = test_url(folder.path());
        let is_postgres = url.starts_with("postgres");
        let bucket = if is_postgres { Some(S3::start().await) } else { None };
        let place = match &bucket {
            Some(bucket) => storage::settings(bucket.address),
            None => format!("storage.url = \"file://{}\"", folder.path().join("media").display()),
        };
        let common = format!(
            "{KEYS}{place}\ndatabase.url = \"{url}\"\nqueue.lease = \"{}ms\"\nqueue.heartbeat = \"{}ms\"\n\
             queue.poll = \"500ms\"\n\
             queue.max_crashes = 1000\ncallbacks.schedule = {}\ncallbacks.timeout = \"1s\"\n\
             callbacks.per_endpoint = 16\nnet.per_host = 64\n\
             exec.echo.argv = [\"cat\"]\nlog.level = \"warn,trawl::app=info\"",
            lease.as_millis(),
            heartbeat.as_millis(),
            json!(vec!["200ms"; 100])
        );
        let node = |number: usize| {
            let mut node = Daemon::new(&format!("{common}\nserver.name = \"n{number}\"\n{}", more(number)));
            node.env.extend(failpoints.map(|points| ("FAILPOINTS", points.to_owned())));
            node
        };
        std::fs::create_dir_all(folder.path().join("data")).unwrap();
        let mut world = Self {
            nodes: (0..count).map(node).collect(),
            store: None,
            outside: Arc::new(Outside::start(count).await),
            url,
            folder,
            bucket,
        };
        world.open().await;
        world
    }

    async fn open(&mut self) {
        // The first one makes the tables and takes the definitions in.
        self.nodes[0].start().await;
        for definition in people::workflows() {
            let first = &self.nodes[0];
            let answer =
                first.http.post(format!("{}/api/workflows", first.url)).json(&definition).send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
        }
        futures_util::future::join_all(self.nodes[1..].iter_mut().map(Daemon::start)).await;
        for node in 0..self.nodes.len() {
            self.show(node, true);
        }
        if is_server() {
            self.store = Some(Store::look(&self.url).await.unwrap());
        }
    }

    /// Waits until so many tasks have called back.
    pub async fn told(&self, count: usize) {
        if !self.outside.told(count).await {
            let logs: Vec<String> = self.nodes.iter().map(Daemon::log).collect();
            panic!(
                "{} tasks have called back, not {count}:\n{}",
                self.outside.calls.borrow().of.len(),
                logs.join("\n")
            );
        }
    }

    /// Lets people know where a node answers, or that it does not.
    pub fn show(&self, node: usize, open: bool) {
        let url = open.then(|| self.nodes[node].url.clone());
        self.outside.doors.send_modify(|doors| doors[node] = url);
    }

    /// The number of the node that said of itself this id.
    pub async fn number_of(&self, id: &str) -> Option<usize> {
        let store = self.store.as_ref().unwrap();
        let nodes = store.nodes(LEASE.as_millis().try_into().unwrap()).await.unwrap();
        let name = nodes.into_iter().find(|node| node.said.id == id)?.said.name;
        name.trim_start_matches('n').parse().ok()
    }

    /// How many writes of a node were refused because its work had been taken away.
    pub async fn stale(&self, node: usize) -> u64 {
        let node = &self.nodes[node];
        let text = node.http.get(format!("{}/metrics", node.url)).send().await.unwrap().text().await.unwrap();
        let counts = text.lines().filter(|line| line.starts_with("trawl_stale_writes_total"));
        counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
    }

    /// Waits until everything is written down, ends the nodes as an operator would, and starts and ends each once more, so
    /// that what those have left that were killed has no excuse.
    pub async fn end(&mut self) {
        let first = &self.nodes[0];
        let quiet = async {
            for state in ["pending", "sending"] {
                while first.get(&format!("/api/deliveries?state={state}&limit=1")).await["items"] != json!([]) {
                    tokio::task::yield_now().await;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), quiet).await.expect("something is never written down");
        self.store = None;
        self.stop().await;
        futures_util::future::join_all(self.nodes.iter_mut().map(Daemon::start)).await;
        self.stop().await;
    }

    async fn stop(&mut self) {
        let ends = self.nodes.iter_mut().map(|node| async {
            let clean = node.stop().await;
            assert!(clean, "it did not stop cleanly:\n{}", node.log());
        });
        futures_util::future::join_all(ends).await;
    }

    /// How many files are in the bucket, where there is one.
    pub fn objects(&self) -> Option<usize> {
        self.bucket.as_ref().map(|bucket| bucket.objects().len())
    }

    /// What lies in the nodes' working folders after their end, and who works there still; copies of what is in the bucket
    /// may stay.
    pub fn leftovers(&self) -> Vec<String> {
        let of = |node: &Daemon| {
            let files = walk(&node.folder().join("temp")).into_iter().map(|file| file.display().to_string());
            let files = files.filter(|file| !file.contains("/temp/cache/"));
            let others = processes(node.folder()).into_iter().map(|id| format!("process {id}"));
            files.chain(others).collect::<Vec<_>>()
        };
        self.nodes.iter().flat_map(of).collect()
    }

    /// What SQLite itself says of its file.
    pub async fn integrity(&self) -> Result<(), String> {
        let path = self.folder.path().join("data/trawl.db");
        store::check_sqlite(&path).await.map(drop).map_err(|error| error.to_string())
    }
}
