//! What is around the nodes: who asks them, whom they ask, and whom they call back. Nothing of it ever fails.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use poem::{Request, Response};
use serde_json::json;
use tokio::sync::watch;

use crate::support::{Receiver, Reply, Site, sample_bytes};

/// The longest wait for anything.
const PATIENCE: Duration = Duration::from_secs(300);

/// The callbacks that arrived.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    /// By the task that they tell of: the ids of the messages, and what they say.
    pub of: HashMap<i64, (BTreeSet<String>, BTreeSet<String>)>,
    /// How many had no right signature.
    pub forged: usize,
    /// How many came in all.
    pub came: usize,
}

/// Everything outside.
pub struct Outside {
    /// Where nodes answer, as far as they are known to.
    pub doors: watch::Sender<Vec<Option<String>>>,
    /// What was called back.
    pub calls: Arc<watch::Sender<Calls>>,
    /// Whether `/held` is answered.
    pub gate: watch::Sender<bool>,
    /// Where callbacks go.
    pub receiver: String,
    /// The web.
    pub site: Site,
}

impl Outside {
    /// Starts it. Nobody answers yet.
    pub async fn start(nodes: usize) -> Self {
        let (site, receiver, gate) = (Site::start().await, Receiver::start().await, watch::Sender::new(true));
        let echo = Reply::Made(Arc::new(echo));
        site.put("/ask", echo.clone());
        site.put("/held", Reply::Gated(gate.subscribe(), Box::new(echo)));
        let calls = Arc::new(watch::Sender::new(Calls::default()));
        let outside = Self {
            doors: watch::Sender::new(vec![None; nodes]),
            calls: Arc::clone(&calls),
            gate,
            receiver: receiver.url.clone(),
            site,
        };
        tokio::spawn(listen(receiver, calls));
        outside
    }

    /// The link of a clip whose bytes no other has.
    pub fn clip(&self, number: usize) -> String {
        let mut bytes = sample_bytes("en-known-04.flac");
        // The same sound: something after the last frame.
        bytes.extend(vec![0; 16 * number]);
        self.site.file(&format!("/clip-{number}.flac"), "audio/flac", bytes)
    }

    /// Waits until so many tasks have called back; whether they have.
    pub async fn told(&self, count: usize) -> bool {
        let mut calls = self.calls.subscribe();
        tokio::time::timeout(PATIENCE, calls.wait_for(|calls| calls.of.len() >= count)).await.is_ok()
    }
}

/// Says the number in the query.
fn echo(request: &Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let number: usize = query.trim_start_matches("n=").parse().unwrap_or_default();
    Response::builder().content_type("application/json").body(json!({ "n": number }).to_string())
}

async fn listen(mut receiver: Receiver, calls: Arc<watch::Sender<Calls>>) {
    while let Some(call) = receiver.wait().await {
        calls.send_modify(|calls| {
            calls.came += 1;
            calls.forged += usize::from(!call.verified);
            let task = call.body["data"]["id"].as_i64().unwrap_or_default();
            let (ids, words) = calls.of.entry(task).or_default();
            ids.insert(call.id);
            words.insert(call.body["type"].as_str().unwrap_or_default().to_owned());
        });
    }
}
