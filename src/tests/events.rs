//! Following tasks: live views, long polls, repeated requests, lists.

use std::{collections::HashSet, time::Duration};

use serde_json::{Value, json};

use super::{
    cancel::Stage,
    support::{Event, TestApp, sample_bytes},
};

const CLIP: &str = "en-known-04.flac";

impl Stage {
    /// A task that stays where it is until the gate opens.
    async fn held(&self, more: Value) -> i64 {
        let mut body = more;
        body["link"] = json!(self.page(true, false));
        self.app.submit(body).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_live_view_tells_everything_in_order_and_goes_on_where_it_was_left() {
    let app = TestApp::start().await;
    let (_, task) = app.upload(CLIP, sample_bytes(CLIP), &[]).await;
    let path = format!("/api/tasks/{}/events", task["id"]);
    // The stream ends by itself.
    let events = app.listen(&path, |_| false).await;
    assert!(events.windows(2).all(|pair| pair[0].id < pair[1].id), "{events:?}");
    assert!(events.iter().all(|event| event.data["task_id"] == task["id"]), "{events:?}");
    let statuses: Vec<_> = events.iter().filter(|event| event.kind == "status").map(|e| &e.data["status"]).collect();
    assert_eq!(statuses, ["queued", "processing", "completed"]);
    let mut steps = Vec::new();
    for key in ["source", "media", "text:extract", "text"] {
        for state in ["running", "succeeded"] {
            let at: Vec<usize> = (0..events.len()).filter(|at| events[*at].is_step(key, state)).collect();
            assert_eq!(at.len(), 1, "{key} {state}: {events:?}");
            steps.extend(at);
        }
    }
    assert!(steps.is_sorted(), "{events:?}");
    let of_text: Vec<&Event> = events[steps[6]..steps[7]].iter().collect();
    assert!(of_text.iter().any(|event| event.kind == "progress" && event.data["step"] == "text"), "{events:?}");
    let words: String = of_text
        .iter()
        .filter(|event| event.kind == "segment")
        .map(|event| event.data["segment"]["text"].as_str().unwrap())
        .collect();
    assert_eq!(words.trim(), "The music is near the long box.");
    let overall: Vec<f64> =
        events.iter().filter(|event| event.kind == "progress").map(|e| e.data["progress"].as_f64().unwrap()).collect();
    assert!(overall.is_sorted() && overall.iter().all(|part| (0.0..=1.0).contains(part)), "{overall:?}");
    assert!(events.last().unwrap().is_end(), "{events:?}");

    let ids = |events: &[Event]| events.iter().map(|event| event.id).collect::<Vec<_>>();
    for at in [0, events.len() / 2, events.len() - 1] {
        let rest = app.http.get(format!("{}{path}", app.url)).header("Last-Event-ID", events[at].id.to_string());
        let (rest, _) = Event::listen(rest.send().await.unwrap(), |_| false).await;
        assert_eq!(ids(&rest), ids(&events[at + 1..]));
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_view_shows_all_tasks() {
    let app = TestApp::start().await;
    let view = app.http.get(format!("{}/api/events", app.url)).send().await.unwrap();
    let mut open = HashSet::new();
    for _ in 0..2 {
        let (_, task) = app.upload(CLIP, sample_bytes(CLIP), &[]).await;
        open.insert(task["id"].as_i64().unwrap());
    }
    let tasks = open.clone();
    let open = std::sync::Mutex::new(open);
    let (events, found) = Event::listen(view, |event| {
        let mut open = open.lock().unwrap();
        if event.is_end() {
            open.remove(&event.data["task_id"].as_i64().unwrap());
        }
        open.is_empty()
    })
    .await;
    assert!(found && events.windows(2).all(|pair| pair[0].id < pair[1].id));
    assert_eq!(events.iter().map(|event| event.data["task_id"].as_i64().unwrap()).collect::<HashSet<_>>(), tasks);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_poll_answers_at_the_end_of_the_task_or_of_the_time() {
    let stage = Stage::set("").await;
    let id = stage.held(json!({})).await;
    stage.until(id, "source", "running").await;
    let path = format!("/api/tasks/{id}");
    assert_eq!(stage.app.get(&format!("{path}?wait=1")).await.1["status"], "processing");
    let (url, http) = (format!("{}{path}?wait=60", stage.app.url), stage.app.http.clone());
    let poll = tokio::spawn(async move { http.get(url).send().await.unwrap().json::<Value>().await.unwrap() });
    stage.app.post(&format!("{path}/cancel"), json!({})).await;
    let task = tokio::time::timeout(Duration::from_secs(30), poll).await.expect("it waits for the time").unwrap();
    assert_eq!(task["status"], "cancelled");
    assert_eq!(stage.app.get(&format!("{path}?wait=61")).await.0, 422);
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeated_request_makes_one_task() {
    let stage = Stage::set("").await;
    let link = stage.page(true, false);
    let body = json!({ "link": link }).to_string();
    let post = |key: String, body: String| {
        let request = stage.app.http.post(format!("{}/api/tasks", stage.app.url)).header("Idempotency-Key", key);
        let request = request.header("content-type", "application/json").body(body);
        async move {
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        }
    };
    let racing = futures_util::future::join_all((0..50).map(|_| post("one".to_owned(), body.clone()))).await;
    let ids: HashSet<i64> = racing.iter().map(|(_, task)| task["id"].as_i64().unwrap()).collect();
    assert!(racing.iter().all(|(status, _)| *status == 202) && ids.len() == 1, "{ids:?}");
    let (_, list) = stage.app.get("/api/tasks").await;
    assert_eq!(list["total"], 1);
    let (status, problem) = post("one".to_owned(), json!({ "link": link, "priority": "high" }).to_string()).await;
    assert_eq!((status, &problem["code"]), (422, &json!("invalid_value")), "{problem}");
    let (status, other) = post("two".to_owned(), body).await;
    assert!(status == 202 && !ids.contains(&other["id"].as_i64().unwrap()));
    for id in ids.into_iter().chain([other["id"].as_i64().unwrap()]) {
        assert_eq!(stage.app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    stage.app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_are_filtered_and_come_in_pages() {
    let stage = Stage::set("queue.net = 1").await;
    let mut ids = Vec::new();
    for number in 0..30 {
        let priority = ["high", "normal", "low"][number % 3];
        ids.push(stage.held(json!({ "priority": priority })).await);
    }
    ids.reverse();
    let list = async |query: &str| {
        let (status, list) = stage.app.get(&format!("/api/tasks?{query}")).await;
        assert_eq!(status, 200, "{list}");
        let items: Vec<i64> =
            list["items"].as_array().unwrap().iter().map(|task| task["id"].as_i64().unwrap()).collect();
        (items, list["next_cursor"].clone(), list["total"].as_u64().unwrap())
    };
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let (items, next, total) = list(&format!("limit=7{cursor}")).await;
        assert!(items.len() <= 7 && total == 30);
        seen.extend(items);
        // A task that comes meanwhile belongs before the first page and moves nothing.
        match next.as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, ids);
    let (high, _, total) = list("priority=high").await;
    assert_eq!((high.len(), total), (10, 10));
    stage.app.post(&format!("/api/tasks/{}/cancel", high[3]), json!({})).await;
    assert_eq!(list("status=cancelled").await.0, [high[3]]);
    assert_eq!(list("status=cancelled&priority=low").await.2, 0);
    assert_eq!(list("q=127.0.0.1&limit=1").await.2, 30);
    assert_eq!(list("q=nowhere").await.2, 0);
    assert_eq!(list("workflow=transcribe&platform=web").await.2, 0, "nothing is resolved yet");
    assert_eq!(list("created_after=2100-01-01T00:00:00Z").await.2, 0);
    assert_eq!(list("created_before=2100-01-01T00:00:00Z").await.2, 30);
    for wrong in ["limit=0", "limit=201", "status=over", "cursor=!"] {
        let (status, problem) = stage.app.get(&format!("/api/tasks?{wrong}")).await;
        assert_eq!(status, 422, "{wrong}: {problem}");
    }
    for id in ids {
        assert_eq!(stage.app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    stage.app.finish().await;
}
