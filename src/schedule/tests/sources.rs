//! Schedules over sources.

use super::*;
use crate::{
    domain::SourceState,
    follow::{Backfill, Start, tests::post},
};

pub(super) async fn source(bench: &Bench) -> crate::domain::Source {
    let start = Start {
        link: "https://example.com/list".to_owned(),
        title: None,
        wishes: Wishes::of("transcribe"),
        pages: 1,
        backfill: Backfill::None,
    };
    bench.scheduler.follow.create(start).await.unwrap().0
}

/// An hourly schedule over a new source.
async fn bench() -> (Bench, ScheduleId, crate::domain::SourceId) {
    let bench = Bench::with(Stub::of(vec![post("1")], 10)).await;
    let source = source(&bench).await.id;
    let id = bench.hourly(|schedule| schedule.source_id = Some(source)).await;
    (bench, id, source)
}

async fn look(bench: &Bench, hour: i64) {
    bench.scheduler.look(START + hour * HOUR).await.unwrap();
    bench.scheduler.polled().await;
}

#[tokio::test]
async fn each_new_post_becomes_one_task_over_several_fires() {
    let (bench, id, _) = bench().await;
    look(&bench, 0).await;
    bench.list.show(vec![post("3"), post("2"), post("1")]);
    look(&bench, 1).await;
    bench.list.show(vec![post("4"), post("3"), post("1")]);
    look(&bench, 2).await;
    let fires = bench.all(id).await;
    let new: Vec<_> = fires.iter().rev().map(|fire| fire.new_items).collect();
    assert_eq!(new, [Some(0), Some(2), Some(1)]);
    assert_eq!(bench.fires(id).await, states(&[(0, "succeeded"), (1, "succeeded"), (2, "succeeded")]));
    assert_eq!(bench.tasks().await.len(), 3);
    assert_eq!(fires[1].note.as_deref(), Some("2 new, 0 passed over, 1 seen before"));
}

#[tokio::test]
async fn a_poll_that_fails_is_a_failure_and_a_paused_source_is_passed_over() {
    let (bench, id, source) = bench().await;
    let tx = bench.store().begin().await.unwrap();
    let schedule = bench.schedule(id).await;
    let alert_url = Some("https://example.com/alerts".to_owned());
    tx.change_schedule(&Schedule { alert_after: 1, alert_url, ..schedule }).await.unwrap();
    tx.commit().await.unwrap();
    *bench.list.fails.lock().unwrap() = Some((0, || Error::new(Code::SourceBlocked, "No robots")));
    look(&bench, 0).await;
    assert_eq!(bench.outbox().await[0]["data"]["fire"]["error"]["code"], "source_blocked");
    assert_eq!(bench.schedule(id).await.failures, 1);
    bench.scheduler.follow.change(source, |source| source.state = SourceState::Paused).await.unwrap();
    look(&bench, 1).await;
    *bench.list.fails.lock().unwrap() = None;
    bench.scheduler.follow.change(source, |source| source.state = SourceState::Active).await.unwrap();
    look(&bench, 2).await;
    assert_eq!(bench.fires(id).await, states(&[(0, "failed"), (1, "skipped"), (2, "succeeded")]));
    assert_eq!(bench.outbox().await[1]["type"], "schedule.recovered");
}

#[tokio::test]
async fn a_poll_that_was_cut_off_is_taken_up_after_the_start() {
    let (bench, id, source) = bench().await;
    // What a process leaves behind that dies while it polls.
    let tx = bench.store().begin().await.unwrap();
    tx.insert_fire(id, START, crate::domain::FireState::Started, None).await.unwrap();
    tx.commit().await.unwrap();
    bench.list.show(vec![post("2"), post("1")]);
    let next = bench.another();
    next.look(START - 1).await.unwrap();
    next.polled().await;
    assert_eq!(bench.fires(id).await, states(&[(0, "succeeded")]));
    assert_eq!(bench.tasks().await.len(), 1);
    // Nor does one stay that is left behind later.
    let tx = bench.store().begin().await.unwrap();
    tx.insert_fire(id, START - HOUR, crate::domain::FireState::Started, None).await.unwrap();
    tx.commit().await.unwrap();
    next.look(START - 2 * RESUME_MS).await.unwrap();
    next.polled().await;
    assert_eq!(bench.fires(id).await, states(&[(-1, "succeeded"), (0, "succeeded")]));
    // A schedule goes with its source.
    bench.scheduler.follow.delete(source).await.unwrap();
    assert_eq!(bench.store().schedule(id).await.unwrap(), None);
}

#[tokio::test]
async fn a_poll_that_another_node_is_at_stays_its_until_it_is_silent() {
    let (bench, id, _) = bench().await;
    let tx = bench.store().begin().await.unwrap();
    let fire = tx.insert_fire(id, START, crate::domain::FireState::Started, None).await.unwrap().unwrap();
    let other = crate::store::NewNode {
        id: "other".to_owned(),
        name: "other".to_owned(),
        role: crate::domain::Role::All,
        version: String::new(),
        keys_sha256: String::new(),
        draining: false,
        lanes: Vec::new(),
        devices: json!([]),
        engines: json!([]),
        models: Vec::new(),
    };
    tx.put_node(&other).await.unwrap();
    assert!(tx.take_poll(fire, "other", 60_000).await.unwrap() && tx.take_poll(fire, "other", 60_000).await.unwrap());
    assert!(!tx.take_poll(fire, bench.queue.owner(), 60_000).await.unwrap());
    tx.commit().await.unwrap();
    let next = bench.another();
    next.look(START - 1).await.unwrap();
    next.polled().await;
    assert_eq!(bench.fires(id).await, states(&[(0, "started")]));
    // It stops, or is not heard of any more.
    let tx = bench.store().begin().await.unwrap();
    assert!(tx.take_poll(fire, bench.queue.owner(), -1).await.unwrap());
    assert!(tx.take_poll(fire, "other", 60_000).await.unwrap(), "the first one has no row");
    tx.delete_node("other").await.unwrap();
    tx.commit().await.unwrap();
    next.look(START - 1 + 2 * RESUME_MS).await.unwrap();
    next.polled().await;
    assert_eq!(bench.fires(id).await.last(), states(&[(0, "succeeded")]).first());
}
