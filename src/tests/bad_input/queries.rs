//! Requests that are wrong as such: bodies, paths, methods, parameters, headers.

use serde_json::json;

use super::{super::support::TestApp, MARKER, check_problem, refused};

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_cannot_be_read_are_refused() {
    let app = TestApp::start().await;
    let post = |kind: &str, body: Vec<u8>| {
        app.http.post(format!("{}/api/tasks", app.url)).header("content-type", kind).body(body)
    };
    let json = "application/json";
    let deep = format!("{{\"options\": {}{}}}", "[".repeat(500), "]".repeat(500));
    for (case, kind, body, status, code) in [
        ("half an object", json, b"{\"link\": ".to_vec(), 400, "invalid_request"),
        ("nothing", json, Vec::new(), 400, "invalid_request"),
        ("a list", json, b"[]".to_vec(), 400, "invalid_request"),
        ("a text", json, format!("\"{MARKER}\"").into_bytes(), 400, "invalid_request"),
        ("words", json, MARKER.as_bytes().to_vec(), 400, "invalid_request"),
        ("a name twice", json, b"{\"link\": \"a\", \"link\": \"b\"}".to_vec(), 400, "invalid_request"),
        ("a zero character", json, b"{\"link\": \"a\\u0000b\"}".to_vec(), 400, "invalid_request"),
        ("no UTF-8", json, b"{\"link\": \"\xff\"}".to_vec(), 400, "invalid_request"),
        ("a deep one", json, deep.into_bytes(), 400, "invalid_request"),
        ("a form", "application/x-www-form-urlencoded", b"link=a".to_vec(), 415, "unsupported_format"),
        ("plain text", "text/plain", b"{\"link\": \"a\"}".to_vec(), 415, "unsupported_format"),
    ] {
        check_problem(case, &refused(post(kind, body)).await, (status, code));
    }
    // A body without a type, and one that is larger than it may be, with and without a length.
    let bare = app.http.post(format!("{}/api/tasks", app.url)).body("{}");
    check_problem("no type", &refused(bare).await, (415, "unsupported_format"));
    let large = format!("{{\"link\": \"{}\"}}", "x".repeat(1024 * 1024)).into_bytes();
    check_problem("a large one", &refused(post(json, large.clone())).await, (413, "too_large"));
    let pieces: Vec<std::io::Result<Vec<u8>>> = large.chunks(4096).map(|piece| Ok(piece.to_vec())).collect();
    let streamed = post(json, Vec::new()).body(reqwest::Body::wrap_stream(futures_util::stream::iter(pieces)));
    check_problem("a large one without a length", &refused(streamed).await, (413, "too_large"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paths_and_methods_that_do_not_exist_are_told() {
    let app = TestApp::start().await;
    let get = |path: &str| app.http.get(format!("{}{path}", app.url));
    for (path, status, code) in [
        ("/api/task", 404, "not_found"),
        ("/api", 404, "not_found"),
        ("/wp-login.php", 404, "not_found"),
        ("/api/tasks/../../etc/passwd", 404, "not_found"),
        ("/api/tasks/%2e%2e%2f%2e%2e%2fetc%2fpasswd", 422, "invalid_value"),
        ("/api/tasks/7", 404, "not_found"),
        ("/api/tasks/7/events", 404, "not_found"),
        ("/api/tasks/7/transcript", 404, "not_found"),
        ("/api/tasks/7/media", 404, "not_found"),
        ("/api/tasks/7/deliveries", 404, "not_found"),
        ("/api/tasks/seven", 422, "invalid_value"),
        ("/api/tasks/99999999999999999999", 422, "invalid_value"),
        ("/api/workflows/transcribes", 404, "unknown_workflow"),
    ] {
        check_problem(path, &refused(get(path)).await, (status, code));
    }
    let (_, near) = refused(get("/api/task")).await;
    assert!(near["hint"].as_str().unwrap().contains("/api/tasks"), "{near}");
    for (method, path, allowed) in [
        ("PUT", "/api/tasks", "POST"),
        ("DELETE", "/api/tasks", "GET"),
        ("POST", "/live", "GET"),
        ("PATCH", "/api/tasks/1", "DELETE"),
    ] {
        let request = app.http.request(method.parse().unwrap(), format!("{}{path}", app.url));
        let answer = request.send().await.unwrap();
        let allow = answer.headers()["allow"].to_str().unwrap().to_owned();
        assert!(allow.contains(allowed), "{method} {path}: {allow}");
        let body = (answer.status().as_u16(), answer.json().await.unwrap());
        check_problem(path, &body, (405, "method_not_allowed"));
    }
    for action in ["cancel", "retry"] {
        let answer = app.post(&format!("/api/tasks/7/{action}"), json!({})).await;
        check_problem(action, &answer, (404, "not_found"));
    }
    assert_eq!(app.delete("/api/tasks/7").await, 404);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_and_headers_with_bad_values_are_told() {
    let app = TestApp::start().await;
    for (query, field) in [
        ("/api/tasks?limit=0", "limit"),
        ("/api/tasks?limit=201", "limit"),
        ("/api/tasks?limit=many", "limit"),
        ("/api/tasks?limit=-1", "limit"),
        ("/api/tasks?status=done", "status"),
        ("/api/tasks?priority=urgent", "priority"),
        ("/api/tasks?cursor=xyz", "cursor"),
        ("/api/tasks?created_after=yesterday", "created_after"),
        ("/api/tasks?created_before=2026-13-01T00:00:00Z", "created_before"),
        ("/api/tasks/1?wait=61", "wait"),
        ("/api/tasks/1?wait=-1", "wait"),
        ("/api/tasks/1?wait=1.5", "wait"),
    ] {
        let answer = refused(app.http.get(format!("{}{query}", app.url))).await;
        check_problem(query, &answer, (422, "invalid_value"));
        assert_eq!(answer.1["field"], field, "{query}: {}", answer.1);
    }
    let answer = refused(app.http.get(format!("{}/api/tasks?limt=5", app.url))).await;
    check_problem("limt", &answer, (422, "unknown_field"));
    assert_eq!(answer.1["hint"], "Did you mean \"limit\"?");
    let long = "x".repeat(256);
    for key in ["", "two words", long.as_str()] {
        let request = app.http.post(format!("{}/api/tasks", app.url)).header("idempotency-key", key);
        let answer = refused(request.json(&json!({ "link": "https://example.com/a.mp3" }))).await;
        check_problem(key, &answer, (422, "invalid_value"));
        assert_eq!(answer.1["field"], "Idempotency-Key");
    }
    for origin in ["https://evil.example", "null"] {
        let request = app.http.post(format!("{}/api/tasks", app.url)).header("origin", origin);
        let answer = refused(request.json(&json!({ "link": "https://example.com/a.mp3" }))).await;
        check_problem(origin, &answer, (403, "cross_origin"));
    }
    assert_eq!(app.get("/api/tasks").await.1["total"], 0);
    app.finish().await;
}
