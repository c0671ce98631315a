//! Tasks from their making to their end.

use std::time::Duration;

use poem::{Request, http::Method};
use serde_json::json;

use super::Api;
use crate::{
    domain::{Segment, TaskId, TaskStatus, Transcript},
    store::{NewDelivery, NewTranscript},
};

#[tokio::test]
async fn a_link_becomes_a_task() {
    let api = Api::new().await;
    let body =
        r#"{"link": "look at this https://example.com/a.mp3 !", "options": {"language": "en"}, "priority": "high"}"#;
    let answer = api.post("/api/tasks", body).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (202, "/api/tasks/1"));
    let task = answer.json();
    assert_eq!(task["link"], "https://example.com/a.mp3");
    assert_eq!((&task["status"], &task["priority"]), (&json!("queued"), &json!("high")));
    assert_eq!(task["options"], json!({"language": "en"}));
    assert_eq!(task["steps"][0]["state"], "ready");
    assert!(task["created_at"].as_str().unwrap().ends_with('Z'));
    assert!(task["media"].is_null() && task["links"]["transcript"].is_null());
    let mut asked = api.get("/api/tasks/1").await.json();
    // Whoever makes a task does not wait for its place to be counted.
    assert_eq!(asked["current"].as_object_mut().unwrap().remove("position"), Some(json!(1)));
    assert_eq!(asked, task);
}

#[tokio::test]
async fn a_repeated_request_makes_one_task() {
    let api = Api::new().await;
    let send = async |key: &str, link: &str| {
        let request = Request::builder().method(Method::POST).uri_str("/api/tasks").content_type("application/json");
        let request = request.header("idempotency-key", key);
        api.send(request.body(json!({ "link": link }).to_string())).await
    };
    let first = send("k", "https://example.com/").await.json();
    assert_eq!(send("k", "https://example.com/").await.json()["id"], first["id"]);
    let problem = send("k", "https://example.com/other").await.problem(422, "invalid_value");
    assert_eq!(problem["field"], "Idempotency-Key");
    send("two words", "https://example.com/").await.problem(422, "invalid_value");
    assert_eq!(api.get("/api/tasks").await.json()["total"], 1);
}

#[tokio::test]
async fn pages_follow_each_other() {
    let api = Api::new().await;
    for _ in 0..5 {
        api.task().await;
    }
    let (mut path, mut seen) = ("/api/tasks?limit=2".to_owned(), Vec::new());
    loop {
        let page = api.get(&path).await.json();
        assert_eq!(page["total"], 5);
        seen.extend(page["items"].as_array().unwrap().iter().map(|task| task["id"].as_i64().unwrap()));
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        path = format!("/api/tasks?limit=2&cursor={cursor}");
    }
    assert_eq!(seen, [5, 4, 3, 2, 1]);
    assert_eq!(api.get("/api/tasks?status=failed").await.json()["total"], 0);
    assert_eq!(api.get("/api/tasks?q=example.com&created_after=2020-01-01T00:00:00+08:00").await.json()["total"], 5);
}

#[tokio::test]
async fn tasks_are_counted_by_their_states() {
    let api = Api::new().await;
    for _ in 0..3 {
        api.task().await;
    }
    api.post("/api/tasks/1/cancel", "").await;
    complete(&api, TaskId(2)).await;
    let counts = api.get("/api/tasks/counts").await.json();
    let expected = json!({"queued": 1, "processing": 0, "completed": 1, "failed": 0, "cancelled": 1, "total": 3});
    assert_eq!(counts, expected);
    let total = async |query: &str| api.get(&format!("/api/tasks/counts?{query}")).await.json()["total"].clone();
    assert_eq!((total("workflow=transcribe").await, total("workflow=other").await), (json!(3), json!(0)));
    assert_eq!((total("q=example.com").await, total("q=hello").await), (json!(3), json!(1)));
    api.get("/api/tasks/counts?status=failed").await.problem(422, "unknown_field");
}

#[tokio::test]
async fn a_link_finds_the_task_that_was_made_of_it() {
    let api = Api::new().await;
    for link in ["https://example.com/video/730123", "https://example.com/video/7301234?x=%E5%8F%91", "https://a.b"] {
        let answer = api.post("/api/tasks", json!({ "link": link }).to_string()).await;
        assert_eq!(answer.status, 202, "{}", answer.text());
    }
    complete(&api, TaskId(2)).await;
    let found = async |query: &str| {
        let list = api.get(&format!("/api/tasks?{query}")).await.json();
        let ids: Vec<i64> = list["items"].as_array().unwrap().iter().map(|task| task["id"].as_i64().unwrap()).collect();
        assert_eq!(list["total"], ids.len());
        ids
    };
    assert_eq!(found("link=https://example.com/video/730123").await, [1]);
    assert_eq!(
        found("link=look%20https://EXAMPLE.com/video/7301234?x=%25E5%258F%2591%20here&status=completed").await,
        [2]
    );
    assert!(found("link=https://example.com/video/730123&status=completed").await.is_empty());
    assert!(found("link=https://example.com/video/73").await.is_empty());
    assert_eq!(found("link=https://a.b").await, [3]);
    assert!(found("link=upload:1").await.is_empty());
    assert_eq!(api.get("/api/tasks?link=nothing").await.problem(422, "invalid_link")["field"], "link");
}

#[tokio::test]
async fn many_links_become_many_tasks() {
    let api = Api::new().await;
    let text =
        "https://example.com/1 and https://example.com/2\n\nnothing here\nhttps://example.com/1\nhttp://127.0.0.1/";
    let answer = api.post("/api/tasks/batch", json!({ "text": text }).to_string()).await;
    assert_eq!(answer.status, 202);
    let taken = answer.json();
    assert_eq!(taken["accepted"].as_array().unwrap().len(), 2);
    let rejected = taken["rejected"].as_array().unwrap();
    assert_eq!((&rejected[0]["line"], &rejected[0]["error"]["code"]), (&json!(3), &json!("invalid_link")));
    assert_eq!((&rejected[1]["line"], &rejected[1]["error"]["code"]), (&json!(5), &json!("address_refused")));
    let wrong = json!({ "text": text, "options": { "beam_size": 99 } }).to_string();
    api.post("/api/tasks/batch", wrong).await.problem(422, "invalid_value");
    api.post("/api/tasks/batch", r#"{"text": " "}"#).await.problem(422, "invalid_link");
    api.post("/api/tasks/batch", "{}").await.problem(422, "invalid_value");
    api.post("/api/tasks/batch", json!({ "text": "x\n".repeat(501) }).to_string()).await.problem(422, "invalid_value");
}

#[tokio::test]
async fn waiting_ends_with_the_task_or_the_time() {
    let api = Api::new().await;
    let id = api.task().await;
    let waiting = api.get("/api/tasks/1?wait=60");
    let ending = async {
        // The waiter has looked once before this runs.
        tokio::task::yield_now().await;
        api.state.queue.cancel(id).await.unwrap();
    };
    let (answer, ()) = tokio::join!(waiting, ending);
    assert_eq!(answer.json()["status"], "cancelled");
    let id = api.task().await;
    assert_eq!(api.get(&format!("/api/tasks/{id}?wait=1")).await.json()["status"], "queued");
}

#[tokio::test]
async fn tasks_are_cancelled_tried_again_and_deleted() {
    let api = Api::new().await;
    api.task().await;
    assert_eq!(api.post("/api/tasks/1/cancel", "").await.json()["status"], "cancelled");
    assert_eq!(api.post("/api/tasks/1/cancel", "").await.status, 200);
    let answer = api.post("/api/tasks/1/retry", "").await;
    assert_eq!((answer.status.as_u16(), &answer.json()["status"]), (202, &json!("queued")));
    api.post("/api/tasks/1/retry", "").await.problem(409, "conflict");
    let delete = || Request::builder().method(Method::DELETE).uri_str("/api/tasks/1").finish();
    let answer = api.send(delete()).await;
    assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
    api.send(delete()).await.problem(404, "not_found");
    api.post("/api/tasks/1/cancel", "").await.problem(404, "not_found");
}

#[tokio::test]
async fn transcripts_come_as_files() {
    let api = Api::new().await;
    let id = api.task().await;
    api.get("/api/tasks/1/transcript").await.problem(409, "not_ready");
    complete(&api, id).await;
    let srt = api.get("/api/tasks/1/transcript?format=srt").await;
    assert_eq!(srt.header("content-type"), "application/x-subrip; charset=utf-8");
    assert_eq!(srt.header("content-disposition"), "inline; filename=\"task-1.srt\"");
    assert_eq!(srt.text(), "1\n00:00:00,500 --> 00:00:04,300\nHello.\n");
    assert_eq!(api.get("/api/tasks/1/transcript").await.json()["text"], "Hello.");
    let problem = api.get("/api/tasks/1/transcript?format=stl").await.problem(415, "unsupported_format");
    assert!(problem["hint"].as_str().unwrap().contains("json, txt, srt, vtt, tsv, lrc, md"));
    assert_eq!(api.get("/api/tasks/1").await.json()["result"], json!({"text": "Hello."}));
    assert!(api.get("/api/tasks").await.json()["items"][0]["result"].is_null());
}

#[tokio::test]
async fn a_transcript_can_be_read_before_what_comes_after_it() {
    let api = Api::new().await;
    let id = api.task().await;
    api.write(async move |tx| {
        let transcript = Transcript { text: "Hello.".to_owned(), ..Transcript::default() };
        let new = NewTranscript { options: json!({}), transcript, ..NewTranscript::default() };
        tx.insert_transcript(id, &new).await.unwrap();
        tx.set_task_transcribed(id, "en", &[]).await.unwrap();
    })
    .await;
    assert_eq!(api.get("/api/tasks/1/transcript").await.json()["text"], "Hello.");
    let task = api.get("/api/tasks").await.json()["items"][0].clone();
    assert_eq!((&task["status"], &task["language"]), (&json!("queued"), &json!("en")));
    assert_eq!(task["links"]["transcript"], "/api/tasks/1/transcript");
    let edit = || Request::builder().method(Method::PUT).uri_str("/api/tasks/1/transcript");
    let edit = || edit().content_type("application/json").body(r#"{"text": "Hallo."}"#);
    api.send(edit()).await.problem(409, "not_ready");
    // What fails after it takes nothing of it away.
    api.write(async move |tx| tx.end_task(id, TaskStatus::Failed, None, None).await.unwrap()).await;
    assert_eq!(api.get("/api/tasks/1/transcript?format=txt").await.text(), "Hello.\n");
    assert_eq!(api.send(edit()).await.status, 200);
}

#[tokio::test]
async fn deliveries_are_listed() {
    let api = Api::new().await;
    let id = api.task().await;
    api.write(async |tx| {
        let new = NewDelivery {
            id: "msg_1".to_owned(),
            task_id: id,
            url: "https://example.com/hook".to_owned(),
            event: "task.completed".to_owned(),
            body: "{}".to_owned(),
            secret: None,
        };
        tx.insert_delivery(new, 0).await.unwrap();
    })
    .await;
    let deliveries = api.get("/api/tasks/1/deliveries").await.json();
    assert_eq!((&deliveries["items"][0]["id"], &deliveries["items"][0]["state"]), (&json!("msg_1"), &json!("pending")));
    api.get("/api/tasks/9/deliveries").await.problem(404, "not_found");
}

/// Ends a task well, with a transcript.
pub(super) async fn complete(api: &Api, id: TaskId) {
    let segment = Segment { start: 0.5, end: 4.3, text: "Hello.".to_owned(), ..Segment::default() };
    let transcript = Transcript { text: "Hello.".to_owned(), segments: vec![segment], ..Transcript::default() };
    complete_with(api, id, transcript).await;
}

/// Ends a task well, with this transcript.
pub(super) async fn complete_with(api: &Api, id: TaskId, transcript: Transcript) {
    api.write(async move |tx| {
        let new = NewTranscript { options: json!({}), transcript, ..NewTranscript::default() };
        tx.insert_transcript(id, &new).await.unwrap();
        tx.end_task(id, TaskStatus::Completed, Some(&json!({"text": "Hello."})), None).await.unwrap();
        tx.add_event(id, "status", json!({"status": "completed"}));
    })
    .await;
    tokio::time::timeout(Duration::from_secs(10), api.get(&format!("/api/tasks/{id}?wait=60"))).await.unwrap();
}
