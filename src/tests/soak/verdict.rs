//! The verdict: what must hold of the final database and of what the receiver was told, however the nodes ended.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};
use trawl::{
    domain::{DeliveryState, StepState, Task, TaskId, TaskStatus},
    store::{Delivery, DeliveryFilter, Event, Store, TaskFilter},
};

use super::{outside::Calls, people::Accepted, world::World};

const WORDS: &str = "The music is near the long box.";
/// Rows of one page.
const PAGE: u64 = 1_000;

/// Everything that is known.
pub struct Facts {
    accepted: Vec<Accepted>,
    tasks: HashMap<i64, Task>,
    events: Vec<Event>,
    deliveries: Vec<Delivery>,
    running: Vec<String>,
    leftovers: Vec<String>,
    calls: Calls,
}

/// What is wrong, in sentences.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Accepted and not done.
    pub lost: Vec<String>,
    /// Done more than once.
    pub twice: Vec<String>,
    /// Not cleared away.
    pub left: Vec<String>,
}

impl Facts {
    /// What there is after the end of the nodes.
    pub async fn gather(world: &World, accepted: Vec<Accepted>) -> Self {
        let store = Store::open(&world.url).await.unwrap();
        Self::of(&store, world, accepted).await
    }

    /// What there is while nodes work.
    pub async fn so_far(world: &World) -> Self {
        Self::of(world.store.as_ref().unwrap(), world, Vec::new()).await
    }

    async fn of(store: &Store, world: &World, accepted: Vec<Accepted>) -> Self {
        let mut tasks = HashMap::new();
        let mut filter = TaskFilter { limit: PAGE, ..TaskFilter::default() };
        loop {
            let page = store.tasks(&filter).await.unwrap();
            tasks.extend(page.tasks.into_iter().map(|task| (task.id.0, task)));
            filter.before = page.next;
            if filter.before.is_none() {
                break;
            }
        }
        let mut deliveries = Vec::new();
        let mut filter = DeliveryFilter { limit: PAGE, ..DeliveryFilter::default() };
        loop {
            let page = store.deliveries(&filter).await.unwrap();
            deliveries.extend(page.deliveries);
            filter.before = page.next;
            if filter.before.is_none() {
                break;
            }
        }
        let mut events: Vec<Event> = Vec::new();
        loop {
            let after = events.last().map_or(0, |event| event.id);
            let page = store.events(None, after, PAGE).await.unwrap();
            if page.is_empty() {
                break;
            }
            events.extend(page);
        }
        let load = store.load().await.unwrap();
        let live = load.steps.iter().filter(|(.., count)| *count > 0);
        let running = live.map(|(lane, state, count)| format!("{count} steps of {lane} are {state}")).collect();
        let calls = world.outside.calls.borrow().clone();
        Self { accepted, tasks, events, deliveries, running, leftovers: world.leftovers(), calls }
    }

    /// What is wrong with it.
    pub fn judge(&self) -> Verdict {
        let mut verdict = Verdict { left: self.running.clone(), ..Verdict::default() };
        verdict.left.extend(self.leftovers.iter().map(|file| format!("{file} is left")));
        if self.calls.forged > 0 {
            verdict.lost.push(format!("{} callbacks had no right signature", self.calls.forged));
        }
        self.accepted.iter().for_each(|one| self.judge_one(one, &mut verdict));
        if !self.accepted.is_empty() && self.tasks.len() > self.accepted.len() {
            verdict.twice.push(format!("{} tasks were made of {}", self.tasks.len(), self.accepted.len()));
        }
        self.judge_ends(&mut verdict);
        self.judge_calls(&mut verdict);
        verdict
    }

    /// Whether an accepted task was done as it was wanted.
    fn judge_one(&self, one: &Accepted, verdict: &mut Verdict) {
        let Accepted { number, id, is_clip } = one;
        let Some(task) = self.tasks.get(id) else {
            return verdict.lost.push(format!("task {id} is not there"));
        };
        let result = task.result.as_ref().unwrap_or(&Value::Null);
        let right = match is_clip {
            true => result["text"] == WORDS,
            false => (&result["n"], &result["judged"]) == (&json!(number), &json!("right")),
        };
        if task.status != TaskStatus::Completed || !right {
            verdict.lost.push(format!("task {id} ({}) is {}: {result} {:?}", task.workflow, task.status, task.error));
        }
        if !self.calls.of.get(id).is_some_and(|(_, words)| words.contains("task.completed")) {
            verdict.lost.push(format!("task {id} was not called back"));
        }
    }

    /// Whether a step or a task has ended more than once, or gone on after its end.
    fn judge_ends(&self, verdict: &mut Verdict) {
        let mut ends: BTreeMap<(TaskId, &str), Vec<&str>> = BTreeMap::new();
        for event in &self.events {
            let (key, word) = match event.kind.as_str() {
                "step" => (event.data["step"].as_str().unwrap_or_default(), &event.data["state"]),
                "status" => ("", &event.data["status"]),
                _ => continue,
            };
            let word = word.as_str().unwrap_or_default();
            let said = ends.entry((event.task_id, key)).or_default();
            let is_end = match key {
                "" => word.parse::<TaskStatus>().is_ok_and(TaskStatus::is_final),
                _ => word.parse::<StepState>().is_ok_and(StepState::is_final),
            };
            // After the end everything is one thing too many.
            if is_end || !said.is_empty() {
                said.push(word);
            }
        }
        for ((task, key), said) in ends {
            let what = if key.is_empty() { format!("task {task}") } else { format!("step {key} of task {task}") };
            match said.as_slice() {
                ["completed" | "succeeded"] => {}
                ["skipped" | "failed" | "cancelled"] => verdict.lost.push(format!("{what} is {}", said[0])),
                said => verdict.twice.push(format!("{what} is {}", said.join(", then "))),
            }
        }
    }

    /// Whether each task has one message, and its receiver knows of no other.
    fn judge_calls(&self, verdict: &mut Verdict) {
        let mut messages: HashMap<i64, Vec<&Delivery>> = HashMap::new();
        for delivery in &self.deliveries {
            messages.entry(delivery.task_id.map_or(0, |task| task.0)).or_default().push(delivery);
        }
        for (task, messages) in messages {
            if messages.len() > 1 {
                verdict.twice.push(format!("task {task} has {} messages", messages.len()));
            }
            if !self.accepted.is_empty() && messages.iter().any(|one| one.state != DeliveryState::Delivered) {
                verdict.left.push(format!("a message of task {task} is {}", messages[0].state));
            }
        }
        for (task, (ids, _)) in self.calls.of.iter().filter(|(_, (ids, _))| ids.len() > 1) {
            verdict.twice.push(format!("the receiver was told of task {task} as {ids:?}"));
        }
    }
}
