//! OpenAI's routes over tasks that the test moves by hand.

use futures_util::StreamExt;

use super::*;
use crate::domain::Segment;

const BODY: &str = "--b\r\nContent-Disposition: form-data; name=\"stream\"\r\n\r\nSTREAM\r\n\
    --b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\nsound\r\n--b--\r\n";

async fn api() -> Api {
    Api::with(|config| {
        config.models.dir = concat!(env!("CARGO_MANIFEST_DIR"), "/models").into();
        config.models.default = "smoke".to_owned();
    })
    .await
}

fn request(stream: &str) -> Request {
    let request = Request::builder().method(Method::POST).uri_str("/v1/audio/transcriptions");
    request.content_type("multipart/form-data; boundary=b").body(BODY.replace("STREAM", stream))
}

impl Api {
    /// Waits until the first task is there.
    async fn first(&self) -> TaskId {
        let mut events = self.state.queue.wake().events();
        while self.store().task(TaskId(1)).await.unwrap().is_none() {
            events.changed().await.unwrap();
        }
        TaskId(1)
    }
}

#[tokio::test]
async fn a_stream_that_has_begun_ends_with_its_error() {
    let api = api().await;
    let said = async {
        let id = api.first().await;
        let segment = Segment { text: "One.".to_owned(), ..Segment::default() };
        api.write(async |tx| {
            tx.add_event(id, "segment", json!({ "step": "text", "segment": segment }));
        })
        .await;
    };
    let (response, ()) = tokio::join!(api.call(request("true")), said);
    assert_eq!((response.status().as_u16(), response.header("x-task-id")), (200, Some("1")));
    let mut body = response.into_body().into_bytes_stream();
    let mut next = async || body.next().await.map(|bytes| String::from_utf8(bytes.unwrap().to_vec()).unwrap());
    let first = next().await.unwrap();
    assert_eq!(first, "data: {\"type\":\"transcript.text.delta\",\"delta\":\"One.\"}\n\n");
    api.state.queue.cancel(TaskId(1)).await.unwrap();
    let last = next().await.unwrap();
    let error: Value = serde_json::from_str(last.strip_prefix("data: ").unwrap().trim_end()).unwrap();
    assert_eq!(
        (&error["error"]["code"], &error["error"]["type"]),
        (&json!("conflict"), &json!("invalid_request_error"))
    );
    assert!(last.ends_with("\n\n") && next().await.is_none());
}

#[tokio::test]
async fn what_fails_before_the_first_words_has_a_status() {
    for stream in ["true", "false"] {
        let api = api().await;
        let cancelled = async { api.state.queue.cancel(api.first().await).await.unwrap() };
        let (answer, ()) = tokio::join!(api.send(request(stream)), cancelled);
        assert_eq!((answer.status.as_u16(), answer.header("x-should-retry")), (409, "false"), "{stream}");
        assert_eq!(answer.json()["error"]["code"], "conflict");
    }
}

#[tokio::test]
async fn a_model_that_is_being_fetched_is_worth_another_try() {
    let api = Api::with(|config| {
        config.models.dir = config.paths.data.join("models");
        std::fs::create_dir_all(&config.models.dir).unwrap();
        config.models.default = "tiny".to_owned();
    })
    .await;
    let missing = api.send(request("false")).await;
    assert_eq!((missing.status.as_u16(), missing.header("x-should-retry")), (503, "false"), "{}", missing.text());
    assert_eq!(missing.json()["error"]["code"], "model_missing");
    api.state.pulls.start("tiny").unwrap();
    let coming = api.send(request("false")).await;
    assert_eq!((coming.status.as_u16(), coming.header("retry-after")), (503, "30"), "{}", coming.text());
    assert_eq!(coming.header("x-should-retry"), "");
    api.state.pulls.cancel("tiny").await.unwrap();
    assert_eq!(api.get("/api/tasks").await.json()["total"], 0);
    assert_eq!(api.files("temp"), Vec::<String>::new(), "the files of refused requests are gone");
}
