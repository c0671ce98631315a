//! How fires end, and the alerts that follow.

use super::*;

/// Fires the next hour and ends its task like this.
async fn hour(bench: &Bench, hour: i64, status: TaskStatus) {
    bench.scheduler.look(START + hour * HOUR).await.unwrap();
    bench.end(status).await;
    bench.scheduler.look(START + hour * HOUR + 1).await.unwrap();
}

#[tokio::test]
async fn failures_in_a_row_are_told_once_and_so_is_their_end() {
    use TaskStatus::{Cancelled, Completed, Failed};
    let bench = Bench::new().await;
    let id = bench
        .hourly(|schedule| {
            schedule.alert_after = 2;
            schedule.alert_url = Some("https://example.com/alerts".to_owned());
        })
        .await;
    let told = async |expected: &[&str]| {
        let outbox = bench.outbox().await;
        let types: Vec<_> = outbox.iter().map(|body| body["type"].as_str().unwrap().to_owned()).collect();
        assert_eq!(types, expected);
        outbox
    };
    hour(&bench, 0, Failed).await;
    told(&[]).await;
    // Who stops a task has not failed.
    hour(&bench, 1, Cancelled).await;
    hour(&bench, 2, Failed).await;
    let body = told(&["schedule.failing"]).await.remove(0);
    assert_eq!((&body["data"]["failures"], &body["data"]["schedule"]["id"]), (&json!(2), &json!(id)));
    assert_eq!(body["data"]["fire"]["task_id"], json!(bench.tasks().await[2]));
    hour(&bench, 3, Failed).await;
    told(&["schedule.failing"]).await;
    let failing = bench.schedule(id).await;
    assert_eq!(failing.failures, 3);
    let since = failing.alerted_at.unwrap();
    let fires = bench.all(id).await;
    let second = fires.iter().find(|fire| fire.fire_at.timestamp_millis() == START + 2 * HOUR).unwrap();
    assert_eq!(Some(since), second.ended_at.map(|at| at.timestamp_millis()), "since the fire that was one too many");
    hour(&bench, 4, Completed).await;
    assert_eq!(bench.schedule(id).await.alerted_at, None);
    told(&["schedule.failing", "schedule.recovered"]).await;
    hour(&bench, 5, Completed).await;
    told(&["schedule.failing", "schedule.recovered"]).await;
    assert_eq!(bench.schedule(id).await.failures, 0);
    let ends = ["failed", "cancelled", "failed", "failed", "succeeded", "succeeded"];
    assert_eq!(bench.fires(id).await.into_iter().map(|(_, state)| state).collect::<Vec<_>>(), ends);
}

#[tokio::test]
async fn a_task_that_was_deleted_holds_nothing_up() {
    let bench = Bench::new().await;
    let id = bench.hourly(|schedule| schedule.overlap = Overlap::Skip).await;
    bench.scheduler.look(START).await.unwrap();
    let tx = bench.store().begin().await.unwrap();
    tx.delete_task(bench.tasks().await[0]).await.unwrap();
    tx.commit().await.unwrap();
    bench.scheduler.look(START + HOUR).await.unwrap();
    assert_eq!(bench.fires(id).await, states(&[(0, "cancelled"), (1, "started")]));
}
