//! Live views over stored events.

use futures_util::StreamExt;
use poem::Request;
use serde_json::{Value, json};

use super::{Api, tasks::complete};
use crate::domain::TaskId;

/// The events of a view: number, kind, data.
fn read(text: &str) -> Vec<(i64, String, Value)> {
    let field = |block: &str, name: &str| {
        let start = format!("{name}: ");
        block.lines().find_map(|line| line.strip_prefix(&start)).unwrap_or_default().to_owned()
    };
    text.split("\n\n")
        .filter(|block| !block.is_empty() && !block.starts_with(':'))
        .map(|block| {
            let data = serde_json::from_str(&field(block, "data")).unwrap();
            (field(block, "id").parse().unwrap_or_default(), field(block, "event"), data)
        })
        .collect()
}

#[tokio::test]
async fn a_task_is_told_from_its_beginning_and_goes_on_where_it_broke_off() {
    let api = Api::new().await;
    let id = api.task().await;
    api.task().await;
    api.write(async |tx| {
        tx.add_event(id, "segment", json!({"step": "text", "segment": {"text": "two\nlines"}}));
    })
    .await;
    complete(&api, id).await;
    let answer = api.get("/api/tasks/1/events").await;
    assert_eq!(answer.header("content-type"), "text/event-stream");
    let all = read(&answer.text());
    let kinds: Vec<&str> = all.iter().map(|(_, kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["created", "status", "segment", "status"]);
    assert_eq!((&all[0].2["workflow"], &all[0].2["priority"]), (&json!("transcribe"), &json!("normal")));
    assert!(all.iter().all(|(_, _, data)| data["task_id"] == 1 && data["created_at"].is_string()));
    assert_eq!(all[2].2["segment"]["text"], "two\nlines");
    assert_eq!(all[3].2["status"], "completed");
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));

    let last = all[2].0.to_string();
    let resumed = Request::builder().uri_str("/api/tasks/1/events").header("last-event-id", last).finish();
    assert_eq!(read(&api.send(resumed).await.text()), all[3..]);
    let by_query = api.get(&format!("/api/tasks/1/events?last_event_id={}", all[0].0)).await;
    assert_eq!(read(&by_query.text()), all[1..]);
    assert!(read(&api.get("/api/tasks/1/events?last_event_id=999").await.text()).is_empty());
    api.get("/api/tasks/9/events").await.problem(404, "not_found");
    let wrong = Request::builder().uri_str("/api/tasks/1/events").header("last-event-id", "x").finish();
    api.send(wrong).await.problem(422, "invalid_value");
}

#[tokio::test]
async fn what_happens_is_told_as_it_happens() {
    let api = Api::new().await;
    let id = api.task().await;
    let response = api.call(Request::builder().uri_str("/api/events").finish()).await;
    let mut view = Box::pin(response.into_body().into_bytes_stream());
    let told = async { view.next().await.unwrap().unwrap() };
    let work = api.write(async |tx| tx.add_event(id, "progress", json!({"progress": 0.5})));
    let (told, ()) = tokio::join!(told, work);
    let told = read(std::str::from_utf8(&told).unwrap());
    assert_eq!((told[0].1.as_str(), &told[0].2["progress"]), ("progress", &json!(0.5)));
}

#[tokio::test]
async fn a_deleted_task_ends_its_view() {
    let api = Api::new().await;
    let id = api.task().await;
    let response = api.call(Request::builder().uri_str("/api/tasks/1/events").finish()).await;
    let mut view = Box::pin(response.into_body().into_bytes_stream());
    for kind in ["created", "status"] {
        assert_eq!(read(std::str::from_utf8(&view.next().await.unwrap().unwrap()).unwrap())[0].1, kind);
    }
    api.state.queue.delete(id).await.unwrap();
    let last = read(std::str::from_utf8(&view.next().await.unwrap().unwrap()).unwrap());
    assert_eq!((last[0].1.as_str(), &last[0].2["task_id"]), ("deleted", &json!(id.0)));
    assert!(view.next().await.is_none());
}

#[tokio::test]
async fn a_view_of_all_tasks_tells_those_that_come_and_go() {
    let api = Api::new().await;
    for _ in 0..2 {
        api.task().await;
    }
    api.state.queue.delete(TaskId(1)).await.unwrap();
    api.task().await;
    let told = async |after: i64, many: usize| {
        let path = format!("/api/events?last_event_id={after}");
        let response = api.call(Request::builder().uri_str(&path).finish()).await;
        let mut view = Box::pin(response.into_body().into_bytes_stream());
        let mut events = Vec::new();
        while events.len() < many {
            events.extend(read(std::str::from_utf8(&view.next().await.unwrap().unwrap()).unwrap()));
        }
        events
    };
    // The first one's own events are gone with it; that it is gone stands between those of the others.
    let all = told(0, 5).await;
    let kinds: Vec<_> = all.iter().map(|(_, kind, data)| (kind.as_str(), data["task_id"].as_i64().unwrap())).collect();
    assert_eq!(kinds, [("created", 2), ("status", 2), ("deleted", 1), ("created", 3), ("status", 3)]);
    assert!(all.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(told(all[1].0, 3).await, all[2..]);
    assert_eq!(told(all[2].0, 2).await, all[3..]);
    // Whoever comes now hears what happens from now on, a deletion, too.
    api.state.queue.delete(TaskId(3)).await.unwrap();
    assert!(api.store().last_event().await.unwrap() > all[4].0);
    api.write(async |tx| tx.prune_deletions(tx.now() + 1).await.unwrap()).await;
    assert_eq!(told(0, 1).await[0].1, "gap");
}

#[tokio::test]
async fn whoever_asks_for_events_that_are_gone_is_told_so() {
    let api = Api::new().await;
    let (old, young) = (api.task().await, api.task().await);
    complete(&api, old).await;
    complete(&api, young).await;
    let before = read(&api.get("/api/tasks/1/events").await.text());
    assert_eq!(before[0].1, "created", "a gap where nothing is missing");
    let told: Vec<i64> = before.iter().map(|(id, ..)| *id).collect();
    api.write(async |tx| assert_eq!(tx.delete_events(&told).await.unwrap(), told.len() as u64)).await;

    let gone = read(&api.get("/api/tasks/1/events").await.text());
    assert_eq!((gone.len(), gone[0].0, gone[0].1.as_str()), (1, 0, "gap"));
    assert_eq!((&gone[0].2["task_id"], &gone[0].2["status"]), (&json!(1), &json!("completed")));
    let last = told[told.len() - 1];
    assert!(read(&api.get(&format!("/api/tasks/1/events?last_event_id={last}")).await.text()).is_empty());
    // Younger than what is gone, or written with its first event: nothing is missing.
    assert_eq!(read(&api.get("/api/tasks/2/events").await.text())[0].1, "created");

    let all = Request::builder().uri_str("/api/events").header("last-event-id", "1").finish();
    let mut view = Box::pin(api.call(all).await.into_body().into_bytes_stream());
    let first = read(std::str::from_utf8(&view.next().await.unwrap().unwrap()).unwrap());
    assert_eq!((first[0].1.as_str(), &first[0].2["task_id"]), ("gap", &json!(null)));
}
