//! Two nodes on one database: one answers requests, the other does the work.

use std::{path::Path, time::Duration};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;
use trawl::{app::App, config::Config, domain::Role, error::Result, store::Store};

use super::support::{Reply, Site, is_server, program, sample_bytes, settings, test_url, walk};

const WORDS: &str = "The music is near the long box.";
/// Keys that all nodes have in common.
pub const KEYS: &str = r#"
auth.key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="
identities.key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="
secrets.key = "BQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQU="
"#;
/// Heartbeats that need not be waited for.
const QUICK: &str = "queue.heartbeat = \"200ms\"\n";

/// A database that several nodes share: somebody else holds it, and they open it beside him.
struct Cluster {
    folder: TempDir,
    holder: Store,
}

struct Node {
    app: App,
    url: String,
    http: reqwest::Client,
    folder: std::path::PathBuf,
    shutdown: CancellationToken,
    running: JoinHandle<Result<()>>,
}

impl Cluster {
    async fn new() -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let holder = Store::open(&url(folder.path())).await.unwrap();
        Self { folder, holder }
    }

    async fn node(&self, role: Role, more: &str) -> Node {
        let folder = self.folder.path().join(role.as_str());
        std::fs::create_dir(&folder).unwrap();
        let file = folder.join("test.toml");
        std::fs::write(&file, settings(&folder, &format!("{KEYS}{more}"))).unwrap();
        let mut config = Config::load(Some(&file), &[]).unwrap();
        config.server.role = role;
        config.server.name = role.to_string();
        let store = Store::open_beside(&url(self.folder.path())).await.unwrap();
        let app = App::open_on(store, config, program()).await.unwrap();
        let (listener, address) = app.listen().await.unwrap();
        let shutdown = CancellationToken::new();
        let (runner, stop) = (app.clone(), shutdown.clone());
        let running = tokio::spawn(async move { runner.run(Some(listener), stop, CancellationToken::new()).await });
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(90)).build().unwrap();
        Node { app, url: format!("http://{address}"), http, folder, shutdown, running }
    }
}

impl Node {
    async fn get(&self, path: &str) -> Value {
        let text = self.http.get(format!("{}{path}", self.url)).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap_or(Value::String(text))
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        self.http.post(format!("{}{path}", self.url)).json(&body).send().await.unwrap().json().await.unwrap()
    }

    async fn end(&self, id: &Value) -> Value {
        loop {
            let task = self.get(&format!("/api/tasks/{id}?wait=60")).await;
            if ["completed", "failed", "cancelled"].contains(&task["status"].as_str().unwrap()) {
                return task;
            }
        }
    }

    /// Asks for the list of nodes until it is as wanted.
    async fn nodes(&self, wanted: impl Fn(&[Value]) -> bool) -> Vec<Value> {
        let asking = async {
            loop {
                let nodes = self.get("/api/nodes").await["items"].as_array().unwrap().clone();
                if wanted(&nodes) {
                    return nodes;
                }
            }
        };
        tokio::time::timeout(Duration::from_secs(60), asking).await.expect("the nodes never are as wanted")
    }

    /// A download that never ends is cancelled here, and stops at the node that has it.
    async fn cancels_elsewhere(&self, site: &Site) {
        let closed = watch::Sender::new(false);
        let clip = Reply::Body("audio/flac", Vec::new());
        let hung = site.put("/hung.flac", Reply::Gated(closed.subscribe(), Box::new(clip)));
        let task = self.post("/api/tasks", json!({ "link": hung })).await;
        site.asked_for("/hung.flac").await;
        let path = format!("/api/tasks/{}/cancel", task["id"]);
        assert_eq!(self.post(&path, json!({})).await["status"], "cancelled");
        self.nodes(|nodes| nodes.iter().all(|node| node["running"] == json!([]))).await;
    }

    async fn stop(self) {
        self.shutdown.cancel();
        self.running.await.unwrap().unwrap();
    }
}

fn url(folder: &Path) -> String {
    if is_server() { test_url(folder) } else { format!("sqlite:{}", folder.join("shared.db").display()) }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_node_is_asked_and_another_one_works() {
    let cluster = Cluster::new().await;
    let asked = cluster.node(Role::Api, QUICK).await;
    let worker = cluster.node(Role::Worker, QUICK).await;
    let nodes = asked.nodes(|nodes| nodes.len() == 2).await;
    let of = |role: &str| nodes.iter().find(|node| node["role"] == role).unwrap();
    assert_eq!((&of("api")["here"], &of("worker")["here"]), (&json!(true), &json!(false)));
    assert_eq!((&of("api")["lanes"], &of("api")["engines"]), (&json!([]), &json!([])));
    assert_eq!(of("worker")["lanes"].as_array().unwrap().len(), 6);
    assert!(of("worker")["models"].as_array().unwrap().contains(&json!("smoke-q8_0")), "{nodes:?}");
    assert_eq!(of("worker")["devices"][0]["name"], "cpu");

    let site = Site::start().await;
    let gate = watch::Sender::new(false);
    let clip = Reply::Body("audio/flac", sample_bytes("en-known-04.flac"));
    let link = site.put("/clip.flac", Reply::Gated(gate.subscribe(), Box::new(clip)));
    let task = asked.post("/api/tasks", json!({ "link": link })).await;
    let at_work = |nodes: &[Value]| nodes.iter().any(|node| node["running"][0]["task_id"] == task["id"]);
    let nodes = asked.nodes(at_work).await;
    assert!(nodes.iter().all(|node| (node["role"] == "worker") == (node["running"] != json!([]))), "{nodes:?}");
    gate.send_replace(true);
    assert_eq!(asked.end(&task["id"]).await["result"]["text"], WORDS);

    // A task that is cancelled at one node stops at the other.
    asked.cancels_elsewhere(&site).await;

    let folder = worker.folder.join("temp");
    worker.stop().await;
    assert_eq!(walk(&folder), Vec::<std::path::PathBuf>::new(), "files are left in the working folders");
    let nodes = asked.nodes(|nodes| nodes.len() == 1).await;
    assert_eq!(nodes[0]["role"], "api", "a node that has stopped is still there");
    asked.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_could_see_stops_when_the_database_is_away_and_begins_again() {
    let cluster = Cluster::new().await;
    let node = cluster.node(Role::All, &format!("{QUICK}queue.lease = \"2s\"")).await;
    let site = Site::start().await;
    let gate = watch::Sender::new(false);
    let answer = Reply::Body("application/json", b"{\"done\": true}".to_vec());
    let hook = site.put("/hook", Reply::Gated(gate.subscribe(), Box::new(answer)));
    let definition = json!({ "dsl": 1, "name": "call", "steps": { "call": { "use": "http", "with": { "url": hook } } },
        "output": { "done": "${steps.call.output.json.done}" } });
    let made = node.post("/api/workflows", definition).await;
    assert_eq!(made["name"], "call", "{made}");
    let task = node.post("/api/tasks", json!({ "workflow": "call" })).await;
    site.asked_for("/hook").await;
    // Nobody else can write: the same as a database that does not answer.
    let away = cluster.holder.begin().await.unwrap();
    let pulse = node.app.services.queue.pulse();
    tokio::time::timeout(Duration::from_secs(60), pulse.lost()).await.expect("it does not notice");
    drop(away);
    // The same step, not another try of it: what nobody knew any more was done anew.
    site.asked_times("/hook", 2).await;
    gate.send_replace(true);
    let task = node.end(&task["id"]).await;
    assert_eq!((&task["status"], &task["result"]["done"]), (&json!("completed"), &json!(true)), "{task}");
    assert_eq!((&task["steps"][0]["attempt"], &task["steps"][0]["crashes"]), (&json!(1), &json!(0)), "{task}");
    node.stop().await;
}

/// By themselves these nodes look for work every ten minutes, and for what was cancelled every 15.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_hear_at_once_of_what_others_have_written() {
    let cluster = Cluster::new().await;
    if !url(cluster.folder.path()).starts_with("postgres") {
        return; // no other database passes on what nodes call out
    }
    let slow = "queue.heartbeat = \"15m\"\nqueue.lease = \"1h\"\nqueue.poll = \"10m\"\n";
    let asked = cluster.node(Role::Api, slow).await;
    let worker = cluster.node(Role::Worker, slow).await;
    let site = Site::start().await;
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    let task = asked.post("/api/tasks", json!({ "link": link })).await;
    assert_eq!(asked.end(&task["id"]).await["result"]["text"], WORDS);

    asked.cancels_elsewhere(&site).await;
    worker.stop().await;
    asked.stop().await;
}
