//! Making and changing schedules: what could not fire is refused.

use super::*;
use crate::domain::{ScheduleState, SourceId};

/// The field and the words of the refusal.
async fn refused(bench: &Bench, change: impl FnOnce(&mut Schedule)) -> (String, String) {
    let mut schedule = hourly();
    change(&mut schedule);
    let error = bench.scheduler.create(schedule).await.unwrap_err();
    (error.field.unwrap_or_default(), error.detail)
}

#[tokio::test]
async fn what_could_not_fire_is_refused() {
    let bench = Bench::new().await;
    let told = |field: &str, detail: &str| (field.to_owned(), detail.to_owned());
    assert_eq!(
        refused(&bench, |s| s.cron = "0 25 * * *".into()).await,
        told("cron", "Field \"cron\": \"0 25 * * *\": hour 25")
    );
    assert_eq!(
        refused(&bench, |s| s.cron = "0 0 30 2 *".into()).await,
        told("cron", "Field \"cron\": \"0 0 30 2 *\": there is no such day, so it never fires")
    );
    assert_eq!(
        refused(&bench, |s| s.tz = "Mars/Olympus".into()).await,
        told("tz", "Field \"tz\": no time zone \"Mars/Olympus\"")
    );
    assert_eq!(refused(&bench, |s| s.jitter_ms = HOUR + 1).await.0, "jitter");
    assert_eq!(refused(&bench, |s| s.alert_after = 3).await.0, "alert_url");
    assert_eq!(refused(&bench, |s| s.alert_url = Some("http://10.0.0.1/".into())).await.0, "alert_url");
    assert_eq!(refused(&bench, |s| s.wishes.workflow = "nothing".into()).await.0, "workflow");
    assert_eq!(refused(&bench, |s| s.wishes.params.clear()).await.0, "link");
    assert_eq!(refused(&bench, |s| s.source_id = Some(SourceId(7))).await.0, "source_id");
    assert_eq!(bench.store().next_schedule().await.unwrap(), None);
}

#[tokio::test]
async fn a_pause_ends_by_itself_or_by_hand() {
    let bench = Bench::new().await;
    let made = bench.scheduler.create(hourly()).await.unwrap();
    let until = made.next_fire.unwrap() + 48 * HOUR;
    let paused = bench.scheduler.change(made.id, |s| s.paused_until = Some(until)).await.unwrap();
    assert_eq!(paused.next_fire, Some(until));
    // A restart does not end the pause.
    bench.another().look(made.next_fire.unwrap()).await.unwrap();
    assert_eq!(bench.schedule(made.id).await.next_fire, Some(until));
    let off = bench.scheduler.change(made.id, |s| s.state = ScheduleState::Paused).await.unwrap();
    let on =
        bench.scheduler.change(off.id, |s| (s.state, s.paused_until) = (ScheduleState::Active, None)).await.unwrap();
    assert_eq!(on.next_fire, made.next_fire);
    assert_eq!(Scheduler::next_times(&on, 5).len(), 5);
    bench.scheduler.delete(made.id).await.unwrap();
    assert_eq!(bench.scheduler.delete(made.id).await.unwrap_err().code, Code::NotFound);
}

#[tokio::test]
async fn a_new_name_does_not_touch_the_next_time() {
    let bench = Bench::new().await;
    let id = bench.hourly(|_| ()).await;
    let renamed = bench.scheduler.change(id, |s| s.name = "Nightly".to_owned()).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.next_fire), ("Nightly", Some(START)));
    let moved = bench.scheduler.change(id, |s| s.cron = "30 * * * *".to_owned()).await.unwrap();
    assert!(moved.next_fire.unwrap() != START && moved.next_fire.unwrap() % HOUR == HOUR / 2);
}
