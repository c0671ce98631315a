//! SIGKILL between the steps of the first example: what has ended is not done again, and one callback arrives.

use serde_json::{Value, json};

use super::{CLIP, LlmServer, Receiver, SECRET, SUMMARY, Say, Site, WORDS, answer, given, sample_bytes, settings};
use crate::support::{Daemon, Event};

async fn send(request: reqwest::RequestBuilder, body: Value) -> Value {
    let answer = request.json(&body).send().await.unwrap();
    assert!(answer.status().is_success(), "{}", answer.text().await.unwrap());
    answer.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_is_not_done_again() {
    let (site, mut receiver) = (Site::start().await, Receiver::start().await);
    let llm = LlmServer::answering(answer).await;
    // The first question stays without an answer; the daemon dies while it waits.
    llm.say(Say::Hang);
    let mut daemon = Daemon::new(&settings(&llm, ""));
    daemon.start().await;
    let http = daemon.http.clone();
    let secret = json!({ "value": SECRET, "hosts": ["127.0.0.1"] });
    send(http.put(format!("{}/api/secrets/callback", daemon.url)), secret).await;
    // A step that waits stands between the summary and the callback, so that there is time to die there.
    let mut definition = given("summarise");
    definition["steps"]["notify"]["delay"] = json!("3s");
    send(http.post(format!("{}/api/workflows", daemon.url)), definition).await;
    site.file("/clip", "audio/flac", sample_bytes(CLIP));
    let link = site.page("/page", "<title>Boxes</title><audio src='clip'></audio>");
    let params = json!({ "link": link, "callback_url": receiver.url });
    let body = json!({ "workflow": "transcribe-summarise", "params": params });
    let task = send(http.post(format!("{}/api/tasks", daemon.url)), body).await;
    let id = task["id"].as_i64().unwrap();
    llm.asked_times(1).await;
    let seen = site.seen();
    daemon.kill().await;
    daemon.start().await;
    daemon.follow(id, |event| event.is_step("summary", "succeeded")).await.expect("the summary never ended");
    daemon.kill().await;
    daemon.start().await;

    let task = daemon.end(id).await;
    assert_eq!((&task["status"], &task["result"]), (&json!("completed"), &json!({ "summary": SUMMARY })), "{task}");
    assert_eq!(site.seen(), seen, "the media was asked for again");
    let asked = llm.asked();
    // Once before the first end, and once after it: never again when it was answered.
    assert_eq!(asked.iter().map(super::Asked::data).collect::<Vec<_>>(), [WORDS, WORDS]);
    assert_eq!(asked[0].idempotency_key, asked[1].idempotency_key);
    let callback = receiver.next().await;
    assert!(callback.verified);
    assert_eq!(callback.body["data"]["data"], json!({ "title": "Boxes", "summary": SUMMARY }));
    let events = daemon.follow(id, Event::is_end).await.expect("no end in the events");
    for step in ["source", "media", "text:extract", "text", "summary", "notify"] {
        let ends = events.iter().filter(|event| event.is_step(step, "succeeded")).count();
        assert_eq!(ends, 1, "step {step} has succeeded {ends} times");
    }
    assert!(daemon.stop().await, "the daemon did not stop cleanly");
    assert!(receiver.try_next().is_none(), "told twice");
}
