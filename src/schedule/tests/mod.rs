//! Schedules and triggers over a real store and intake; the clock is an argument, and only the site is a stub.

mod broken;
mod ends;
mod firing;
mod managing;
mod nodes;
mod sources;
mod triggers;

use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{
    config::Config,
    crawl::Lists,
    domain::{Catchup, Fire, Overlap, ScheduleId, TaskId, TaskStatus},
    follow::tests::Stub,
    store::TaskFilter,
    transcribe::Models,
    workflow::Definition,
};

const WORKFLOW: &str = include_str!("../../../workflows/transcribe.json");
const HOUR: i64 = 60 * 60 * 1000;
/// 2026-11-20T00:00:00Z.
const START: i64 = 1_795_132_800_000;

/// A database, a scheduler and a list that sources can follow.
struct Bench {
    scheduler: Scheduler,
    queue: Queue,
    config: Config,
    list: Arc<Stub>,
    _folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        Self::with(Stub::default()).await
    }

    async fn with(list: Stub) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.toml");
        std::fs::write(&empty, "").unwrap();
        let config = Config::load(Some(&empty), &[]).unwrap();
        let url = crate::store::test_url::test_url(folder.path());
        let queue = Queue::new(Arc::new(Store::open(&url).await.unwrap()), config.queue.clone());
        let list = Arc::new(list);
        let scheduler = scheduler(&queue, &config, &list);
        let bench = Self { scheduler, queue, config, list, _folder: folder };
        bench.save(serde_json::from_str(WORKFLOW).unwrap()).await;
        bench
    }

    /// Another scheduler on the same database: a second node, or the first one after a restart.
    fn another(&self) -> Scheduler {
        scheduler(&self.queue, &self.config, &self.list)
    }

    /// Saves a definition with its triggers.
    async fn save(&self, definition: Value) {
        let parsed: Definition = serde_json::from_value(definition.clone()).unwrap();
        let tx = self.store().begin().await.unwrap();
        let hash = format!("{:.64}", definition.to_string().len());
        tx.put_workflow(&parsed.name, definition, &hash).await.unwrap();
        sync(&tx, &parsed.name).await.unwrap();
        tx.commit().await.unwrap();
    }

    fn store(&self) -> &Store {
        self.queue.store()
    }

    /// Writes an hourly schedule whose first time is [`START`].
    async fn hourly(&self, change: impl FnOnce(&mut Schedule)) -> ScheduleId {
        let mut schedule = hourly();
        (schedule.next_fire, schedule.next_at) = (Some(START), Some(START));
        change(&mut schedule);
        let tx = self.store().begin().await.unwrap();
        let id = tx.insert_schedule(&schedule).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn schedule(&self, id: ScheduleId) -> Schedule {
        self.store().schedule(id).await.unwrap().unwrap()
    }

    /// A schedule's fires by their times, in hours from [`START`], with their states.
    async fn fires(&self, id: ScheduleId) -> Vec<(i64, String)> {
        let hour = |fire: &Fire| (fire.fire_at.timestamp_millis() - START) / HOUR;
        let mut fires: Vec<_> = self.all(id).await.iter().map(|fire| (hour(fire), fire.state.to_string())).collect();
        fires.sort();
        fires
    }

    async fn all(&self, id: ScheduleId) -> Vec<Fire> {
        self.store().fires(id, 10_000, None).await.unwrap().fires
    }

    async fn tasks(&self) -> Vec<TaskId> {
        let filter = TaskFilter { limit: 10_000, ..TaskFilter::default() };
        let mut tasks: Vec<_> =
            self.store().tasks(&filter).await.unwrap().tasks.into_iter().map(|task| task.id).collect();
        tasks.sort();
        tasks
    }

    /// Ends the newest task.
    async fn end(&self, status: TaskStatus) {
        let task = *self.tasks().await.last().unwrap();
        let tx = self.store().begin().await.unwrap();
        tx.end_task(task, status, None, None).await.unwrap();
        tx.add_event(task, "status", json!({ "status": status }));
        tx.commit().await.unwrap();
    }

    /// What waits in the outbox: the events with their bodies, in order.
    async fn outbox(&self) -> Vec<Value> {
        let tx = self.store().begin().await.unwrap();
        let claimed = tx.claim_deliveries("test", 1, 100, 100).await.unwrap();
        claimed.into_iter().map(|delivery| serde_json::from_str(&delivery.body).unwrap()).collect()
    }
}

fn scheduler(queue: &Queue, config: &Config, list: &Arc<Stub>) -> Scheduler {
    let net = Net::new(&config.net).unwrap();
    let intake = Intake::new(queue.clone(), net.clone(), Models::new(&config.models));
    let follow = Follow::new(Arc::clone(list) as Arc<dyn Lists>, intake.clone(), queue.clone());
    Scheduler::new(queue.clone(), intake, follow, net)
}

fn hourly() -> Schedule {
    let mut wishes = Wishes::of("transcribe");
    wishes.params.insert("link".to_owned(), json!("https://example.com/a"));
    Schedule { overlap: Overlap::Allow, catchup: Catchup::All, ..Schedule::new(wishes, "0 * * * *", "UTC") }
}

fn states(fires: &[(i64, &str)]) -> Vec<(i64, String)> {
    fires.iter().map(|(hour, state)| (*hour, (*state).to_owned())).collect()
}
