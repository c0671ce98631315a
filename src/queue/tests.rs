//! The queue against a real database.

mod late;
mod measured;
mod model;
mod nodes;
mod runs;

use std::sync::Arc;

use proptest::prelude::*;
use serde_json::{Map, json};
use tempfile::TempDir;

use super::*;
use crate::{
    config::Config,
    domain::{Lane, Priority, Span, StepKind, TaskId, TaskStatus},
    error::{Code, Error},
    queue::new::NewRun,
    store::NewTask,
    workflow::{Definition, plan},
};

const DEFINITION: &str = include_str!("../../workflows/transcribe.json");

struct Bench {
    queue: Queue,
    folder: TempDir,
}

impl Bench {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let queue = Self::open(&folder).await;
        let tx = queue.store().begin().await.unwrap();
        let definition: serde_json::Value = serde_json::from_str(DEFINITION).unwrap();
        // This test's steps make no text, so the workflow has no output to make of them.
        let mut definition = definition.clone();
        definition["output"] = json!({ "media": "${steps.media.output.media_id}" });
        tx.save_workflow("transcribe", definition, "1").await.unwrap();
        tx.commit().await.unwrap();
        Self { queue, folder }
    }

    fn url(folder: &TempDir) -> String {
        crate::store::test_url::test_url(folder.path())
    }

    async fn open(folder: &TempDir) -> Queue {
        let url = Self::url(folder);
        let empty = folder.path().join("empty.toml");
        std::fs::write(&empty, "").unwrap();
        let mut config = Config::load(Some(&empty), &[]).unwrap().queue;
        // Looked at once more is long enough here.
        config.heartbeat = Span(std::time::Duration::ZERO);
        let store = Store::open(&url).await.unwrap();
        store.hurry().await;
        Queue::new(Arc::new(store), config)
    }

    /// Stands for a new process on the same database.
    async fn restart(self) -> Self {
        let Self { queue, folder } = self;
        drop(queue);
        let queue = Self::open(&folder).await;
        queue.recover_all().await.unwrap();
        Self { queue, folder }
    }

    async fn task(&self, priority: Priority) -> TaskId {
        let tx = self.queue.store().begin().await.unwrap();
        let task = NewTask {
            workflow: "transcribe".to_owned(),
            revision: 1,
            priority,
            link: "https://example.com/a".to_owned(),
            params: Map::new(),
            options: Map::new(),
            media_id: None,
            callback_url: Some("https://example.com/hook".to_owned()),
            ..NewTask::default()
        };
        let planned = plan(&Definition::parse(DEFINITION).unwrap()).unwrap();
        let id = new::write(&tx, NewRun { task, planned, ..NewRun::default() }).await.unwrap();
        tx.commit().await.unwrap();
        id
    }

    async fn claim(&self, lane: Lane) -> Option<Work> {
        self.queue.claim(lane, 1, &[], false).await.unwrap().pop()
    }

    async fn status(&self, id: TaskId) -> TaskStatus {
        self.queue.store().task(id).await.unwrap().unwrap().status
    }

    async fn states(&self, id: TaskId) -> Vec<&'static str> {
        self.queue.store().steps_of(id).await.unwrap().iter().map(|row| row.step.state.as_str()).collect()
    }
}

fn done() -> Done {
    Done { output: json!({ "media_id": 1 }), ..Done::default() }
}

#[tokio::test]
async fn a_task_goes_through_its_steps_and_leaves_one_callback() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    assert!(bench.claim(Lane::Gpu).await.is_none(), "a blocked step was claimed");
    for lane in [Lane::Net, Lane::Net, Lane::Cpu, Lane::Gpu] {
        assert!(!bench.status(id).await.is_final());
        let work = bench.claim(lane).await.unwrap();
        assert!(bench.queue.succeed(&work, done()).await.unwrap());
        assert!(!bench.queue.succeed(&work, done()).await.unwrap(), "a step has succeeded twice");
    }
    assert_eq!(bench.status(id).await, TaskStatus::Completed);
    let task = bench.queue.store().task(id).await.unwrap().unwrap();
    assert_eq!((task.progress, task.result), (1.0, Some(json!({ "media": 1 }))));
    let deliveries = bench.queue.store().deliveries_of(id).await.unwrap();
    assert_eq!((deliveries.len(), deliveries[0].event.as_str()), (1, "task.completed"));
}

#[tokio::test]
async fn higher_priority_goes_first_but_waiting_counts() {
    let bench = Bench::new().await;
    let mut ids = Vec::new();
    for priority in [Priority::Low, Priority::Normal, Priority::High] {
        ids.push(bench.task(priority).await);
    }
    let mut order = Vec::new();
    while let Some(work) = bench.claim(Lane::Net).await {
        order.push(work.row.step.task_id);
        bench.queue.fail(&work, Error::new(Code::NoAudio, "x")).await.unwrap();
    }
    ids.reverse();
    assert_eq!(order, ids);
}

#[tokio::test]
async fn a_worker_whose_claim_was_taken_away_changes_nothing() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    let stale = bench.claim(Lane::Net).await.unwrap();
    let bench = bench.restart().await;
    let work = bench.claim(Lane::Net).await.unwrap();
    assert_eq!(work.row.step.id, stale.row.step.id);
    for refused in [
        bench.queue.succeed(&stale, done()).await,
        bench.queue.fail(&stale, Error::new(Code::SourceNotFound, "gone")).await,
        bench.queue.postpone(&stale, &Error::new(Code::ModelMissing, "no").report(), std::time::Duration::ZERO).await,
        bench.queue.release(&stale).await,
        bench.queue.report(&stale, 0.5, &[]).await,
    ] {
        assert!(!refused.unwrap());
    }
    assert_eq!(bench.queue.heartbeat(std::slice::from_ref(&stale.row.step.id)).await.unwrap().len(), 1);
    assert_eq!(work.row.step.attempt, 1, "a crash has cost a try");
    assert!(bench.queue.succeed(&work, done()).await.unwrap());
    assert_eq!(bench.states(id).await, ["succeeded", "ready", "blocked", "blocked"]);
}

#[tokio::test]
async fn three_crashes_fail_the_step() {
    let mut bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    for _ in 0..3 {
        assert!(!bench.status(id).await.is_final());
        bench.claim(Lane::Net).await.unwrap();
        bench = bench.restart().await;
    }
    let task = bench.queue.store().task(id).await.unwrap().unwrap();
    assert_eq!((task.status, task.error.unwrap().code.as_str()), (TaskStatus::Failed, "crash"));
    assert_eq!(bench.states(id).await, ["failed", "cancelled", "cancelled", "cancelled"]);
    assert_eq!(bench.queue.store().deliveries_of(id).await.unwrap()[0].event, "task.failed");
}

#[tokio::test]
async fn permanent_failures_end_the_task_and_passing_ones_wait() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    let work = bench.claim(Lane::Net).await.unwrap();
    assert!(bench.queue.fail(&work, Error::new(Code::ConnectFailed, "not now")).await.unwrap());
    assert_eq!(bench.states(id).await[0], "ready");
    assert!(bench.claim(Lane::Net).await.is_none(), "a failed step is tried again at once");
    assert!(bench.queue.store().next_eligible(Lane::Net, false).await.unwrap().is_some());

    let id = bench.task(Priority::Normal).await;
    let work = bench.claim(Lane::Net).await.unwrap();
    assert!(bench.queue.fail(&work, Error::new(Code::SourceNotFound, "gone")).await.unwrap());
    let task = bench.queue.store().task(id).await.unwrap().unwrap();
    assert_eq!((task.status, task.error.unwrap().detail.as_str()), (TaskStatus::Failed, "gone"));

    bench.queue.retry(id).await.unwrap();
    assert_eq!(bench.status(id).await, TaskStatus::Queued);
    assert_eq!(bench.states(id).await, ["ready", "blocked", "blocked", "blocked"]);
    assert_eq!(bench.queue.retry(id).await.unwrap_err().code, Code::Conflict);
}

#[tokio::test]
async fn cancelling_ends_the_task_at_once_and_stops_what_runs() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    let work = bench.claim(Lane::Net).await.unwrap();
    let mut stops = bench.queue.wake().stops();
    bench.queue.cancel(id).await.unwrap();
    bench.queue.cancel(id).await.unwrap();
    assert_eq!(stops.recv().await.unwrap(), Stop { task: id, steps: vec![work.row.step.id.clone()] });
    assert_eq!(bench.status(id).await, TaskStatus::Cancelled);
    assert!(bench.queue.heartbeat(std::slice::from_ref(&work.row.step.id)).await.unwrap()[0].cancelled);
    assert_eq!(bench.queue.retry(id).await.unwrap_err().code, Code::Conflict, "it still runs");
    // However its worker lets go of it, the step of a cancelled task never runs again by itself.
    assert!(bench.queue.release(&work).await.unwrap());
    assert_eq!(bench.states(id).await, ["cancelled"; 4]);
    bench.queue.retry(id).await.unwrap();
    bench.queue.delete(id).await.unwrap();
    assert!(bench.queue.store().task(id).await.unwrap().is_none());
    assert!(bench.claim(Lane::Net).await.is_none());
    assert_eq!(bench.queue.cancel(id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn what_waits_for_something_outside_costs_no_try_and_says_so() {
    let bench = Bench::new().await;
    let id = bench.task(Priority::Normal).await;
    let why = Error::new(Code::ModelMissing, "Model base is not here").report();
    for _ in 0..9 {
        let work = bench.claim(Lane::Net).await.unwrap();
        assert_eq!(work.row.step.attempt, 1);
        assert!(bench.queue.postpone(&work, &why, std::time::Duration::ZERO).await.unwrap());
    }
    let task = bench.queue.store().task(id).await.unwrap().unwrap();
    assert_eq!((task.status, task.waiting), (TaskStatus::Processing, Some(why)));
    let events = bench.queue.store().events(Some(id), 0, 100).await.unwrap();
    assert_eq!(
        events.iter().filter(|event| event.data.get("waiting").is_some()).count(),
        1,
        "waiting is told again and again"
    );
}

#[tokio::test]
async fn kinds_can_be_left_alone_while_what_follows_is_full() {
    let bench = Bench::new().await;
    bench.task(Priority::Normal).await;
    assert!(bench.queue.claim(Lane::Net, 5, &[StepKind::Resolve], false).await.unwrap().is_empty());
    assert_eq!(bench.queue.claim(Lane::Net, 5, &[StepKind::Download], false).await.unwrap().len(), 1);
    bench.task(Priority::High).await;
    assert!(bench.queue.claim(Lane::Net, 5, &[StepKind::Resolve], false).await.unwrap().is_empty());
    assert_eq!(bench.queue.claim(Lane::Net, 5, &[StepKind::Resolve], true).await.unwrap().len(), 1, "urgent");
}

#[derive(Clone, Copy, Debug)]
enum Move {
    Claim(Lane),
    Succeed,
    FailOnce,
    FailForGood,
    Release,
    Restart,
    Cancel,
    Retry,
}

fn moves() -> impl Strategy<Value = Vec<Move>> {
    let one = prop_oneof![
        4 => prop_oneof![Just(Lane::Net), Just(Lane::Cpu), Just(Lane::Gpu)].prop_map(Move::Claim),
        6 => Just(Move::Succeed),
        1 => Just(Move::FailOnce),
        1 => Just(Move::FailForGood),
        1 => Just(Move::Release),
        1 => Just(Move::Restart),
        1 => Just(Move::Cancel),
        1 => Just(Move::Retry),
    ];
    proptest::collection::vec(one, 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    /// Whatever happens in whatever order: a step never succeeds before what it needs, a task that has ended has no step
    /// that may still start, and each end leaves exactly one callback.
    #[test]
    fn nothing_that_can_happen_breaks_the_rules(moves in moves()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut bench = Bench::new().await;
            let id = bench.task(Priority::Normal).await;
            let mut held: Vec<Work> = Vec::new();
            let mut ends = 0;
            for step in moves {
                let was_final = bench.status(id).await.is_final();
                match step {
                    Move::Claim(lane) => held.extend(bench.claim(lane).await),
                    Move::Succeed => if let Some(work) = held.pop() { bench.queue.succeed(&work, done()).await.unwrap(); },
                    Move::FailOnce => if let Some(work) = held.pop() {
                        bench.queue.fail(&work, Error::new(Code::ConnectFailed, "x")).await.unwrap();
                    },
                    Move::FailForGood => if let Some(work) = held.pop() {
                        bench.queue.fail(&work, Error::new(Code::NoAudio, "x")).await.unwrap();
                    },
                    Move::Release => if let Some(work) = held.pop() { bench.queue.release(&work).await.unwrap(); },
                    Move::Restart => bench = bench.restart().await,
                    Move::Cancel => { let _ = bench.queue.cancel(id).await; }
                    Move::Retry => { let _ = bench.queue.retry(id).await; }
                }
                let status = bench.status(id).await;
                ends += usize::from(status.is_final() && !was_final);
                let states = bench.states(id).await;
                let first_open = states.iter().position(|state| *state != "succeeded").unwrap_or(states.len());
                assert!(states[first_open..].iter().all(|state| *state != "succeeded"), "{states:?}");
                if status.is_final() {
                    assert!(states.iter().all(|state| *state != "ready" && *state != "blocked"), "{states:?}");
                }
                assert_eq!(status == TaskStatus::Completed, first_open == 4);
                assert_eq!(bench.queue.store().deliveries_of(id).await.unwrap().len(), ends);
            }
        });
    }
}
