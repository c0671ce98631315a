//! Triggers of definitions: rows of the newest revision, and one task for each event.

use super::*;
use crate::domain::EventFireState;

pub(super) fn definition(name: &str, triggers: &Value) -> Value {
    json!({
        "dsl": 1, "name": name, "params": {"link": {"type": "url"}, "why": {"type": "string", "default": ""}},
        "triggers": triggers, "steps": {"source": {"use": "resolve", "with": {"link": "${params.link}"}}}
    })
}

/// Everything of this kind in the workflow's rows.
async fn rows(bench: &Bench) -> Vec<(i64, String, Option<i64>)> {
    let tx = bench.store().begin().await.unwrap();
    let found = tx.schedules_in("nightly").await.unwrap();
    let mut rows: Vec<_> = found.into_iter().map(|s| (s.trigger.unwrap(), s.cron, s.next_fire)).collect();
    rows.sort();
    rows
}

#[tokio::test]
async fn the_newest_revision_says_when() {
    let bench = Bench::new().await;
    let cron = |cron: &str| json!({"cron": cron, "tz": "Asia/Shanghai", "params": {"link": "https://example.com/a"}});
    bench.save(definition("nightly", &json!([cron("0 1 * * *"), cron("0 2 * * *")]))).await;
    let before = rows(&bench).await;
    assert_eq!(before.len(), 2);
    let tx = bench.store().begin().await.unwrap();
    let first = tx.schedules_in("nightly").await.unwrap().remove(0);
    drop(tx);
    let paused = |s: &mut Schedule| s.state = crate::domain::ScheduleState::Paused;
    bench.scheduler.change(first.id, paused).await.unwrap();
    let error = bench.scheduler.change(first.id, |s| s.cron = "0 3 * * *".to_owned()).await.unwrap_err();
    assert_eq!(error.code, Code::Conflict);
    assert_eq!(bench.scheduler.delete(first.id).await.unwrap_err().code, Code::Conflict);
    // The first stays as it is, paused too; the second changes, then goes.
    bench.save(definition("nightly", &json!([cron("0 1 * * *"), cron("30 12 * * *")]))).await;
    let after = rows(&bench).await;
    assert_eq!(after[0], before[0]);
    assert_eq!(after[1].1, "30 12 * * *");
    assert_ne!(after[1].2, before[1].2);
    assert_eq!(bench.schedule(first.id).await.state, crate::domain::ScheduleState::Paused);
    bench.save(definition("nightly", &json!([cron("0 1 * * *")]))).await;
    assert_eq!(rows(&bench).await, before[..1]);
    // At a start everything is looked at again, and nothing changes.
    sync_all(bench.store()).await.unwrap();
    assert_eq!(rows(&bench).await, before[..1]);
    let tx = bench.store().begin().await.unwrap();
    tx.delete_workflow("nightly").await.unwrap();
    sync(&tx, "nightly").await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(rows(&bench).await, []);
}

/// A task that fails, as far as the table of events tells.
async fn failed_task(bench: &Bench, workflow: &str) -> TaskId {
    let mut wishes = Wishes::of(workflow);
    wishes.params.insert("link".to_owned(), json!("https://example.com/broken"));
    let task = bench.scheduler.intake.submit(submission(&wishes)).await.unwrap().id;
    bench.end(TaskStatus::Failed).await;
    task
}

async fn of(bench: &Bench, workflow: &str) -> Vec<crate::domain::Task> {
    let filter = TaskFilter { limit: 1_000, workflow: Some(workflow.to_owned()), ..TaskFilter::default() };
    bench.store().tasks(&filter).await.unwrap().tasks
}

fn on_failure() -> Value {
    json!([{"event": "task.failed", "params": {"link": "${event.task.link}", "why": "task ${event.task.id}"}}])
}

#[tokio::test]
async fn an_event_makes_one_task_whoever_looks_and_none_for_what_was_before() {
    let bench = Bench::new().await;
    failed_task(&bench, "transcribe").await;
    bench.save(definition("rescue", &on_failure())).await;
    let failed = failed_task(&bench, "transcribe").await;
    let other = bench.another();
    for _ in 0..3 {
        let (one, two) = tokio::join!(bench.scheduler.look(START), other.look(START));
        one.and(two).unwrap();
        bench.another().look(START).await.unwrap();
    }
    let made = of(&bench, "rescue").await;
    assert_eq!(made.len(), 1);
    assert_eq!(made[0].params["why"], json!(format!("task {failed}")));
    assert_eq!(made[0].link, "https://example.com/broken");
}

#[tokio::test]
async fn no_workflow_starts_itself_in_a_circle() {
    let bench = Bench::new().await;
    bench.save(definition("rescue", &on_failure())).await;
    bench.save(definition("other", &on_failure())).await;
    failed_task(&bench, "transcribe").await;
    // Each fails in its turn: rescue starts other, other starts rescue, and there it ends.
    for _ in 0..8 {
        bench.scheduler.look(START).await.unwrap();
        for id in bench.store().open_tasks().await.unwrap() {
            let tx = bench.store().begin().await.unwrap();
            tx.end_task(id, TaskStatus::Failed, None, None).await.unwrap();
            tx.add_event(id, "status", json!({ "status": "failed" }));
            tx.commit().await.unwrap();
        }
    }
    assert_eq!((of(&bench, "rescue").await.len(), of(&bench, "other").await.len()), (2, 2));
}

#[tokio::test]
async fn a_storm_is_spread_over_minutes_and_loses_nothing() {
    let bench = Bench::new().await;
    bench.save(definition("rescue", &on_failure())).await;
    for _ in 0..70 {
        failed_task(&bench, "transcribe").await;
    }
    for _ in 0..2 {
        bench.scheduler.look(START).await.unwrap();
    }
    assert_eq!(of(&bench, "rescue").await.len(), 60);
    assert_eq!(bench.store().pending_event_fires("rescue", 0, 100).await.unwrap().len(), 10);
}

#[tokio::test]
async fn what_a_trigger_cannot_fill_in_is_noted() {
    let bench = Bench::new().await;
    bench
        .save(definition("rescue", &json!([{"event": "task.failed", "params": {"link": "${event.task.lnik}"}}])))
        .await;
    bench.save(definition("needy", &json!([{"event": "task.failed"}]))).await;
    failed_task(&bench, "transcribe").await;
    bench.scheduler.look(START).await.unwrap();
    for name in ["rescue", "needy"] {
        let fire = bench.store().event_fires(name, 10, None).await.unwrap().fires.remove(0);
        assert_eq!((fire.state, fire.task_id), (EventFireState::Refused, None), "{name}");
        assert!(fire.note.is_some(), "{name}");
    }
}
