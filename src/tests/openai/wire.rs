//! Requests as they are on the wire: parts in any order, bodies without a length, JSON, links, repeated requests.

use futures_util::stream;
use reqwest::{Body, Response};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::support::{Reply, Site, TestApp, sample_bytes};

const CLIP: &str = "en-known-04.flac";
const WORDS: &str = "The music is near the long box.";
const PATH: &str = "/v1/audio/transcriptions";
const BOUNDARY: &str = "openai-wire-test";

/// A part: its name, whether it is a file, its bytes.
type Part<'a> = (&'a str, bool, &'a [u8]);

fn file(bytes: &[u8]) -> Part<'_> {
    ("file", true, bytes)
}

fn text<'a>(name: &'a str, value: &'a str) -> Part<'a> {
    (name, false, value.as_bytes())
}

fn multipart(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, is_file, bytes) in parts {
        let file = if *is_file { "; filename=\"upload\"\r\nContent-Type: application/octet-stream" } else { "" };
        body.extend(
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").into_bytes(),
        );
        body.extend_from_slice(bytes);
        body.extend_from_slice(b"\r\n");
    }
    body.extend(format!("--{BOUNDARY}--\r\n").into_bytes());
    body
}

/// Sends parts, with a length or in chunks, saying how often they were sent before.
async fn send(app: &TestApp, path: &str, parts: &[Part<'_>], is_chunked: bool, retries: &str) -> Response {
    let body = multipart(parts);
    let body = if is_chunked {
        let pieces: Vec<_> = body.chunks(1_000).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
        Body::wrap_stream(stream::iter(pieces))
    } else {
        body.into()
    };
    let request = app.http.post(format!("{}{path}", app.url)).header("x-stainless-retry-count", retries);
    let kind = format!("multipart/form-data; boundary={BOUNDARY}");
    request.header("content-type", kind).header("accept", "application/json").body(body).send().await.unwrap()
}

async fn ask(app: &TestApp, parts: &[Part<'_>]) -> Response {
    send(app, PATH, parts, false, "0").await
}

fn header(answer: &Response, name: &str) -> String {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned()).unwrap_or_default()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_file_may_stand_anywhere_and_have_no_length() {
    let app = TestApp::start().await;
    let clip = sample_bytes(CLIP);
    let granularity = text("timestamp_granularities[]", "word");
    let verbose = text("response_format", "verbose_json");
    for (path, parts, is_chunked) in [
        (PATH, vec![file(&clip), text("model", "whisper-1")], true),
        (PATH, vec![text("model", "whisper-1"), text("prompt", ""), file(&clip)], false),
        (
            "/audio/transcriptions",
            vec![verbose, granularity, file(&clip), text("model", "Systran/faster-whisper-smoke")],
            true,
        ),
        (PATH, vec![file(&clip), text("stream", "false"), text("nobody_knows", "x")], false),
    ] {
        let answer = send(&app, path, &parts, is_chunked, "0").await;
        assert_eq!((answer.status().as_u16(), header(&answer, "content-type").as_str()), (200, "application/json"));
        let (task, request) = (header(&answer, "x-task-id"), header(&answer, "x-request-id"));
        assert!(!request.is_empty() && header(&answer, "x-should-retry").is_empty(), "{request}");
        let body: Value = answer.json().await.unwrap();
        assert_eq!(body["text"], WORDS, "{body}");
        assert_eq!(app.get(&format!("/api/tasks/{task}")).await.1["priority"], "high");
    }
    let (status, models) = app.get("/models").await;
    assert_eq!((status, &models["success"], &models["default"]), (200, &json!(true), &json!("smoke-q8_0")));
    assert!(models["models"].as_array().unwrap().iter().any(|model| model["name"] == "smoke-q8_0"), "{models}");
    assert_eq!(app.get("/v1/models").await.1["object"], models["object"]);
    assert_eq!(app.get("/models/smoke").await.1["id"], "smoke");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_the_shape_that_clients_read() {
    let app = TestApp::start().await;
    let clip = sample_bytes(CLIP);
    let cut = sample_bytes("clip.mp4")[..3_000].to_vec();
    for (parts, code, param) in [
        (vec![text("model", "whisper-1")], "invalid_request", "file"),
        (vec![file(&clip), text("url", "https://example.com/a.mp3")], "invalid_request", "url"),
        (vec![text("url", "no link")], "invalid_link", "url"),
        (vec![file(&cut), text("model", "whisper-1")], "truncated", "file"),
        (vec![file(&clip), text("zh_variant", "klingon")], "invalid_value", "zh_variant"),
        (vec![file(&clip), text("language", "klingon")], "invalid_value", "language"),
        (vec![file(&clip), text("response_format", "diarized_json")], "diarization_unavailable", "response_format"),
    ] {
        let answer = ask(&app, &parts).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-should-retry").as_str()), (400, "false"), "{code}");
        assert_eq!(header(&answer, "content-type"), "application/json");
        let body: Value = answer.json().await.unwrap();
        let error = &body["error"];
        assert_eq!((&error["code"], &error["param"]), (&json!(code), &json!(param)), "{body}");
        assert_eq!((&error["type"], body.as_object().unwrap().len()), (&json!("invalid_request_error"), 1), "{body}");
    }
    for (method, path, status, code) in [
        ("GET", PATH, 405, "method_not_allowed"),
        ("GET", "/v1/audio/speech", 404, "not_found"),
        ("GET", "/models/none", 404, "model_not_found"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
    ] {
        let request = app.http.request(method.parse().unwrap(), format!("{}{path}", app.url));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        assert_eq!(answer.json::<Value>().await.unwrap()["error"]["code"], code, "{method} {path}");
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_has_the_events_of_the_contract_and_no_others() {
    let app = TestApp::start().await;
    let clip = sample_bytes("zh-known-13.wav");
    let parts = [
        file(&clip),
        text("stream", "true"),
        text("response_format", "srt"),
        text("language", "zh"),
        text("zh_variant", "tw"),
    ];
    let answer = ask(&app, &parts).await;
    assert_eq!((answer.status().as_u16(), header(&answer, "content-type").as_str()), (200, "text/event-stream"));
    assert!(!header(&answer, "x-task-id").is_empty() && !header(&answer, "x-request-id").is_empty());
    let body = answer.text().await.unwrap();
    assert!(body.ends_with("\n\n"), "{body:?}");
    let frames: Vec<&str> = body.split("\n\n").filter(|frame| !frame.is_empty() && !frame.starts_with(':')).collect();
    let events: Vec<Value> =
        frames.iter().map(|frame| serde_json::from_str(frame.strip_prefix("data: ").unwrap()).unwrap()).collect();
    let (done, before) = events.split_last().unwrap();
    assert!(before.iter().all(|event| event["type"] == "transcript.text.delta"), "{body}");
    let told: String = before.iter().map(|event| event["delta"].as_str().unwrap()).collect();
    assert_eq!((before.len(), told.as_str()), (2, "那個圖片很大。他們明天要語言。"));
    assert_eq!((&done["type"], &done["text"]), (&json!("transcript.text.done"), &json!(told)));
    assert_eq!((&done["languages"], &done["usage"]["type"]), (&json!([{"code": "zh"}]), &json!("duration")));

    let silence = sample_bytes("silence.wav");
    let body = ask(&app, &[file(&silence), text("stream", "1")]).await.text().await.unwrap();
    assert!(body.contains("\"delta\":\"\"") && body.contains("transcript.text.done"), "{body}");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_sent_again_gets_the_task_of_the_first() {
    let (app, site) = (TestApp::start().await, Site::start().await);
    let (gate, opened) = watch::channel(false);
    let clip = Reply::Body("audio/flac", sample_bytes(CLIP));
    let link = site.put("/clip.flac", Reply::Gated(opened, Box::new(clip)));
    let parts = [text("model", "whisper-1"), text("url", &link)];
    let first = app.http.post(format!("{}{PATH}", app.url)).json(&json!({"model": "whisper-1", "url": link})).send();
    tokio::select! {
        _ = first => panic!("the gate is closed"),
        () = site.asked_for("/clip.flac") => {}
    }
    // That client has gone; its task goes on. Another one loses its connection, and comes again while its task runs.
    let again = async {
        app.until(2, |task| task["status"] == "processing").await;
        let again = send(&app, PATH, &parts, true, "1");
        tokio::join!(again, async { gate.send_replace(true) }).0
    };
    let (first, again) = tokio::join!(send(&app, PATH, &parts, false, "0"), again);
    assert_eq!((header(&first, "x-task-id"), header(&again, "x-task-id")), ("2".to_owned(), "2".to_owned()));
    assert_eq!(again.json::<Value>().await.unwrap()["text"], WORDS);
    assert_eq!(app.end(1).await["status"], "completed");

    let clip = sample_bytes(CLIP);
    let parts = [file(&clip), text("model", "whisper-1")];
    let mut tasks = Vec::new();
    for retries in ["0", "1", "2", "0"] {
        tasks.push(header(&send(&app, PATH, &parts, false, retries).await, "x-task-id"));
    }
    assert_eq!(tasks, ["3", "3", "3", "4"]);
    let other = [file(&clip), text("model", "whisper-1"), text("language", "en")];
    assert_eq!(header(&send(&app, PATH, &other, false, "1").await, "x-task-id"), "5");
    app.finish().await;
}
