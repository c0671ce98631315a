//! Bodies and names that somebody means to do harm with.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use poem::{Body, Request, http::Method};
use serde_json::Value;

use super::{Answer, Api};
use crate::api::{body::STALL, parts::Incoming};

/// 44 to 47: too deep, a key twice, numbers and letters that are none.
fn broken() -> Vec<String> {
    let deep = |open: &str, close: &str| format!("{{\"params\": {}{}}}", open.repeat(100_000), close.repeat(100_000));
    let mut bodies = vec![deep("[", "]"), deep("{\"a\":", "}")];
    let short = [
        r#"{"params": {"a": 1, "a": 2}}"#,
        r#"{"params": {"a": NaN}}"#,
        r#"{"params": {"a": Infinity}}"#,
        r#"{"params": {"a": 1e999}}"#,
        r#"{"link": "\ud800"}"#,
        r#"{"link": "\udc00\ud800"}"#,
        r#"{"link": "a\u0000b"}"#,
        r#"{"params": {"\u0000": 1}}"#,
        "\u{feff}{}",
        "{} {}",
    ];
    bodies.extend(short.map(str::to_owned));
    bodies
}

#[tokio::test]
async fn json_that_is_none_is_refused_whatever_it_holds() {
    let api = Api::new().await;
    for body in broken() {
        let answer = api.post("/api/tasks", body.clone()).await;
        let start: String = body.chars().take(60).collect();
        assert_eq!(answer.json()["code"], "invalid_request", "{start}: {}", answer.text());
        assert_eq!(answer.status, 400, "{start}");
    }
    assert_eq!(api.get("/api/tasks").await.json()["total"], 0);
}

#[tokio::test]
async fn json_that_is_none_is_refused_in_each_shape() {
    let api = Api::new().await;
    for (path, sentence) in [
        ("/upload", "/detail"),
        ("/transcription", "/detail"),
        ("/asr", "/detail"),
        ("/transcribe/file", "/error"),
        ("/v1/audio/transcriptions", "/error/message"),
        ("/api/chatgpt/summary", "/detail/message"),
        ("/api/whisper/tasks/create", "/detail/message"),
        ("/transcribe", ""),
        ("/auth/token", ""),
    ] {
        for body in broken() {
            let answer = api.post(path, body.clone()).await;
            let case = format!("{path} {}: {}", body.chars().take(60).collect::<String>(), answer.text());
            assert_eq!(answer.status, 400, "{case}");
            let told = match sentence {
                "" => answer.text(),
                pointer => answer.json().pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned(),
            };
            // The login has a sentence of its own for every body that it cannot read.
            assert!(told.contains("JSON") || told.contains("Invalid request body"), "{case}");
        }
    }
    assert_eq!(api.get("/api/tasks").await.json()["total"], 0);
}

/// 41: what is measured is the whole body, so that neither one part nor many after one another may trickle.
#[tokio::test]
async fn texts_that_trickle_are_cut() {
    let api = Api::new().await;
    let part = |name: &str| format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nen\r\n");
    let body = format!("{}{}{}--B--\r\n", part("a"), part("b"), part("c"));
    let incoming =
        Incoming { content_type: "multipart/form-data; boundary=B".to_owned(), length: None, body: body.into() };
    let mut parts = incoming.parts(&api.state).await.unwrap();
    assert_eq!(parts.next().await.unwrap().unwrap().text(100).await.unwrap(), "en");
    parts.age(STALL / 2);
    assert_eq!(parts.next().await.unwrap().unwrap().text(100).await.unwrap(), "en");
    parts.age(STALL / 2);
    let error = parts.next().await.unwrap().unwrap().text(100).await.unwrap_err();
    assert!(error.detail.contains("more slowly"), "{}", error.detail);
}

/// A page's form has a field for a file and one for a link, and sends both.
#[tokio::test]
async fn a_form_without_a_file_may_have_a_link() {
    let api = Api::new().await;
    let send = async |name: &str, content: &str| {
        let body = format!(
            "--B\r\nContent-Disposition: form-data; name=\"file_upload\"; filename=\"{name}\"\r\n\
             Content-Type: application/octet-stream\r\n\r\n{content}\r\n--B\r\n\
             Content-Disposition: form-data; name=\"file_url\"\r\n\r\nhttps://example.com/a.mp3\r\n--B--\r\n"
        );
        let request = Request::builder().method(Method::POST).uri_str("/api/whisper/tasks/create");
        api.send(request.content_type("multipart/form-data; boundary=B").body(body)).await
    };
    let answer = send("", "").await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(api.get("/api/tasks/1").await.json()["link"], "https://example.com/a.mp3");
    assert_eq!(send("a.mp3", "").await.status, 422);
    assert_eq!(send("a.mp3", "ID3").await.status, 400);
    assert_eq!(api.get("/api/tasks").await.json()["total"], 1);
}

#[tokio::test]
async fn what_is_packed_is_not_unpacked() {
    let api = Api::new().await;
    let mut bomb = GzEncoder::new(Vec::new(), Compression::best());
    bomb.write_all(&vec![b' '; 16 * 1024 * 1024]).unwrap();
    let bomb = bomb.finish().unwrap();
    for coding in ["gzip", "zstd"] {
        let request = Request::builder().method(Method::POST).uri_str("/api/tasks").content_type("application/json");
        let answer = api.send(request.header("content-encoding", coding).body(bomb.clone())).await;
        answer.problem(400, "invalid_request");
    }
}

async fn upload(api: &Api, name: &[u8]) -> Answer {
    let mut body = b"--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".to_vec();
    body.extend_from_slice(name);
    body.extend_from_slice(b"\"\r\n\r\nRIFF\x04\0\0\0WAVE\r\n--B--\r\n");
    let request = Request::builder().method(Method::POST).uri_str("/api/tasks/upload");
    api.send(request.content_type("multipart/form-data; boundary=B").body(Body::from(body))).await
}

#[tokio::test]
async fn names_of_files_are_words_and_nothing_else() {
    let api = Api::new().await;
    let long = "a".repeat(300);
    for name in [
        "../../etc/x",
        "..\\\\..\\\\x",
        "/etc/passwd",
        "%2e%2e%2fx",
        "a\0b",
        "CON",
        &long,
        "\u{202e}3pm.exe",
        ".bashrc",
        "-i",
        "--",
        "|sh",
        "a\tb",
        "$(id)",
        "测试.mp3",
    ] {
        let answer = upload(&api, name.as_bytes()).await;
        assert!([202, 400].contains(&answer.status.as_u16()), "{name:?}: {}", answer.text());
        if answer.status == 202 {
            let link = answer.json()["link"].as_str().unwrap().to_owned();
            let (upload, _) = api.store().upload(link.strip_prefix("upload:").unwrap()).await.unwrap().unwrap();
            assert!(upload.file_name.chars().count() <= 255, "{name:?}");
            assert!(!upload.file_name.chars().any(char::is_control), "{name:?}: {:?}", upload.file_name);
        }
    }
    assert!([202, 400].contains(&upload(&api, b"\xff\xfe").await.status.as_u16()));
    let kept = api.files("data/media");
    assert_eq!(kept.len(), 1, "the same bytes are kept once, under their hash: {kept:?}");
    assert!(kept[0].split('.').next().is_some_and(|hash| hash.len() == 64), "{kept:?}");
    assert!(api.files("temp").is_empty());
}

#[tokio::test]
async fn names_in_paths_lead_nowhere() {
    let api = Api::new().await;
    api.task().await;
    for name in
        ["../../etc/x", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cx", "%00", "CON", "%2fetc%2fpasswd", ".hidden"]
    {
        for path in
            [format!("/api/tasks/1/files/{name}"), format!("/api/models/{name}"), format!("/api/uploads/{name}")]
        {
            let answer = api.get(&path).await;
            let problem: Value = answer.json();
            assert!([400, 404, 405, 422].contains(&answer.status.as_u16()), "{path}: {problem}");
            assert!(problem["code"].is_string(), "{path}: {problem}");
        }
    }
}
