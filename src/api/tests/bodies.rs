//! Bodies and names that somebody means to do harm with.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use poem::{Body, Request, http::Method};
use serde_json::Value;

use super::{Answer, Api};

#[tokio::test]
async fn json_that_is_none_is_refused_whatever_it_holds() {
    let api = Api::new().await;
    let deep = |open: &str, close: &str| format!("{{\"params\": {}{}}}", open.repeat(100_000), close.repeat(100_000));
    for body in [
        deep("[", "]"),
        deep("{\"a\":", "}"),
        r#"{"params": {"a": 1, "a": 2}}"#.to_owned(),
        r#"{"params": {"a": NaN}}"#.to_owned(),
        r#"{"params": {"a": Infinity}}"#.to_owned(),
        r#"{"params": {"a": 1e999}}"#.to_owned(),
        r#"{"link": "\ud800"}"#.to_owned(),
        r#"{"link": "\udc00\ud800"}"#.to_owned(),
        r#"{"link": "a\u0000b"}"#.to_owned(),
        r#"{"params": {"\u0000": 1}}"#.to_owned(),
        "\u{feff}{}".to_owned(),
        "{} {}".to_owned(),
    ] {
        let answer = api.post("/api/tasks", body.clone()).await;
        let start: String = body.chars().take(60).collect();
        assert_eq!(answer.json()["code"], "invalid_request", "{start}: {}", answer.text());
        assert_eq!(answer.status, 400, "{start}");
    }
    assert_eq!(api.get("/api/tasks").await.json()["total"], 0);
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
