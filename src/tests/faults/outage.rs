//! A database server that cannot be reached for a while: nothing is lost, nobody goes mad, and all goes on.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use serde_json::{Value, json};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
};

use super::sized;
use crate::{
    nodes::KEYS,
    support::{Daemon, Receiver, Reply, Site, is_server, sample_bytes, test_url},
};

const WORDS: &str = "The music is near the long box.";
/// Shorter than an outage, and long enough for nodes that share two cores with everybody to renew it afterwards.
const LEASE: &str = "queue.lease = \"8s\"";
/// How soon after its return everybody has gone on.
const BACK_WITHIN: Duration = Duration::from_secs(30);

/// How the way to the server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// Connections are closed, new ones are closed at once.
    Closed,
    /// Nothing comes through, and nobody says so.
    Silent,
}

/// A way to a server that can be closed.
struct Wire {
    address: SocketAddr,
    way: Arc<watch::Sender<Way>>,
    _running: JoinSet<()>,
}

impl Wire {
    async fn to(server: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let way = Arc::new(watch::Sender::new(Way::Open));
        let shared = Arc::clone(&way);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                connections.spawn(connect(client, server.clone(), shared.subscribe()));
            }
        });
        Self { address, way, _running: running }
    }
}

/// Passes on what comes while the way is open. In a silence nothing is passed on nor closed; its connections end with it.
async fn connect(client: TcpStream, server: String, mut way: watch::Receiver<Way>) {
    if *way.borrow() == Way::Open {
        let Ok(server) = TcpStream::connect(server).await else { return };
        let (mut client, mut server) = (client, server);
        tokio::select! {
            _ = tokio::io::copy_bidirectional(&mut client, &mut server) => return,
            _ = way.wait_for(|way| *way != Way::Open) => {}
        }
        let _ = way.wait_for(|way| *way != Way::Silent).await;
        return;
    }
    let _ = way.wait_for(|way| *way != Way::Silent).await;
    drop(client);
}

/// Two nodes on one database server, each with its own way there.
struct Cluster {
    nodes: [Daemon; 2],
    wires: [Wire; 2],
    _folder: tempfile::TempDir,
}

impl Cluster {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = test_url(folder.path());
        let address = url::Url::parse(&url).unwrap();
        let server = format!("{}:{}", address.host_str().unwrap(), address.port().unwrap());
        let wires = [Wire::to(server.clone()).await, Wire::to(server.clone()).await];
        let node = |wire: &Wire| {
            let url = url.replace(&server, &wire.address.to_string());
            let media = folder.path().join("media");
            let more = format!("database.url = \"{url}\"\nstorage.url = \"file://{}\"\n{KEYS}{LEASE}", media.display());
            Daemon::new(&more)
        };
        let mut nodes = [node(&wires[0]), node(&wires[1])];
        for node in &mut nodes {
            node.start().await;
        }
        Self { nodes, wires, _folder: folder }
    }

    fn set(&self, way: Way) {
        for wire in &self.wires {
            wire.way.send_replace(way);
        }
    }
}

/// Status and problem of an answer.
async fn ask(node: &Daemon, path: &str) -> (u16, Value) {
    let answer = node.http.get(format!("{}{path}", node.url)).send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

async fn until_ready(node: &Daemon) {
    while ask(node, "/ready").await.0 != 200 {}
}

/// Both nodes lose their database in the middle of downloads, for so long, and get it back.
async fn away(way: Way, length: Duration) {
    if !is_server() {
        return; // SQLite is never away
    }
    let (cluster, site, mut receiver) = (Cluster::start().await, Site::start().await, Receiver::start().await);
    let [first, second] = &cluster.nodes;
    let gate = watch::Sender::new(false);
    let clip = Reply::Body("audio/flac", sample_bytes("en-known-04.flac"));
    let mut tasks = Vec::new();
    // No more than one host is asked for at the same time: what waits for its turn would be late.
    for number in 0..4 {
        let path = format!("/{number}.flac");
        let link = site.put(&path, Reply::Gated(gate.subscribe(), Box::new(clip.clone())));
        tasks.push(first.paste(&link, &receiver.url).await);
    }
    for number in 0..4 {
        site.asked_for(&format!("/{number}.flac")).await;
    }
    let before = [log(first).len(), log(second).len()];
    cluster.set(way);
    let begun = Instant::now();
    // What runs may end meanwhile: its end is kept.
    gate.send_replace(true);
    let mut every = tokio::time::interval(Duration::from_millis(200));
    while begun.elapsed() < length {
        every.tick().await;
        for node in &cluster.nodes {
            let asked = Instant::now();
            assert_eq!(ask(node, "/live").await.0, 200);
            assert!(asked.elapsed() < Duration::from_secs(1), "/live waits for the database");
            let (status, problem) = ask(node, "/ready").await;
            assert_eq!((status, &problem["code"]), (503, &json!("database")), "{problem}");
        }
        let (status, problem) = ask(first, "/api/tasks").await;
        assert_eq!((status, &problem["code"]), (503, &json!("database")), "{problem}");
        assert!(problem["hint"].as_str().is_some_and(|hint| !hint.is_empty()), "{problem}");
    }
    let seconds = begun.elapsed().as_secs_f64();
    for (node, before) in cluster.nodes.iter().zip(before) {
        let rate = (log(node).len() - before) as f64 / seconds;
        assert!(rate < 5.0, "{rate} lines in a second: {:#?}", log(node));
    }
    cluster.set(Way::Open);
    let back = Instant::now();
    let gone_on = async {
        until_ready(first).await;
        until_ready(second).await;
        let mut ended = Vec::new();
        for id in &tasks {
            ended.push(first.end(*id).await);
        }
        ended
    };
    let ended = tokio::time::timeout(BACK_WITHIN, gone_on).await;
    let ended = ended.unwrap_or_else(|_| panic!("{:?}: {:#?} {:#?}", back.elapsed(), log(first), log(second)));
    for task in ended {
        let events = first.follow(task["id"].as_i64().unwrap(), crate::support::Event::is_end).await.unwrap();
        let hurts: Vec<_> = events.iter().filter(|event| event.data["error"].is_object()).collect();
        assert!(hurts.is_empty(), "{hurts:?}");
        is_unhurt(&task);
        assert!(receiver.next().await.verified);
    }
    let [mut first, mut second] = cluster.nodes;
    assert!(first.stop().await && second.stop().await);
}

/// Its words are there, and the outage has cost no step a try or a crash.
fn is_unhurt(task: &Value) {
    assert_eq!(task["result"]["text"], WORDS, "{task}");
    for step in task["steps"].as_array().unwrap() {
        assert_eq!((&step["attempt"], &step["crashes"]), (&json!(1), &json!(0)), "{task}");
    }
}

/// What a node has logged by itself: requests that cannot be answered are as many as there are.
fn log(node: &Daemon) -> Vec<String> {
    node.log().lines().filter(|line| !line.contains("a request failed")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_refuses() {
    away(Way::Closed, Duration::from_secs(sized(10, 600) as u64)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_does_not_answer() {
    away(Way::Silent, Duration::from_secs(sized(10, 600) as u64)).await;
}

/// Its connections break again and again while there is work.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_comes_and_goes() {
    if !is_server() {
        return;
    }
    let (cluster, site) = (Cluster::start().await, Site::start().await);
    let link = site.file("/clip.mp3", "audio/mpeg", sample_bytes(super::world::CLIP));
    let mut tasks = Vec::new();
    for break_ in 0..sized(3, 200) {
        let node = &cluster.nodes[break_ % 2];
        until_ready(node).await;
        for _ in 0..3 {
            tasks.push(node.paste(&link, "").await);
        }
        // At another moment of the work each time.
        let left = std::cell::Cell::new(1 + break_ * 5 % 11);
        node.follow(tasks[tasks.len() - 3], |event| {
            left.set(left.get() - 1);
            left.get() == 0 || event.is_end()
        })
        .await;
        cluster.set(Way::Closed);
        while ask(node, "/ready").await.0 == 200 {}
        cluster.set(Way::Open);
    }
    let [first, _] = &cluster.nodes;
    until_ready(first).await;
    for id in tasks {
        let task = first.end(id).await;
        assert_eq!(task["result"]["text"], super::world::WORDS, "{task}");
        assert!(task["steps"].as_array().unwrap().iter().all(|step| step["crashes"] == 0), "{task}");
    }
    let [mut first, mut second] = cluster.nodes;
    assert!(first.stop().await && second.stop().await);
}

/// Who has to stop does so although nobody can be told.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_whose_database_is_silent_stops_in_time() {
    if !is_server() {
        return;
    }
    let (cluster, site) = (Cluster::start().await, Site::start().await);
    let gate = watch::Sender::new(false);
    let clip = Reply::Body("audio/flac", sample_bytes("en-known-04.flac"));
    let link = site.put("/clip.flac", Reply::Gated(gate.subscribe(), Box::new(clip)));
    let id = cluster.nodes[0].paste(&link, "").await;
    site.asked_for("/clip.flac").await;
    cluster.set(Way::Silent);
    let [mut first, mut second] = cluster.nodes;
    // Claims, the drain, what runs, the farewell and all else; and a machine that does other things.
    let begun = Instant::now();
    assert!(futures_util::join!(first.stop(), second.stop()) == (true, true), "{}", first.log());
    assert!(begun.elapsed() < Duration::from_secs(35), "{:?}: {}", begun.elapsed(), first.log());
    for wire in &cluster.wires {
        wire.way.send_replace(Way::Open);
    }
    gate.send_replace(true);
    first.start().await;
    // It could not be given back, so it counts as a crash.
    assert_eq!(first.end(id).await["result"]["text"], WORDS);
    assert!(first.stop().await);
}
