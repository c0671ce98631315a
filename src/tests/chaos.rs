//! Receivers that do everything wrong, and a daemon that is killed meanwhile: every callback arrives, signed.
//!
//! `TRAWL_DELIVERIES` and `TRAWL_KILLS` say how many there are; what is judged is the receiver's log and the database
//! after the end.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};
use trawl::{
    domain::DeliveryState,
    store::{Alert, DeliveryFilter, Store},
};

use super::support::{Daemon, SECRET, test_url};

/// Messages are answered wrongly so often before they are taken.
const WRONGS: usize = 3;
/// Receivers that the messages are spread over.
const PATHS: usize = 4;

/// What has arrived.
#[derive(Default)]
struct Log {
    /// How often each message came.
    came: HashMap<String, usize>,
    /// Those that were answered with a 2xx status.
    taken: HashSet<String>,
    /// Those whose signature is none.
    forged: Vec<String>,
}

struct Chaos {
    url: String,
    log: Arc<watch::Sender<Log>>,
    server: JoinHandle<()>,
}

impl Chaos {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let log = Arc::new(watch::Sender::new(Log::default()));
        let shared = Arc::clone(&log);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, log, server }
    }

    async fn until(&self, what: &str, there: impl Fn(&Log) -> bool) {
        let mut log = self.log.subscribe();
        let seen = tokio::time::timeout(Duration::from_secs(240), log.wait_for(|log| there(log))).await.is_ok();
        assert!(seen, "never: {what}; {} were taken", self.log.borrow().taken.len());
    }
}

impl Drop for Chaos {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Answers one request, wrongly at first.
async fn serve(stream: TcpStream, log: Arc<watch::Sender<Log>>) -> Option<()> {
    let mut stream = BufReader::new(stream);
    let (mut headers, mut line) = (http::HeaderMap::new(), String::new());
    stream.read_line(&mut line).await.ok()?;
    let path = line.split(' ').nth(1)?.to_owned();
    loop {
        line.clear();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(": ") else { break };
        headers.insert(http::HeaderName::try_from(name).ok()?, value.parse().ok()?);
    }
    let mut body = vec![0; headers.get("content-length")?.to_str().ok()?.parse().ok()?];
    stream.read_exact(&mut body).await.ok()?;
    let id = headers.get("webhook-id")?.to_str().ok()?.to_owned();
    let verified = standardwebhooks::Webhook::new(SECRET).unwrap().verify(&body, &headers).is_ok();
    let mut came = 0;
    log.send_modify(|log| {
        came = *log.came.entry(id.clone()).and_modify(|came| *came += 1).or_insert(1);
        if !verified {
            log.forged.push(id.clone());
        }
    });
    let number: usize = id.trim_start_matches(|c: char| !c.is_ascii_digit()).parse().ok()?;
    let answer = |head: &str| format!("HTTP/1.1 {head}\r\nConnection: close\r\n");
    if path.starts_with("/gone") {
        let gone = answer("410 Gone") + "Content-Length: 0\r\n\r\n";
        return stream.write_all(gone.as_bytes()).await.ok();
    }
    let wrong = if came <= WRONGS { (number + came) % 7 } else { 7 + number % 3 };
    let take = || log.send_modify(|log| log.taken.extend([id.clone()]));
    match wrong {
        0 => stream.write_all((answer("500 Oh") + "Content-Length: 0\r\n\r\n").as_bytes()).await.ok()?,
        1 => {
            let _ = stream.read_to_end(&mut Vec::new()).await;
        }
        2 => {
            let socket = stream.into_inner();
            socket2::SockRef::from(&socket).set_linger(Some(Duration::ZERO)).ok()?;
        }
        3 => stream.write_all((answer("307 Away") + "Location: /gone\r\n\r\n").as_bytes()).await.ok()?,
        4 => stream.write_all((answer("503 Later") + "Retry-After: 1\r\n\r\n").as_bytes()).await.ok()?,
        5 => {
            stream.write_all(answer("200 Slow").as_bytes()).await.ok()?;
            let mut every = tokio::time::interval(Duration::from_millis(20));
            loop {
                every.tick().await;
                stream.write_all(b"x").await.ok()?;
            }
        }
        6 => stream.write_all(b"SSH-2.0-nothing of the kind\r\n").await.ok()?,
        7 => {
            take();
            stream.write_all((answer("204 Yes") + "\r\n").as_bytes()).await.ok()?;
        }
        8 => {
            take();
            stream.write_all((answer("200 Much") + "Content-Length: 1073741824\r\n\r\n").as_bytes()).await.ok()?;
            while stream.write_all(&[b'x'; 65_536]).await.is_ok() {}
        }
        _ => {
            take();
            stream.write_all((answer("202 Half") + "Content-Length: 9\r\n\r\nhalf").as_bytes()).await.ok()?;
        }
    }
    Some(())
}

fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_callback_arrives_whatever_receivers_do() {
    let (count, kills) = (number("TRAWL_DELIVERIES", 120), number("TRAWL_KILLS", 4));
    let chaos = Chaos::start().await;
    let schedule = json!(vec!["30ms"; WRONGS + kills + 20]);
    let mut daemon = Daemon::new(&format!(
        "callbacks.schedule = {schedule}\ncallbacks.timeout = \"300ms\"\ncallbacks.busy_wait = \"30ms\""
    ));
    let database = test_url(daemon.folder());
    let store = Store::open(&database).await.unwrap();
    let tx = store.begin().await.unwrap();
    for number in 0..count + 10 {
        let path = if number < count { format!("p{}", number % PATHS) } else { "gone".to_owned() };
        let url = format!("{}/{path}?n={number}", chaos.url);
        let (id, event, body) = (format!("msg_{number}"), "schedule.failing".to_owned(), json!({ "n": number }));
        tx.insert_alert(Alert { id, url, event, body: body.to_string() }).await.unwrap();
    }
    tx.commit().await.unwrap();
    drop(store);

    daemon.start().await;
    for kill in 1..=kills {
        chaos.until("more are taken", |log| log.taken.len() >= count * kill / (kills + 1)).await;
        daemon.kill().await;
        daemon.start().await;
    }
    chaos.until("all are taken", |log| log.taken.len() == count).await;
    // What was taken in the last moment is written down a moment later; what was not understood then is sent again.
    let store = Store::look(&database).await.unwrap();
    let all = async || store.deliveries(&DeliveryFilter { limit: 10_000, ..DeliveryFilter::default() }).await.unwrap();
    let is_open = |state| matches!(state, DeliveryState::Pending | DeliveryState::Sending);
    let written = async { while all().await.deliveries.iter().any(|one| is_open(one.state)) {} };
    tokio::time::timeout(Duration::from_secs(60), written).await.expect("something is never written down");
    let gone: Value = daemon.get("/api/endpoints?state=gone").await;
    assert_eq!(gone["items"][0]["url"], format!("{}/gone", chaos.url), "{gone}");
    assert!(daemon.stop().await, "{}", daemon.log());

    let all = all().await.deliveries;
    let log = chaos.log.borrow();
    assert_eq!((all.len(), log.forged.len()), (count + 10, 0), "{:?}", log.forged);
    let mut ends = [0, 0];
    for delivery in all {
        let came = log.came.get(&delivery.id).copied().unwrap_or(0);
        match delivery.state {
            DeliveryState::Delivered => assert!(log.taken.contains(&delivery.id), "{delivery:?}"),
            DeliveryState::Dead => ends[0] += 1,
            DeliveryState::Held => ends[1] += usize::from(came <= kills),
            state => panic!("{} is {state}", delivery.id),
        }
    }
    // As many as were on their way together, and those that were lost with a worker.
    assert!(ends[0] >= 1 && ends[0] <= 4 && ends[0] + ends[1] == 10, "{ends:?}");
}
