//! Uploads straight to the disk.

use poem::{Body, Request, http::Method};
use serde_json::json;

use super::{Answer, Api};

/// One part of a multipart body: name, file name, content.
type Part<'a> = (&'a str, Option<&'a str>, &'a [u8]);

fn multipart(parts: &[Part<'_>]) -> Vec<u8> {
    let mut body = Vec::new();
    for (name, file, content) in parts {
        let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
        body.extend(format!("--B\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n").bytes());
        body.extend_from_slice(content);
        body.extend(b"\r\n");
    }
    body.extend(b"--B--\r\n");
    body
}

async fn send(api: &Api, body: impl Into<Body>, headers: &[(&str, &str)]) -> Answer {
    let start = Request::builder().method(Method::POST).uri_str("/api/tasks/upload");
    let start = start.header("content-type", "multipart/form-data; boundary=B");
    api.send(headers.iter().fold(start, |request, (name, value)| request.header(*name, *value)).body(body)).await
}

const WAV: &[u8] = b"RIFF\x24\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x80\x3e\x00\x00\x00\x7d\x00\x00\x02\x00\x10\x00data\x00\x00\x00\x00";

#[tokio::test]
async fn a_file_becomes_a_task_and_goes_with_it() {
    let api = Api::new().await;
    let parts: [Part<'_>; 4] = [
        ("priority", None, b"low"),
        ("file", Some("../../a\u{202E}b.wav"), WAV),
        ("options", None, br#"{"language": "zh"}"#),
        ("callback_url", None, b""),
    ];
    let answer = send(&api, multipart(&parts), &[]).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let task = answer.json();
    assert_eq!((&task["priority"], &task["options"]), (&json!("low"), &json!({"language": "zh"})));
    let id = task["link"].as_str().unwrap().strip_prefix("upload:").unwrap().to_owned();
    let (upload, _) = api.store().upload(&id).await.unwrap().unwrap();
    assert_eq!((upload.size, upload.file_name.as_str()), (WAV.len() as i64, "../../a\u{202E}b.wav"));
    assert_eq!((api.files("data/media").len(), api.files("temp").len()), (1, 0));

    // The same upload in a second task keeps it alive.
    let again = api.post("/api/tasks", json!({ "upload_id": id }).to_string()).await;
    assert_eq!(again.json()["link"], task["link"]);
    for (task, left) in [(1, 1), (2, 0)] {
        let delete = Request::builder().method(Method::DELETE).uri_str(format!("/api/tasks/{task}")).finish();
        assert_eq!(api.send(delete).await.status, 204);
        assert_eq!(api.files("data/media").len(), left);
    }
    assert!(api.store().upload(&id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_repeated_upload_is_kept_once() {
    let api = Api::new().await;
    let body = || multipart(&[("file", Some("a.wav"), WAV)]);
    let first = send(&api, body(), &[("idempotency-key", "k")]).await.json();
    assert_eq!(send(&api, body(), &[("idempotency-key", "k")]).await.json()["id"], first["id"]);
    let other = multipart(&[("file", Some("a.wav"), b"other bytes")]);
    send(&api, other, &[("idempotency-key", "k")]).await.problem(422, "invalid_value");
    assert_eq!(api.files("data/media").len(), 1);
}

#[tokio::test]
async fn nothing_is_left_of_what_is_refused() {
    let api = Api::with(|config| config.uploads.max_bytes = 1000).await;
    let file = |content: &'static [u8]| ("file", Some("a.wav"), content);
    let cut = &multipart(&[file(&[7; 500])])[..400];
    let large = vec![7; 1001];
    let long = vec![b'x'; 40_000];
    for (body, status, code) in [
        (multipart(&[file(b"")]), 422, "empty_media"),
        (multipart(&[("file", Some("a"), &large)]), 413, "too_large"),
        (multipart(&[]), 400, "invalid_request"),
        (multipart(&[("workflow", None, b"transcribe")]), 400, "invalid_request"),
        (multipart(&[file(WAV), file(WAV)]), 400, "invalid_request"),
        (multipart(&[file(WAV), ("link", None, b"https://example.com/")]), 422, "unknown_field"),
        (multipart(&[file(WAV), ("options", None, b"{")]), 400, "invalid_request"),
        (multipart(&[file(WAV), ("options", None, b"[]")]), 422, "invalid_value"),
        (multipart(&[file(WAV), ("options", None, br#"{"beam_size": 99}"#)]), 422, "invalid_value"),
        (multipart(&[file(WAV), ("priority", None, b"urgent")]), 422, "invalid_value"),
        (multipart(&[file(WAV), ("priority", None, b"low"), ("priority", None, b"low")]), 400, "invalid_request"),
        (multipart(&[file(WAV), ("workflow", None, b"none")]), 404, "unknown_workflow"),
        (multipart(&[file(WAV), ("workflow", None, &long)]), 413, "too_large"),
        (cut.to_vec(), 400, "invalid_request"),
        (b"nonsense".to_vec(), 400, "invalid_request"),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(200)]).into_owned();
        let answer = send(&api, body, &[]).await;
        assert_eq!(answer.status, status, "{shown}: {}", answer.text());
        answer.problem(status, code);
    }
    send(&api, "", &[("content-length", "9999999999")]).await.problem(413, "too_large");
    // A part's head without an end is refused long before it fills the memory.
    let endless = futures_util::stream::iter(
        (0..).map(|n| Ok::<_, std::io::Error>(if n == 0 { b"--B\r\nX: ".to_vec() } else { vec![b'a'; 10_000] })),
    );
    send(&api, Body::from_bytes_stream(endless), &[]).await.problem(400, "invalid_request");
    assert_eq!(api.files("data/media").len() + api.files("temp").len(), 0);
    assert_eq!(api.get("/api/tasks").await.json()["total"], 0);
    let json = Request::builder().method(Method::POST).uri_str("/api/tasks/upload").content_type("application/json");
    api.send(json.body("{}")).await.problem(415, "unsupported_format");
}

#[tokio::test]
async fn a_long_file_passes_in_pieces() {
    let api = Api::new().await;
    let size = 5 * 1024 * 1024;
    let mut file: Vec<u8> = (0..size).map(|n: u32| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    file[1000..1010].copy_from_slice(b"\r\n--A-\r\n--");
    let body = multipart(&[("file", Some("a"), &file)]);
    let pieces: Vec<Vec<u8>> = body.chunks(7919).map(<[u8]>::to_vec).collect();
    let stream = futures_util::stream::iter(pieces.into_iter().map(Ok::<_, std::io::Error>));
    let answer = send(&api, Body::from_bytes_stream(stream), &[]).await;
    assert_eq!(answer.status, 202, "{}", answer.text());
    let id = answer.json()["link"].as_str().unwrap().replace("upload:", "");
    let (upload, _) = api.store().upload(&id).await.unwrap().unwrap();
    assert_eq!((upload.size, upload.sha256), (i64::from(size), crate::api::content::sha256(&file)));
}
