//! Tasks that are refused at once: nothing is stored, nobody is asked.

use std::{io::ErrorKind, net::TcpListener};

use serde_json::{Value, json};

use super::{super::support::TestApp, check_problem};

/// A listener that nobody may connect to.
struct Canary(TcpListener);

impl Canary {
    fn new() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        (Self(listener), port)
    }

    fn is_untouched(&self) -> bool {
        self.0.accept().is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

/// A daemon that may only go to one port of this machine.
async fn strict() -> TestApp {
    TestApp::with("net.allow_hosts = [\"127.0.0.1:1\"]").await
}

async fn total(app: &TestApp) -> Value {
    app.get("/api/tasks").await.1["total"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_link_is_told() {
    let app = strict().await;
    for link in [
        "not a url",
        "",
        "  \n",
        "7.43 看看这个 复制此链接，直接观看！",
        "ftp://example.com/a.mp3",
        "file:///etc/passwd",
        "javascript:alert(1)",
        "data:audio/wav;base64,AAAA",
        "http://",
        "https://user:pass-word@example.com/a.mp3",
        "https://user@example.com/a.mp3",
    ] {
        let answer = app.post("/api/tasks", json!({ "link": link })).await;
        check_problem(link, &answer, (422, "invalid_link"));
        assert_eq!(answer.1["field"], "link", "{link}");
        assert!(!answer.1.to_string().contains("pass-word"), "{link}");
        let answer = app.post("/api/resolve", json!({ "link": link })).await;
        check_problem(link, &answer, (422, "invalid_link"));
    }
    assert_eq!(total(&app).await, 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn posts_lists_and_live_rooms_are_told_apart() {
    let app = strict().await;
    let post = "https://www.tiktok.com/@a/video/7611111111111111111";
    for (mut wishes, field, words) in [
        (json!({ "user_agent": "Browser/1" }), "user_agent", "without a `cookie`"),
        (json!({ "user_agent": "Browser/1", "identity": "me" }), "user_agent", "without a `cookie`"),
        (json!({ "cookie": "a=b", "identity": "me" }), "cookie", "Both"),
        (json!({ "cookie": "a=b\r\nX-Evil: 1" }), "cookie", "characters"),
        (json!({ "cookie": "a=b", "user_agent": "B\nX-Evil: 1" }), "user_agent", "ASCII"),
    ] {
        wishes["link"] = json!(post);
        let answer = app.post("/api/resolve", wishes.clone()).await;
        check_problem(&wishes.to_string(), &answer, (422, "invalid_value"));
        assert_eq!(answer.1["field"], field, "{wishes}");
        assert!(answer.1["detail"].as_str().unwrap().contains(words), "{}", answer.1);
    }
    for link in ["https://www.tiktok.com/@a", "https://www.douyin.com/mix/7600000000000008001"] {
        let answer = app.post("/api/resolve", json!({ "link": link })).await;
        check_problem(link, &answer, (422, "no_media_found"));
        assert!(answer.1["hint"].as_str().unwrap().contains("POST /api/sources"), "{}", answer.1);
    }
    let answer = app.post("/api/sources", json!({ "link": post })).await;
    check_problem(post, &answer, (422, "no_media_found"));
    assert!(answer.1["hint"].as_str().unwrap().contains("POST /api/tasks"), "{}", answer.1);
    for live in ["https://www.tiktok.com/@a/live", "https://live.douyin.com/123"] {
        let answer = app.post("/api/resolve", json!({ "link": live })).await;
        check_problem(live, &answer, (422, "live_not_supported"));
        let answer = app.post("/api/sources", json!({ "link": live })).await;
        check_problem(live, &answer, (422, "live_not_supported"));
    }
    assert_eq!(total(&app).await, 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_and_ports_that_are_off_limits_are_not_touched() {
    let (app, (canary, port)) = (strict().await, Canary::new());
    let local = [
        format!("http://127.0.0.1:{port}/a.mp3"),
        format!("http://localhost:{port}/a.mp3"),
        format!("http://LOCALHOST.:{port}/a.mp3"),
        format!("http://a.localhost:{port}/"),
        format!("http://2130706433:{port}/"),
        format!("http://0x7f.1:{port}/"),
        format!("http://0177.0.0.1:{port}/"),
        format!("http://0.0.0.0:{port}/"),
        format!("http://[::1]:{port}/"),
        format!("http://[::ffff:127.0.0.1]:{port}/"),
        format!("http://[64:ff9b::7f00:1]:{port}/"),
        "http://169.254.169.254/latest/meta-data".to_owned(),
        "http://10.0.0.1/".to_owned(),
        "http://192.168.1.1/admin".to_owned(),
        "http://[fe80::1]/".to_owned(),
    ];
    for link in &local {
        let answer = app.post("/api/tasks", json!({ "link": link })).await;
        check_problem(link, &answer, (403, "address_refused"));
        let answer = app.post("/api/tasks", json!({ "link": "https://example.com/a.mp3", "callback_url": link })).await;
        check_problem(link, &answer, (403, "address_refused"));
        assert_eq!(answer.1["field"], "callback_url", "{link}");
        let answer = app.post("/api/resolve", json!({ "link": link })).await;
        check_problem(link, &answer, (403, "address_refused"));
    }
    for link in
        ["http://example.com:22/", "https://example.com:25/a.mp3", "http://1.1.1.1:6379/", "http://example.com:0/"]
    {
        let answer = app.post("/api/tasks", json!({ "link": link })).await;
        check_problem(link, &answer, (403, "port_refused"));
    }
    assert!(canary.is_untouched(), "somebody connected to an address that is refused");
    assert_eq!(total(&app).await, 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn wishes_that_make_no_sense_are_told_with_what_was_meant() {
    let app = strict().await;
    let link = "https://example.com/a.mp3";
    let cases = [
        (json!({}), 422, "invalid_value", "link"),
        (json!({ "link": null }), 422, "invalid_value", "link"),
        (json!({ "link": link, "media_id": 1 }), 422, "invalid_value", "exactly one"),
        (json!({ "link": 7 }), 422, "invalid_value", "link"),
        (json!({ "link": [link] }), 422, "invalid_value", "link"),
        (json!({ "media_id": 999_999 }), 404, "not_found", "999999"),
        (json!({ "media_id": "x" }), 422, "invalid_value", "media_id"),
        (json!({ "upload_id": "../../etc/passwd" }), 404, "not_found", "upload"),
        (json!({ "lnik": link }), 422, "unknown_field", "Did you mean \\\"link\\\"?"),
        (json!({ "link": link, "option": {} }), 422, "unknown_field", "Did you mean \\\"options\\\"?"),
        (
            json!({ "link": link, "options": { "langauge": "en" } }),
            422,
            "unknown_field",
            "Did you mean \\\"language\\\"?",
        ),
        (json!({ "link": link, "options": { "beam_size": 11 } }), 422, "invalid_value", "from 1 to 10"),
        (json!({ "link": link, "options": { "beam_size": "five" } }), 422, "invalid_value", "beam_size"),
        (json!({ "link": link, "options": { "temperature": -0.1 } }), 422, "invalid_value", "from 0 to 1"),
        (json!({ "link": link, "options": { "task": "sing" } }), 422, "invalid_value", "task"),
        (json!({ "link": link, "options": { "language": "klingonese" } }), 422, "invalid_value", "language"),
        (
            json!({ "link": link, "options": { "model": "smalll" } }),
            422,
            "unknown_model",
            "Did you mean \\\"small\\\"?",
        ),
        (
            json!({ "link": link, "options": { "model": "../../etc/passwd" } }),
            422,
            "unknown_model",
            "trawl models list",
        ),
        (json!({ "link": link, "options": { "model": "tiny.en", "language": "zh" } }), 422, "invalid_value", "English"),
        (
            json!({ "link": link, "options": { "model": "turbo", "task": "translate" } }),
            422,
            "invalid_value",
            "translate",
        ),
        (json!({ "link": link, "options": [] }), 422, "invalid_value", "options"),
        (json!({ "link": link, "workflow": "transcibe" }), 404, "unknown_workflow", "Did you mean \\\"transcribe\\\"?"),
        (json!({ "link": link, "params": { "speed": 2 } }), 422, "unknown_field", "speed"),
        (json!({ "link": link, "priority": "urgent" }), 422, "invalid_value", "high, normal, low"),
        (json!({ "link": link, "callback_url": "me" }), 422, "invalid_link", "callback_url"),
        (json!({ "link": link, "callback_url": "https://u:p@example.com/" }), 422, "invalid_link", "callback_url"),
        (json!({ "link": link, "callback_url": "http://example.com:22/" }), 403, "port_refused", "callback_url"),
    ];
    for (body, status, code, words) in cases {
        let answer = app.post("/api/tasks", body.clone()).await;
        check_problem(&body.to_string(), &answer, (status, code));
        assert!(answer.1.to_string().contains(words), "{body}: no {words} in {}", answer.1);
    }
    assert_eq!(total(&app).await, 0);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_bad_line_does_not_spoil_a_batch() {
    let app = strict().await;
    let text = "no link here\nhttp://10.0.0.1/a.mp3\nftp://example.com/x";
    let (status, taken) = app.post("/api/tasks/batch", json!({ "text": text })).await;
    assert_eq!((status, &taken["accepted"]), (202, &json!([])), "{taken}");
    let rejected = taken["rejected"].as_array().unwrap();
    let lines: Vec<_> = rejected.iter().map(|one| (one["line"].as_i64(), one["error"]["code"].as_str())).collect();
    let expected = [(1, "invalid_link"), (2, "address_refused"), (3, "invalid_link")];
    assert_eq!(lines, expected.map(|(line, code)| (Some(line), Some(code))), "{taken}");
    rejected.iter().for_each(|one| super::check_words("batch", &one["error"]));
    let answer = app.post("/api/tasks/batch", json!({ "text": " \n" })).await;
    check_problem("an empty batch", &answer, (422, "invalid_link"));
    app.finish().await;
}
