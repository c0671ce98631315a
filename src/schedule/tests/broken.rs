//! Rows that cannot be read and work that panics: told where they belong, and holding nothing else up.

use serde_json::Map;

use super::{sources::source, triggers::definition, *};
use crate::{
    domain::{EventFireState, FireState},
    store::{NewEventFire, ScheduleFilter},
};

async fn with_alert(bench: &Bench) -> ScheduleId {
    let told = |schedule: &mut Schedule| {
        (schedule.alert_after, schedule.alert_url) = (1, Some("https://example.com/alerts".to_owned()));
    };
    bench.hourly(told).await
}

/// The code that the only fire of a schedule has failed with.
async fn code(bench: &Bench, id: ScheduleId) -> String {
    let fire = bench.all(id).await.remove(0);
    assert_eq!((fire.state, bench.fires(id).await.len()), (FireState::Failed, 1));
    fire.error.unwrap().code
}

#[tokio::test]
async fn a_schedule_that_cannot_be_read_fails_once_with_its_alert_and_others_fire() {
    let bench = Bench::new().await;
    let (broken, sound) = (with_alert(&bench).await, bench.hourly(|_| ()).await);
    bench.store().spoil(&format!("UPDATE schedules SET params = 'x{{' WHERE id = {broken}")).await;
    for hour in 0..2 {
        bench.scheduler.look(START + hour * HOUR).await.unwrap();
    }
    assert_eq!(bench.fires(sound).await, states(&[(0, "started"), (1, "started")]));
    assert_eq!(code(&bench, broken).await, "database");
    let alerts = bench.outbox().await;
    assert_eq!((alerts.len(), &alerts[0]["type"]), (1, &json!("schedule.failing")));
    assert_eq!((&alerts[0]["data"]["schedule"]["id"], &alerts[0]["data"]["failures"]), (&json!(broken), &json!(1)));
    // Those beside it can be listed.
    let filter = ScheduleFilter { limit: 10, ..ScheduleFilter::default() };
    let page = bench.store().schedules(&filter).await.unwrap();
    assert_eq!((page.total, page.schedules.len(), page.schedules[0].id), (2, 1, sound));
    // Once it can be read again, it fires from the next start on.
    bench.store().spoil(&format!("UPDATE schedules SET params = '{{}}', name = 'n' WHERE id = {broken}")).await;
    let next = bench.another();
    next.look(START + HOUR).await.unwrap();
    assert!(bench.schedule(broken).await.next_fire.is_some());
}

#[tokio::test]
async fn a_workflow_that_cannot_be_read_fails_its_schedules_and_no_other() {
    let bench = Bench::new().await;
    bench.save(definition("spoilt", &json!([]))).await;
    let broken = bench.hourly(|schedule| schedule.wishes.workflow = "spoilt".to_owned()).await;
    let sound = bench.hourly(|_| ()).await;
    bench.store().spoil("UPDATE workflows SET definition = 'x{' WHERE name = 'spoilt'").await;
    bench.scheduler.look(START).await.unwrap();
    assert_eq!(bench.fires(sound).await, states(&[(0, "started")]));
    assert_eq!(code(&bench, broken).await, "database");
    // It has a next time all the same: the workflow may get another revision.
    assert_eq!(bench.schedule(broken).await.next_fire, Some(START + HOUR));
}

#[tokio::test]
async fn a_trigger_that_cannot_be_read_is_told_with_each_event_and_others_take_it() {
    let bench = Bench::new().await;
    let on_failure = json!([{"event": "task.failed", "params": {"link": "${event.task.link}"}}]);
    for name in ["sound", "spoilt"] {
        bench.save(definition(name, &on_failure)).await;
    }
    bench.store().spoil("UPDATE event_triggers SET params = 'x{' WHERE workflow = 'spoilt'").await;
    let mut wishes = Wishes::of("transcribe");
    wishes.params.insert("link".to_owned(), json!("https://example.com/broken"));
    bench.scheduler.intake.submit(submission(&wishes)).await.unwrap();
    bench.end(TaskStatus::Failed).await;
    bench.scheduler.look(START).await.unwrap();
    let fire = async |name: &str| bench.store().event_fires(name, 10, None).await.unwrap().fires.remove(0);
    assert_eq!(fire("sound").await.state, EventFireState::Started);
    let refused = fire("spoilt").await;
    assert_eq!(refused.state, EventFireState::Refused);
    assert!(refused.note.unwrap().contains("parameters cannot be read"));
}

#[tokio::test]
async fn an_event_whose_task_cannot_be_read_is_refused_and_others_start() {
    let bench = Bench::new().await;
    let (source_task, mut params) = (TaskId(1), Map::new());
    params.insert("link".to_owned(), json!("https://example.com/a"));
    let tx = bench.store().begin().await.unwrap();
    for event_id in 1..=2 {
        let (workflow, params) = ("transcribe".to_owned(), Ok(params.clone()));
        tx.insert_event_fire(NewEventFire { workflow, trigger: 0, event_id, source_task, params }).await.unwrap();
    }
    tx.commit().await.unwrap();
    bench.store().spoil("UPDATE event_fires SET params = 'x{' WHERE event_id = 1").await;
    bench.scheduler.look(START).await.unwrap();
    let fires = bench.store().event_fires("transcribe", 10, None).await.unwrap().fires;
    let states: Vec<_> = fires.iter().map(|fire| (fire.event_id, fire.state)).collect();
    assert_eq!(states, [(2, EventFireState::Started), (1, EventFireState::Refused)]);
}

#[tokio::test]
async fn a_poll_that_panics_fails_and_gives_its_place_back() {
    let bench = Bench::with(Stub::of(Vec::new(), 10)).await;
    let source = source(&bench).await.id;
    let id = bench.hourly(|schedule| schedule.source_id = Some(source)).await;
    let look = async |hour: i64| {
        bench.scheduler.look(START + hour * HOUR).await.unwrap();
        bench.scheduler.polled().await;
    };
    *bench.list.fails.lock().unwrap() = Some((0, || panic!("as asked")));
    look(0).await;
    assert_eq!(code(&bench, id).await, "internal");
    let told = bench.scheduler.follow.source(source).await.unwrap();
    assert_eq!((told.failures, told.last_error.unwrap().code), (1, "internal".to_owned()));
    bench.list.fails.clear_poison();
    *bench.list.fails.lock().unwrap() = None;
    look(1).await;
    assert_eq!(bench.fires(id).await, states(&[(0, "failed"), (1, "succeeded")]));
    assert_eq!(bench.scheduler.follow.source(source).await.unwrap().failures, 0);
}
