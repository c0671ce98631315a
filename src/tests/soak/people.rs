//! Those who submit tasks: each with a key, again and again, to any node, until one has taken it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, json};
use tokio::{
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};

use super::outside::Outside;

/// How many submit at the same time.
const PEOPLE: usize = 8;
/// How long they wait for an answer: nobody tells them that a node was stopped.
const ANSWER: Duration = Duration::from_secs(3);
/// How long they wait before they try again.
const AGAIN: Duration = Duration::from_millis(50);
/// Every so many tasks one is a clip to be transcribed.
const CLIPS: usize = 100;

/// What each of them submits.
struct Request {
    is_clip: bool,
    body: Value,
}

/// The tasks that people want.
pub struct Wanted {
    requests: Arc<Vec<Request>>,
    /// How many may be submitted.
    free: watch::Sender<usize>,
    accepted: Arc<Mutex<BTreeMap<usize, i64>>>,
    people: Mutex<JoinSet<()>>,
}

/// A task that was accepted.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// Its number among those that were wanted.
    pub number: usize,
    /// Its id.
    pub id: i64,
    /// Whether it is a clip.
    pub is_clip: bool,
}

/// The definitions that they use.
pub fn workflows() -> [Value; 3] {
    // It is the name of the step by which those are known that wait at the gate.
    let asking = |step: &str| {
        let judged = format!("steps.{step}.output.json.n == params.n");
        json!({ "dsl": 1, "name": step, "params": { "n": { "type": "integer" }, "url": { "type": "url" } }, "steps": {
            step: { "use": "http", "with": { "url": "${params.url}" } },
            "judge": { "use": "condition", "with": { "cases": [{ "when": judged, "value": "right" }], "else": "wrong" } } },
            "output": { "judged": "${steps.judge.output.value}", "n": format!("${{steps.{step}.output.json.n}}") } })
    };
    let work = json!({ "dsl": 1, "name": "work", "params": { "n": { "type": "integer" } }, "steps": {
        "work": { "use": "exec:echo", "with": { "n": "${params.n}" } },
        "judge": { "use": "condition", "with": {
            "cases": [{ "when": "steps.work.output.n == params.n", "value": "right" }], "else": "wrong" } } },
        "output": { "judged": "${steps.judge.output.value}", "n": "${steps.work.output.n}" } });
    [asking("ask"), asking("held"), work]
}

impl Wanted {
    /// So many, clips among them. Nothing is submitted before it is released.
    pub fn all(outside: &Arc<Outside>, count: usize) -> Self {
        Self::of(outside, (0..count).map(|number| request(outside, number, number % CLIPS == CLIPS / 2)).collect())
    }

    /// So many without clips.
    pub fn some(outside: &Arc<Outside>, count: usize) -> Self {
        Self::of(outside, (0..count).map(|number| request(outside, number, false)).collect())
    }

    fn of(outside: &Arc<Outside>, requests: Vec<Request>) -> Self {
        let (free, next) = (watch::Sender::new(0), Arc::new(AtomicUsize::new(0)));
        let (requests, accepted) = (Arc::new(requests), Arc::<Mutex<BTreeMap<usize, i64>>>::default());
        let mut people = JoinSet::new();
        for _ in 0..PEOPLE {
            let (outside, requests, accepted) = (Arc::clone(outside), Arc::clone(&requests), Arc::clone(&accepted));
            let (mut free, next) = (free.subscribe(), Arc::clone(&next));
            people.spawn(async move {
                let http = reqwest::Client::builder().no_proxy().timeout(ANSWER).build().unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some(request) = requests.get(number) else { return };
                    // Whoever releases is gone with the test.
                    let Ok(_) = free.wait_for(|free| *free > number).await else { return };
                    let id = submit(&outside, &http, number, &request.body).await;
                    accepted.lock().unwrap().insert(number, id);
                }
            });
        }
        Self { requests, free, accepted, people: Mutex::new(people) }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.requests.len()
    }

    /// How many of them are clips.
    pub fn clips(&self) -> usize {
        self.requests.iter().filter(|request| request.is_clip).count()
    }

    /// Lets so many of them, counted from the first one, be submitted.
    pub fn release(&self, count: usize) {
        self.free.send_replace(count);
    }

    /// Waits until all were accepted.
    pub async fn accepted(&self) -> Vec<Accepted> {
        let people = std::mem::take(&mut *self.people.lock().unwrap());
        people.join_all().await;
        let accepted = self.accepted.lock().unwrap();
        let told = |(&number, &id): (&usize, &i64)| Accepted { number, id, is_clip: self.requests[number].is_clip };
        accepted.iter().map(told).collect()
    }
}

fn request(outside: &Outside, number: usize, is_clip: bool) -> Request {
    let callback = &outside.receiver;
    if is_clip {
        let link = outside.clip(number);
        let body = json!({ "link": link, "options": { "no_cache": true }, "callback_url": callback });
        return Request { is_clip, body };
    }
    let url = |path: &str| format!("{}/{path}?n={number}", outside.site.url);
    let (workflow, params) = match number % 8 {
        0 => ("work", json!({ "n": number })),
        1 | 2 => ("held", json!({ "n": number, "url": url("held") })),
        _ => ("ask", json!({ "n": number, "url": url("ask") })),
    };
    Request { is_clip, body: json!({ "workflow": workflow, "params": params, "callback_url": callback }) }
}

/// Submits one to any node until it is accepted; the task's id.
async fn submit(outside: &Outside, http: &reqwest::Client, number: usize, body: &Value) -> i64 {
    let mut doors = outside.doors.subscribe();
    for turn in number.. {
        let door = {
            let open = doors.wait_for(|doors| doors.iter().flatten().next().is_some()).await.unwrap();
            let open: Vec<&String> = open.iter().flatten().collect();
            open[turn % open.len()].clone()
        };
        let request = http.post(format!("{door}/api/tasks")).header("Idempotency-Key", format!("soak-{number}"));
        if let Ok(answer) = request.json(body).send().await {
            let status = answer.status().as_u16();
            let said = timeout(ANSWER, answer.json::<Value>()).await;
            match (status, said) {
                (202, Ok(Ok(task))) => return task["id"].as_i64().unwrap(),
                // Its database is away, it stops, or the same request is under way.
                (202 | 409 | 500.., _) => {}
                (_, said) => panic!("refused with {status}: {said:?}"),
            }
        }
        sleep(AGAIN).await;
    }
    unreachable!("there is always another turn")
}
