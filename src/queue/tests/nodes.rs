//! Several processes on one database: two more stores stand beside the one that holds it.

use std::time::Duration;

use super::*;
use crate::{
    domain::{NodeState, Role},
    queue::{Reaper, Unheard},
    store::{LaneLoad, NewNode},
};

impl Bench {
    /// Another process's queue on the same database.
    async fn beside(&self, change: impl FnOnce(&mut QueueConfig)) -> Queue {
        let store = Store::open_beside(&Self::url(&self.folder)).await.unwrap();
        let mut config = self.queue.config().clone();
        change(&mut config);
        Queue::new(Arc::new(store), config)
    }
}

fn node(queue: &Queue, models: &[&str], draining: bool) -> NewNode {
    NewNode {
        id: queue.owner().to_owned(),
        name: "one".to_owned(),
        role: Role::Worker,
        version: "1".to_owned(),
        keys_sha256: "aa".to_owned(),
        draining,
        lanes: vec![LaneLoad { lane: Lane::Gpu, width: 2, busy: 1 }],
        devices: json!([]),
        engines: json!([]),
        models: models.iter().map(|name| (*name).to_owned()).collect(),
    }
}

async fn put(queue: &Queue, node: &NewNode) {
    let tx = queue.store().begin().await.unwrap();
    tx.put_node(node).await.unwrap();
    tx.commit().await.unwrap();
}

#[tokio::test]
async fn a_node_that_starts_takes_nothing_from_those_that_are_there() {
    let bench = Bench::new().await;
    let (one, two) = (bench.beside(|_| ()).await, bench.beside(|_| ()).await);
    assert!(!one.store().is_exclusive());
    assert_ne!(one.owner(), two.owner());
    let id = bench.task(Priority::Normal).await;
    let work = one.claim(Lane::Net, 1, &[], false).await.unwrap().pop().unwrap();
    assert_eq!(two.recover().await.unwrap(), 0);
    let mut reaper = Reaper::new(Duration::ZERO);
    for _ in 0..3 {
        assert_eq!(two.reap(&mut reaper, &[]).await.unwrap(), 0, "its lease is not over");
    }
    assert!(one.succeed(&work, done()).await.unwrap());
    assert_eq!(bench.states(id).await[0], "succeeded");
}

#[tokio::test]
async fn what_a_dead_node_worked_on_is_taken_over_and_its_late_writes_are_refused() {
    let bench = Bench::new().await;
    let dead = bench.beside(|config| config.lease = Span(Duration::ZERO)).await;
    let other = bench.beside(|_| ()).await;
    let id = bench.task(Priority::Normal).await;
    let lost = dead.claim(Lane::Net, 1, &[], false).await.unwrap().pop().unwrap();
    let mut resting = other.reaper();
    let mut reaper = Reaper::new(Duration::ZERO);
    while other.reap(&mut reaper, &[]).await.unwrap() == 0 {
        assert_eq!(other.reap(&mut resting, &[]).await.unwrap(), 0, "a node that has just started took it");
    }
    let work = other.claim(Lane::Net, 1, &[], false).await.unwrap().pop().unwrap();
    assert_eq!((work.row.step.id.as_str(), work.row.step.crashes), (lost.row.step.id.as_str(), 1));
    assert!(dead.heartbeat(std::slice::from_ref(&lost.row.step.id)).await.unwrap().is_empty(), "it thinks it has it");
    assert!(!dead.report(&lost, 0.5, &[]).await.unwrap());
    assert!(!dead.succeed(&lost, done()).await.unwrap());
    assert!(other.succeed(&work, done()).await.unwrap());
    assert_eq!(bench.states(id).await[0], "succeeded");
}

#[tokio::test]
async fn after_trouble_with_the_database_nothing_is_taken_over() {
    let bench = Bench::new().await;
    let dead = bench.beside(|config| config.lease = Span(Duration::ZERO)).await;
    bench.task(Priority::Normal).await;
    dead.claim(Lane::Net, 1, &[], false).await.unwrap().pop().unwrap();
    let other = bench.beside(|_| ()).await;
    other.pulse().trouble();
    let mut reaper = Reaper::new(Duration::ZERO);
    for _ in 0..5 {
        assert_eq!(other.reap(&mut reaper, &[]).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_claim_whose_answer_was_lost_goes_back_and_is_no_crash() {
    let bench = Bench::new().await;
    let queue = bench.beside(|_| ()).await;
    let (kept, lost) = (bench.task(Priority::Normal).await, bench.task(Priority::Normal).await);
    let work = queue.claim(Lane::Net, 2, &[], false).await.unwrap();
    let ours: Vec<String> =
        work.iter().filter(|work| work.row.step.task_id == kept).map(|work| work.row.step.id.clone()).collect();
    let mut unheard = Unheard::default();
    for _ in 0..3 {
        assert_eq!(queue.give_back_unheard(&mut unheard, &ours).await.unwrap(), 0, "there was no trouble");
    }
    queue.pulse().trouble();
    assert_eq!(queue.give_back_unheard(&mut unheard, &ours).await.unwrap(), 0, "the answer may be on its way");
    assert_eq!(queue.give_back_unheard(&mut unheard, &ours).await.unwrap(), 1);
    assert_eq!(queue.give_back_unheard(&mut unheard, &ours).await.unwrap(), 0);
    let late = work.iter().find(|work| work.row.step.task_id == lost).unwrap();
    assert!(!queue.succeed(late, done()).await.unwrap(), "it was heard of after all");
    let again = queue.claim(Lane::Net, 2, &[], false).await.unwrap().pop().unwrap();
    let step = &again.row.step;
    assert_eq!((step.task_id, step.attempt, step.crashes), (lost, 1, 0));
    assert!(queue.succeed(&again, done()).await.unwrap());
}

#[tokio::test]
async fn a_heartbeat_brings_what_another_node_has_cancelled() {
    let bench = Bench::new().await;
    let (worker, asked) = (bench.beside(|_| ()).await, bench.beside(|_| ()).await);
    let id = bench.task(Priority::Normal).await;
    let work = worker.claim(Lane::Net, 1, &[], false).await.unwrap().pop().unwrap();
    let ids = [work.row.step.id.clone()];
    assert!(!worker.heartbeat(&ids).await.unwrap()[0].cancelled);
    assert!(worker.report(&work, 0.5, &[]).await.unwrap());
    assert_eq!(asked.store().steps_of(id).await.unwrap()[0].step.progress, 0.5);
    asked.cancel(id).await.unwrap();
    assert!(worker.heartbeat(&ids).await.unwrap()[0].cancelled);
}

#[tokio::test]
async fn a_node_is_ready_then_stopping_then_lost_then_forgotten() {
    let bench = Bench::new().await;
    let queue = bench.beside(|_| ()).await;
    let states = async |lease_ms| {
        let nodes = queue.store().nodes(lease_ms).await.unwrap();
        nodes.into_iter().map(|node| (node.said.models.len(), node.state)).collect::<Vec<_>>()
    };
    put(&queue, &node(&queue, &["base"], false)).await;
    assert_eq!(states(60_000).await, [(1, NodeState::Ready)]);
    put(&queue, &node(&queue, &[], true)).await;
    assert_eq!(states(60_000).await, [(0, NodeState::Draining)]);
    assert_eq!(states(-1).await, [(0, NodeState::Lost)]);
    let tx = queue.store().begin().await.unwrap();
    assert_eq!(tx.forget_nodes(tx.now() - 60_000).await.unwrap(), 0);
    assert_eq!(tx.forget_nodes(tx.now() + 1).await.unwrap(), 1);
    tx.put_node(&node(&queue, &[], false)).await.unwrap();
    tx.commit().await.unwrap();
    // On a database of its own a process finds nobody at its start.
    let bench = bench.restart().await;
    assert_eq!(bench.queue.store().nodes(60_000).await.unwrap(), []);
}

#[tokio::test]
async fn a_model_of_another_node_is_known() {
    let bench = Bench::new().await;
    let (here, other) = (bench.beside(|_| ()).await, bench.beside(|_| ()).await);
    let knows = async |name, is_known| here.is_model_elsewhere(name, is_known).await.unwrap();
    put(&here, &node(&here, &["mine"], false)).await;
    assert!(!knows("mine", true).await, "this one is no other");
    put(&other, &node(&other, &["Theirs"], false)).await;
    assert!(knows("theirs", false).await && !knows("base", true).await);
    put(&other, &node(&other, &["*"], false)).await;
    assert!(knows("base", true).await && !knows("nonsense", false).await);
    let alone = bench.queue.store().is_exclusive();
    assert_eq!(bench.queue.is_model_elsewhere("base", true).await.unwrap(), !alone);
}
