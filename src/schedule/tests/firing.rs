//! From times to tasks.

use super::*;
use crate::domain::FireState;

#[tokio::test]
async fn a_time_makes_one_task_and_what_is_next_is_noted() {
    let bench = Bench::new().await;
    let id = bench.hourly(|_| ()).await;
    for now in [START - 1, START, START + 1, START + HOUR - 1] {
        bench.scheduler.look(now).await.unwrap();
    }
    assert_eq!(bench.fires(id).await, states(&[(0, "started")]));
    let task = bench.store().task(bench.tasks().await[0]).await.unwrap().unwrap();
    assert_eq!((task.link.as_str(), task.workflow.as_str()), ("https://example.com/a", "transcribe"));
    let schedule = bench.schedule(id).await;
    assert_eq!((schedule.next_fire, schedule.last_fire_at), (Some(START + HOUR), Some(START)));
    bench.scheduler.look(START + HOUR).await.unwrap();
    assert_eq!(bench.tasks().await.len(), 2);
}

#[tokio::test]
async fn times_that_passed_are_made_up_for_as_wished() {
    for (catchup, expected) in [
        (Catchup::None, states(&[(3, "missed")])),
        (Catchup::Latest, states(&[(2, "missed"), (3, "started")])),
        (Catchup::All, states(&[(0, "started"), (1, "started"), (2, "started"), (3, "started")])),
    ] {
        let bench = Bench::new().await;
        let id = bench.hourly(|schedule| schedule.catchup = catchup).await;
        bench.scheduler.look(START + 3 * HOUR + HOUR / 2).await.unwrap();
        assert_eq!(bench.fires(id).await, expected, "{catchup}");
        let all = bench.all(id).await;
        let mut fired = all.iter().filter(|fire| fire.state == FireState::Started);
        assert!(fired.all(|fire| fire.caught_up && fire.started_at.is_some()), "{all:?}");
        assert_eq!(bench.schedule(id).await.next_fire, Some(START + 4 * HOUR));
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_for_a_while_loses_and_doubles_nothing() {
    let bench = Bench::new().await;
    let id = bench.hourly(|schedule| schedule.catchup = Catchup::Latest).await;
    bench.scheduler.look(START).await.unwrap();
    bench.scheduler.look(START + 50 * HOUR).await.unwrap();
    // It is put right: the times that come again fire, the one in the future is done.
    for hour in 1..=51 {
        bench.scheduler.look(START + hour * HOUR).await.unwrap();
    }
    let expected: Vec<_> = (0..=51).map(|hour| (hour, "started".to_owned())).collect();
    assert_eq!(bench.fires(id).await, expected);
    assert_eq!(bench.tasks().await.len(), 52);
}

#[tokio::test]
async fn one_that_runs_is_passed_over_or_waited_for() {
    let bench = Bench::new().await;
    let skips = bench.hourly(|schedule| schedule.overlap = Overlap::Skip).await;
    bench.scheduler.look(START).await.unwrap();
    bench.scheduler.look(START + HOUR).await.unwrap();
    bench.end(TaskStatus::Completed).await;
    bench.scheduler.look(START + 2 * HOUR).await.unwrap();
    assert_eq!(bench.fires(skips).await, states(&[(0, "succeeded"), (1, "skipped"), (2, "started")]));

    let bench = Bench::new().await;
    let queues = bench.hourly(|schedule| schedule.overlap = Overlap::Queue).await;
    for hour in 0..3 {
        bench.scheduler.look(START + hour * HOUR).await.unwrap();
    }
    assert_eq!(bench.fires(queues).await, states(&[(0, "started"), (1, "waiting"), (2, "skipped")]));
    assert_eq!(bench.tasks().await.len(), 1);
    bench.end(TaskStatus::Failed).await;
    // Not while it is paused.
    let set = async |state| {
        let schedule = Schedule { state, ..bench.schedule(queues).await };
        let tx = bench.store().begin().await.unwrap();
        tx.change_schedule(&schedule).await.unwrap();
        tx.commit().await.unwrap();
    };
    set(crate::domain::ScheduleState::Paused).await;
    bench.scheduler.look(START + 2 * HOUR).await.unwrap();
    assert_eq!(bench.fires(queues).await[1], (1, "waiting".to_owned()));
    set(crate::domain::ScheduleState::Active).await;
    // Whoever looks first starts it, and nobody twice.
    bench.another().look(START + 2 * HOUR + 1).await.unwrap();
    bench.scheduler.look(START + 2 * HOUR + 2).await.unwrap();
    assert_eq!(bench.fires(queues).await, states(&[(0, "failed"), (1, "started"), (2, "skipped")]));
    assert_eq!(bench.tasks().await.len(), 2);
}

#[tokio::test]
async fn chance_puts_off_by_the_same_after_a_restart() {
    let bench = Bench::new().await;
    let id = bench.hourly(|schedule| schedule.jitter_ms = HOUR / 2).await;
    let jitter = fires::Jitter { schedule: id, most_ms: HOUR / 2 };
    let at = jitter.of(START);
    bench.scheduler.look(at - 1).await.unwrap();
    assert_eq!(bench.fires(id).await, []);
    bench.another().look(at).await.unwrap();
    assert_eq!(bench.fires(id).await, states(&[(0, "started")]));
    assert_eq!(bench.schedule(id).await.next_at, Some(jitter.of(START + HOUR)));
}

#[tokio::test]
async fn what_cannot_fire_any_more_is_a_failure_of_the_fire() {
    let bench = Bench::new().await;
    let id = bench.hourly(|schedule| schedule.wishes.workflow = "gone".to_owned()).await;
    bench.scheduler.look(START).await.unwrap();
    let fire = &bench.all(id).await[0];
    let code = fire.error.as_ref().map(|error| error.code.as_str());
    assert_eq!((fire.state.as_str(), code), ("failed", Some("unknown_workflow")));
    let schedule = bench.schedule(id).await;
    assert_eq!((schedule.failures, schedule.next_fire), (1, Some(START + HOUR)));
}

#[tokio::test]
async fn paused_ones_fire_by_hand_only() {
    let bench = Bench::new().await;
    let id = bench.hourly(|schedule| schedule.state = crate::domain::ScheduleState::Paused).await;
    bench.scheduler.look(START + HOUR).await.unwrap();
    assert_eq!(bench.fires(id).await, []);
    let fire = bench.scheduler.run_now(id).await.unwrap();
    assert_eq!(fire.state.as_str(), "started");
    assert_eq!(fire.task_id, bench.tasks().await.pop());
}

#[tokio::test]
async fn a_thousand_schedules_are_fired_with_one_look() {
    let bench = Bench::new().await;
    let tx = bench.store().begin().await.unwrap();
    for _ in 0..1_000 {
        let schedule = Schedule { next_fire: Some(START), next_at: Some(START), ..hourly() };
        tx.insert_schedule(&schedule).await.unwrap();
    }
    tx.commit().await.unwrap();
    bench.scheduler.look(START).await.unwrap();
    assert_eq!(bench.tasks().await.len(), 1_000);
    assert_eq!(bench.store().next_schedule().await.unwrap(), Some(START + HOUR));
}
