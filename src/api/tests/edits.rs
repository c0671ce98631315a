//! Transcripts that people correct.

use poem::{Request, http::Method};
use serde_json::{Value, json};

use super::{Answer, Api, tasks::complete_with};
use crate::domain::{Segment, TaskId, Transcript, Word};

const PATH: &str = "/api/tasks/1/transcript";

impl Api {
    async fn edit(&self, if_match: Option<&str>, body: Value) -> Answer {
        let mut request = Request::builder().method(Method::PUT).uri_str(PATH).content_type("application/json");
        if let Some(tag) = if_match {
            request = request.header("if-match", tag);
        }
        self.send(request.body(body.to_string())).await
    }
}

async fn heard() -> Api {
    let api = Api::new().await;
    let id = api.task().await;
    api.edit(None, json!({"text": "x"})).await.problem(409, "not_ready");
    api.get(&format!("{PATH}/revisions")).await.problem(409, "not_ready");
    let word = Word { word: "Now.".to_owned(), start: 3.0, end: 4.0, probability: 0.5 };
    let transcript = Transcript {
        text: "Pleas send. Now.".to_owned(),
        language: "en".to_owned(),
        duration: 5.0,
        segments: vec![
            Segment { start: 0.5, end: 2.0, text: "Pleas send.".to_owned(), ..Segment::default() },
            Segment { id: 1, start: 3.0, end: 4.0, text: "Now.".to_owned(), words: vec![word], ..Segment::default() },
        ],
        ..Transcript::default()
    };
    complete_with(&api, id, transcript).await;
    api
}

#[tokio::test]
async fn an_edit_is_what_everyone_sees_and_the_original_stays() {
    let api = heard().await;
    assert_eq!(api.get(PATH).await.header("etag"), "\"1\"");
    let segments =
        json!([{"start": 0.5, "end": 2.0, "text": "Please send 頭髮."}, {"start": 3, "end": 4, "text": "Now."}]);
    let answer = api.edit(Some("\"1\""), json!({ "segments": segments })).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""), "{}", answer.text());
    let shown = api.get(PATH).await;
    assert_eq!(shown.json(), answer.json());
    assert_eq!(shown.json()["text"], "Please send 頭髮. Now.");
    assert_eq!(shown.json()["segments"][1]["words"][0]["word"], "Now.");
    let srt = api.get(&format!("{PATH}?format=srt")).await.text();
    assert!(srt.contains("Please send 頭髮."), "{srt}");
    for original in ["original", "1"] {
        assert_eq!(api.get(&format!("{PATH}?revision={original}")).await.json()["text"], "Pleas send. Now.");
    }
    // What was read can be sent back as it is.
    let read = json!({ "segments": api.get(PATH).await.json()["segments"] });
    assert_eq!(api.edit(None, read).await.json()["segments"], shown.json()["segments"]);
    let found = async |q: &str| api.get(&format!("/api/tasks?q={q}")).await.json()["total"].clone();
    assert_eq!((found("please").await, found("%E5%A4%B4%E5%8F%91").await), (json!(1), json!(1)));
    api.edit(None, json!({"text": "Another.\nText."})).await;
    assert_eq!((found("please").await, found("another").await), (json!(0), json!(1)));
    assert_eq!(api.get(&format!("{PATH}?revision=2&format=txt")).await.text(), "Please send 頭髮.\nNow.\n");
    assert_eq!(api.get(&format!("{PATH}?revision=4")).await.header("etag"), "\"4\"");
    api.get(&format!("{PATH}?revision=5")).await.problem(404, "not_found");
    for wrong in ["0", "x", "-1"] {
        let problem = api.get(&format!("{PATH}?revision={wrong}")).await.problem(422, "invalid_value");
        assert_eq!(problem["field"], "revision");
    }
}

#[tokio::test]
async fn an_edit_of_something_old_is_a_conflict() {
    let api = heard().await;
    assert_eq!(api.edit(Some("\"1\""), json!({"text": "a\nb"})).await.status, 200);
    api.edit(Some("\"1\""), json!({"text": "c\nd"})).await.problem(409, "conflict");
    assert_eq!(api.get(PATH).await.json()["text"], "a b");
    // What was read packed has a weak tag.
    for met in ["\"7\", \"2\"", "*", "W/\"4\""] {
        assert_eq!(api.edit(Some(met), json!({"text": "e"})).await.status, 200);
    }
}

#[tokio::test]
async fn what_is_no_transcript_is_refused() {
    let api = heard().await;
    for (body, code, field) in [
        (json!({}), "invalid_value", "segments"),
        (json!({"text": "x", "segments": []}), "invalid_value", "segments"),
        (json!({"segments": [{"start": 0, "end": 9, "text": "x"}]}), "invalid_value", "segments"),
        (json!({"segments": [{"start": 2, "end": 1, "text": "x"}]}), "invalid_value", "segments"),
        (json!({"segments": [{"start": 0, "end": 1, "text": ""}]}), "invalid_value", "segments"),
        (json!({"segments": [{"start": 0, "end": 1, "txt": "x"}]}), "invalid_value", "segments"),
        (json!({"segments": "x"}), "invalid_value", "segments"),
    ] {
        let problem = api.edit(None, body.clone()).await.problem(422, code);
        assert!(problem["field"].as_str().unwrap().contains(field), "{body}: {problem}");
    }
    assert_eq!(api.get(PATH).await.header("etag"), "\"1\"");
}

#[tokio::test]
async fn some_edits_are_kept_and_none_is_used_for_other_tasks() {
    let api = heard().await;
    for number in 2..54 {
        let answer = api.edit(None, json!({"text": format!("edit{number}")})).await;
        assert_eq!(answer.header("etag"), format!("\"{number}\""));
    }
    let listed = api.get(&format!("{PATH}/revisions")).await.json();
    let listed = listed["items"].as_array().unwrap();
    assert_eq!(listed.len(), 51);
    let of = |line: &Value| (line["revision"].as_u64().unwrap(), line["origin"].as_str().unwrap().to_owned());
    assert_eq!(of(&listed[0]), (53, "edit".to_owned()));
    assert_eq!(of(&listed[50]), (1, "recognised".to_owned()));
    assert!(listed.windows(2).all(|pair| of(&pair[0]).0 > of(&pair[1]).0), "{listed:?}");
    for line in &listed[..50] {
        let number = of(line).0;
        let read = api.get(&format!("{PATH}?revision={number}")).await;
        assert_eq!(read.json()["text"], format!("edit{number}"));
    }
    let gone = (2..54).find(|number| listed.iter().all(|line| of(line).0 != *number)).unwrap();
    api.get(&format!("{PATH}?revision={gone}")).await.problem(404, "not_found");
    assert_eq!(api.get(&format!("{PATH}?revision=1")).await.json()["text"], "Pleas send. Now.");
    let original = api.store().revision_of(TaskId(1), Some(1)).await.unwrap().unwrap();
    let copy = api.store().transcript_to_copy(original.id).await.unwrap().unwrap();
    assert_eq!(copy.transcript.text, "Pleas send. Now.");
}

#[tokio::test]
async fn the_words_of_many_hours_fit_in() {
    let api = heard().await;
    let text = vec!["word ".repeat(1_900); 150].join("\n");
    assert!(text.len() > 1024 * 1024);
    let answer = api.edit(None, json!({ "text": text })).await;
    assert_eq!((answer.status.as_u16(), answer.header("etag")), (200, "\"2\""));
    assert_eq!(answer.json()["segments"].as_array().unwrap().len(), 150);
}
