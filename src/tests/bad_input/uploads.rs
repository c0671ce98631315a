//! Uploads that are refused, or hold nothing that can be heard.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    super::support::{TestApp, sample_bytes, walk},
    MARKER, check_problem, check_words, refused,
};

const MAX: usize = 200_000;

async fn small() -> TestApp {
    TestApp::with(&format!("uploads.max_bytes = {MAX}")).await
}

/// Nothing is left of what was sent.
#[track_caller]
fn nothing_left(app: &TestApp, case: &str) {
    for folder in ["temp", "data/media"] {
        let left = walk(&app.folder().join(folder));
        assert!(left.is_empty(), "{case} leaves {left:?}");
    }
}

/// Sends bytes as they are and reads the answer as soon as it comes, while the request is perhaps not complete.
async fn raw(app: &TestApp, request: &[u8]) -> (u16, Value) {
    let address: SocketAddr = app.url.trim_start_matches("http://").parse().unwrap();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut reader, mut writer) = stream.split();
    let mut answer = String::new();
    let mut buffer = [0; 4096];
    let read = async {
        loop {
            let count = reader.read(&mut buffer).await.expect("the connection broke off before the answer was read");
            answer.push_str(std::str::from_utf8(&buffer[..count]).unwrap());
            let body = answer.split_once("\r\n\r\n").map(|(_, body)| body.to_owned());
            if let Some(body) = body.and_then(|body| serde_json::from_str::<Value>(&body).ok()) {
                return body;
            }
            assert!(count > 0, "no whole answer: {answer}");
        }
    };
    let write = async {
        // The other side may stop listening once it has answered.
        let _ = writer.write_all(request).await;
        std::future::pending::<()>().await;
    };
    let body = tokio::time::timeout(std::time::Duration::from_secs(20), async {
        tokio::select! {
            body = read => body,
            () = write => unreachable!(),
        }
    });
    let body = body.await.expect("no answer while the request is not complete");
    (answer.split(' ').nth(1).unwrap().parse().unwrap(), body)
}

const HEAD: &str =
    "POST /api/tasks/upload HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: multipart/form-data; boundary=X\r\n";
const PART: &str = "--X\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.mp3\"\r\n\r\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_is_too_large_is_refused_as_early_as_can_be_known() {
    let app = small().await;
    // The head alone says it: not a byte of the body is needed.
    let head = format!("{HEAD}Content-Length: {}\r\n\r\n", 4 * 1024 * 1024);
    check_problem("by its head", &raw(&app, head.as_bytes()).await, (413, "too_large"));
    nothing_left(&app, "by its head");
    // Without a length, the bytes are counted; the body never ends.
    let mut endless = format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    let mut first = PART.as_bytes().to_vec();
    first.resize(first.len() + 16 * 1024, b'x');
    for piece in std::iter::once(first).chain(std::iter::repeat_n(vec![b'x'; 16 * 1024], 16)) {
        endless.extend(format!("{:x}\r\n", piece.len()).into_bytes());
        endless.extend(piece);
        endless.extend(b"\r\n");
    }
    check_problem("by its bytes", &raw(&app, &endless).await, (413, "too_large"));
    // A file just above the limit in a body whose length is still allowed.
    let answer = app.upload("a.mp3", vec![b'x'; MAX + 1], &[]).await;
    check_problem("just above", &answer, (413, "too_large"));
    nothing_left(&app, "just above");
    assert_eq!(app.get("/api/tasks").await.1["total"], 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn uploads_that_make_no_sense_leave_nothing() {
    let app = small().await;
    let clip = || sample_bytes("en-known-04.flac");
    for (fields, status, code) in [
        ([("options", "{\"langauge\": \"en\"}")], 422, "unknown_field"),
        ([("options", "{\"beam_size\": 0}")], 422, "invalid_value"),
        ([("options", "{\"model\": \"smalll\"}")], 422, "unknown_model"),
        ([("options", "{half")], 400, "invalid_request"),
        ([("options", "[]")], 422, "invalid_value"),
        ([("workflow", "transcibe")], 404, "unknown_workflow"),
        ([("priority", "urgent")], 422, "invalid_value"),
        ([("callback_url", "http://10.0.0.1/")], 403, "address_refused"),
        ([("lnik", "x")], 422, "unknown_field"),
        ([("link", "https://example.com/a.mp3")], 422, "unknown_field"),
        ([("file", "x")], 400, "invalid_request"),
    ] {
        let case = format!("{fields:?}");
        check_problem(&case, &app.upload("a.flac", clip(), &fields).await, (status, code));
        nothing_left(&app, &case);
    }
    check_problem("zero bytes", &app.upload("a.mp3", Vec::new(), &[]).await, (422, "empty_media"));
    let twice = [("options", "{}"), ("options", "{}")];
    check_problem("a field twice", &app.upload("a.flac", clip(), &twice).await, (400, "invalid_request"));
    let post = |kind: &str, body: String| {
        let request = app.http.post(format!("{}/api/tasks/upload", app.url)).header("content-type", kind);
        refused(request.body(body))
    };
    let form = "multipart/form-data; boundary=X";
    check_problem("JSON", &post("application/json", "{}".to_owned()).await, (415, "unsupported_format"));
    check_problem("no boundary", &post("multipart/form-data", PART.to_owned()).await, (400, "invalid_request"));
    check_problem("nothing", &post(form, String::new()).await, (400, "invalid_request"));
    check_problem("no end", &post(form, format!("{PART}{MARKER}")).await, (400, "invalid_request"));
    let unnamed = "--X\r\nContent-Disposition: form-data\r\n\r\nx\r\n--X--\r\n".to_owned();
    check_problem("no name", &post(form, unnamed).await, (400, "invalid_request"));
    let no_file = "--X\r\nContent-Disposition: form-data; name=\"workflow\"\r\n\r\ntranscribe\r\n--X--\r\n".to_owned();
    check_problem("no file", &post(form, no_file).await, (400, "invalid_request"));
    nothing_left(&app, "a broken form");
    assert_eq!(app.get("/api/tasks").await.1["total"], 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn files_that_hold_no_sound_fail_with_the_reason() {
    let app = small().await;
    let film = sample_bytes("en-new-10.m4a");
    let wave = sample_bytes("en-known-12.wav");
    let list = "#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n";
    let mut tasks = Vec::new();
    for (name, bytes, code) in [
        ("words.mp3", format!("{MARKER} and more words").into_bytes(), "not_media"),
        ("page.mp4", format!("<!doctype html><p>{MARKER}</p>").into_bytes(), "not_media"),
        ("list.mp4", list.as_bytes().to_vec(), "not_media"),
        ("concat.mp3", format!("ffconcat version 1.0\nfile /etc/passwd\n# {MARKER}").into_bytes(), "not_media"),
        ("one.mp3", vec![0], "not_media"),
        ("half.m4a", film[..film.len() / 3].to_vec(), "truncated"),
        ("head.wav", wave[..30].to_vec(), "truncated"),
        ("../../etc/passwd", MARKER.as_bytes().to_vec(), "not_media"),
    ] {
        let (status, task) = app.upload(name, bytes, &[]).await;
        assert_eq!(status, 202, "{name}: {task}");
        tasks.push((task["id"].as_i64().unwrap(), name, code));
    }
    for (id, name, code) in &tasks {
        let task = app.end(*id).await;
        assert_eq!(
            (task["status"].as_str(), task["error"]["code"].as_str()),
            (Some("failed"), Some(*code)),
            "{name}: {task}"
        );
        check_words(name, &task["error"]);
        assert!(!task.to_string().contains(MARKER), "{name}: {task}");
        let failed = task["steps"].as_array().unwrap().iter().find(|step| step["state"] == "failed").unwrap();
        assert_eq!(failed["attempt"], 1, "{name} was tried again though nothing could change: {task}");
        let problem = app.get(&format!("/api/tasks/{id}/transcript")).await;
        check_problem(name, &problem, (409, "not_ready"));
    }
    assert!(walk(&app.folder().join("temp")).is_empty());
    for (id, ..) in &tasks {
        assert_eq!(app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    nothing_left(&app, "a failed upload that was deleted");
    app.finish().await;
}

/// Security list, 64: a page that is also a clip is saved by browsers, never shown.
#[tokio::test(flavor = "multi_thread")]
async fn a_clip_that_is_a_page_too_is_served_inert() {
    let app = small().await;
    let (page, clip) = (b"<!doctype html><script>alert(1)</script>".as_slice(), sample_bytes("en-known-06.mp3"));
    for bytes in [[&clip, page].concat(), [page, &clip].concat()] {
        let (status, task) = app.upload("page.html", bytes.clone(), &[]).await;
        assert_eq!(status, 202, "{task}");
        let id = task["id"].as_i64().unwrap();
        app.end(id).await;
        let answer = app.http.get(format!("{}/api/tasks/{id}/media", app.url)).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(answer.status(), 200);
        let kind = header("content-type");
        assert!(["audio/mpeg", "application/octet-stream"].contains(&kind.as_str()), "{kind}");
        assert!(header("content-disposition").starts_with("attachment;"), "{}", header("content-disposition"));
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("content-security-policy"), "sandbox; default-src 'none'");
        assert_eq!(answer.bytes().await.unwrap(), bytes);
        assert_eq!(app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    nothing_left(&app, "a page");
    app.finish().await;
}
