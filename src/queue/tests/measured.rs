//! What the queue takes and ends in a second, and how long it takes to claim among very many rows:
//! `make bench-databases`.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, Instant},
};

use super::*;

/// Tasks of four steps each.
const TASKS: usize = 1_500;
/// Tasks whose first steps are ready, among all rows when claims are timed: a quarter of them.
const CROWD: usize = 25_000;
const CLAIMS: usize = 500;
/// How many a node takes at once, and writes at once.
const AT_ONCE: usize = 32;

impl Bench {
    /// A database as an operator has it.
    async fn durable(nodes: usize) -> (TempDir, Vec<Queue>) {
        let Self { folder, queue } = Self::new().await;
        drop(queue);
        let mut queues = Vec::new();
        for _ in 0..nodes {
            let store = Arc::new(Store::open(&Self::url(&folder)).await.unwrap());
            queues.push(Queue::new(store, Config::load(None, &[]).unwrap().queue));
        }
        (folder, queues)
    }
}

async fn fill(queue: &Queue, tasks: usize) {
    let planned = plan(&Definition::parse(DEFINITION).unwrap()).unwrap();
    for begin in (0..tasks).step_by(100) {
        let tx = queue.store().begin().await.unwrap();
        for _ in begin..(begin + 100).min(tasks) {
            let task = NewTask { workflow: "transcribe".to_owned(), revision: 1, ..NewTask::default() };
            new::write(&tx, NewRun { task, planned: planned.clone(), ..NewRun::default() }).await.unwrap();
        }
        tx.commit().await.unwrap();
    }
}

/// Works in one lane until `tasks` steps of it have ended, on all nodes together.
async fn work(queue: &Queue, lane: Lane, left: &AtomicI64) {
    let end = End::Done { done: Box::new(done()), input: None };
    while left.load(Ordering::Relaxed) > 0 {
        let claimed = queue.claim(lane, AT_ONCE, &[], false).await.unwrap();
        if claimed.is_empty() {
            tokio::task::yield_now().await;
            continue;
        }
        let ends: Vec<_> = claimed.iter().map(|work| (work, &end)).collect();
        assert!(queue.end_all(&ends).await.unwrap().iter().all(|ours| *ours));
        left.fetch_sub(ends.len() as i64, Ordering::Relaxed);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "its purpose")]
async fn measured_rates() {
    let nodes = if crate::store::test_url::is_server() { 4 } else { 1 };
    let (_folder, queues) = Bench::durable(nodes).await;
    fill(&queues[0], TASKS).await;
    let begin = Instant::now();
    // Two of a task's steps are in lane `net`.
    let lanes = [(Lane::Net, 2), (Lane::Cpu, 1), (Lane::Gpu, 1)];
    let left = lanes.map(|(lane, steps)| (lane, Arc::new(AtomicI64::new(TASKS as i64 * steps))));
    let mut working = tokio::task::JoinSet::new();
    for queue in &queues {
        for (lane, left) in &left {
            let (queue, lane, left) = (queue.clone(), *lane, Arc::clone(left));
            working.spawn(async move { work(&queue, lane, &left).await });
        }
    }
    while let Some(ended) = working.join_next().await {
        ended.unwrap();
    }
    let rate = (TASKS * 4) as f64 / begin.elapsed().as_secs_f64();
    println!("steps_per_second\t{nodes} nodes\t{rate:.0}");
}

#[tokio::test]
#[ignore = "a measurement"]
#[allow(clippy::print_stdout, reason = "its purpose")]
async fn measured_claims() {
    let (_folder, queues) = Bench::durable(1).await;
    fill(&queues[0], CROWD).await;
    let mut times = Vec::new();
    for _ in 0..CLAIMS {
        let begin = Instant::now();
        let claimed = queues[0].claim(Lane::Net, 4, &[], false).await.unwrap();
        assert_eq!(claimed.len(), 4);
        times.push(begin.elapsed());
    }
    times.sort_unstable();
    let ms = |time: Duration| time.as_secs_f64() * 1e3;
    println!("claim_ms\t{} rows\tp50 {:.1}\tp99 {:.1}", CROWD * 4, ms(times[CLAIMS / 2]), ms(times[CLAIMS * 99 / 100]));
}
