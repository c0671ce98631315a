//! What every answer has: problems, headers, origins, documentation.

use std::{collections::HashSet, sync::atomic::Ordering};

use poem::{
    Body, Request,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};

use super::Api;
use crate::{
    api::{failures, openapi, shape::Shape},
    config::AuthMode,
};

#[tokio::test]
async fn what_does_not_exist_is_a_problem_with_a_hint() {
    let api = Api::new().await;
    let problem = api.get("/api/task").await.problem(404, "not_found");
    assert!(problem["hint"].as_str().unwrap().contains("/api/tasks"), "{problem}");
    assert_eq!(problem["instance"], "/api/task");
    api.get("/api/tasks/77").await.problem(404, "not_found");
    api.get("/api/tasks/").await.problem(404, "not_found");
    api.get("/../../etc/passwd").await.problem(404, "not_found");
    let answer = api.post("/api/tasks/7", "{}").await;
    answer.problem(405, "method_not_allowed");
    assert_eq!(answer.header("allow"), "GET, DELETE, HEAD");
    let problem = api.get("/api/tasks/seven").await.problem(422, "invalid_value");
    assert_eq!(problem["field"], "id");
}

#[tokio::test]
async fn wrong_parameters_are_named() {
    let api = Api::new().await;
    for (path, code, field, says) in [
        ("/api/tasks?stauts=queued", "unknown_field", "stauts", "Did you mean \"status\"?"),
        ("/api/tasks?status=done", "invalid_value", "status", "\"done\" is none of: queued,"),
        ("/api/tasks?limit=201", "invalid_value", "limit", "must be at most 200"),
        ("/api/tasks?limit=0", "invalid_value", "limit", "must be at least 1"),
        ("/api/tasks?limit=many", "invalid_value", "limit", "must be a whole number"),
        ("/api/tasks?created_after=yesterday", "invalid_value", "created_after", "must be a time like"),
        ("/api/tasks?cursor=x", "invalid_value", "cursor", "next_cursor"),
        ("/api/tasks/1?wait=61", "invalid_value", "wait", "must be at most 60"),
        ("/live?x=1", "unknown_field", "x", ""),
    ] {
        let problem = api.get(path).await.problem(422, code);
        assert_eq!(problem["field"], field, "{path}");
        assert!(problem.to_string().replace("\\\"", "\"").contains(says), "{path}: {problem}");
    }
}

#[tokio::test]
async fn wrong_bodies_are_told() {
    let api = Api::new().await;
    for (body, status, code, field) in [
        ("{", 400, "invalid_request", None),
        ("", 400, "invalid_request", None),
        ("[]", 400, "invalid_request", None),
        (r#"{"link": "https://a.example/", "link": "https://b.example/"}"#, 400, "invalid_request", None),
        (r#"{"lnik": "https://a.example/"}"#, 422, "unknown_field", Some("lnik")),
        (r#"{"link": 5}"#, 422, "invalid_value", Some("link")),
        (r#"{"link": "https://a.example/", "priority": "urgent"}"#, 422, "invalid_value", Some("priority")),
        (r#"{"link": "https://a.example/", "options": []}"#, 422, "invalid_value", Some("options")),
        (r#"{"link": "https://a.example/", "options": {"langauge": "en"}}"#, 422, "unknown_field", Some("langauge")),
        (r#"{"link": "https://a.example/", "media_id": 1}"#, 422, "invalid_value", Some("link")),
        ("{}", 422, "invalid_value", Some("link")),
        (r#"{"link": "no link"}"#, 422, "invalid_link", Some("link")),
        (r#"{"link": "https://a.example/", "workflow": "transcibe"}"#, 404, "unknown_workflow", Some("workflow")),
        (r#"{"media_id": 9}"#, 404, "not_found", None),
    ] {
        let problem = api.post("/api/tasks", body).await.problem(status, code);
        if let Some(field) = field {
            assert_eq!(problem["field"], field, "{body}");
        }
        assert!(!problem.to_string().contains("occurred while"), "{problem}");
    }
    let request = Request::builder().method(Method::POST).uri_str("/api/tasks").content_type("text/plain").body("x");
    api.send(request).await.problem(415, "unsupported_format");
    assert_eq!(api.get("/api/tasks").await.json()["total"], 0);
}

#[tokio::test]
async fn a_body_is_counted() {
    let api = Api::new().await;
    let padded = |size: usize| format!("{{\"link\": \"https://example.com/\"{}}}", " ".repeat(size - 32));
    assert_eq!(api.post("/api/tasks", padded(1024 * 1024)).await.status, 202);
    api.post("/api/tasks", padded(1024 * 1024 + 1)).await.problem(413, "too_large");
    // Without a length and without an end.
    let endless = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b' '; 1000]));
    api.post("/api/tasks", Body::from_bytes_stream(endless)).await.problem(413, "too_large");
}

#[tokio::test]
async fn other_origins_may_not_act() {
    let api = Api::new().await;
    let request = |method: Method, origin: &str| {
        let request = Request::builder().method(method).uri_str("/api/tasks/1/cancel");
        request.header("host", "127.0.0.1:8000").header("origin", origin).finish()
    };
    api.send(request(Method::POST, "http://evil.example")).await.problem(403, "cross_origin");
    api.send(request(Method::POST, "http://127.0.0.1:8000")).await.problem(404, "not_found");
    let answer = api.send(request(Method::OPTIONS, "http://evil.example")).await;
    answer.problem(405, "method_not_allowed");
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn an_open_daemon_is_not_for_those_behind_a_proxy() {
    let (open, guarded) = (Api::new().await, Api::with(|config| config.auth.mode = AuthMode::On).await);
    for name in ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"] {
        let request =
            || Request::builder().uri_str("/live").header("host", "127.0.0.1:8000").header(name, "x").finish();
        open.send(request()).await.problem(403, "cross_origin");
        assert_eq!(guarded.send(request()).await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn a_long_path_is_compared_with_nothing() {
    let api = Api::new().await;
    // They begin like others, which is enough to be like them.
    for (more, is_compared) in [(70, true), (95, false), (60_000, false)] {
        let path = format!("/api/resolve{}", "s".repeat(more));
        let problem = api.get(&path).await.problem(404, "not_found");
        assert_eq!(problem["hint"] != "/docs lists every path.", is_compared, "{more}");
    }
}

#[tokio::test]
async fn panics_and_waits_are_problems_too() {
    let api = Api::new().await;
    api.post("/api/resolve", r#"{"link": "panic"}"#).await.problem(500, "internal");
    let answer = api.post("/api/resolve", r#"{"link": "x"}"#).await;
    answer.problem(422, "no_media_found");
    assert_eq!(answer.header("retry-after"), "2");
}

#[tokio::test]
async fn pages_load_nothing_from_elsewhere() {
    let api = Api::with(|config| config.server.base_path = "/trawl".to_owned()).await;
    for (path, kind, policy) in [
        ("/trawl/", "text/html; charset=utf-8", "default-src 'none'; script-src 'self'; style-src 'self';"),
        ("/trawl", "text/html; charset=utf-8", "default-src 'none'; script-src 'self'; style-src 'self';"),
        ("/trawl/tasks/7", "text/html; charset=utf-8", "default-src 'none'; script-src 'self'; style-src 'self';"),
        ("/trawl/docs", "text/html; charset=utf-8", "default-src 'self'; script-src 'unsafe-inline'"),
        ("/trawl/openapi.json", "application/json", "default-src 'self'; object-src"),
        ("/trawl/live", "application/json; charset=utf-8", "default-src 'self'; object-src"),
    ] {
        let answer = api.get(path).await;
        assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, kind), "{path}");
        assert!(answer.header("content-security-policy").starts_with(policy), "{path}");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
    }
    for (path, way) in [("/trawl", "trawl/"), ("/trawl/", "./"), ("/trawl/settings/tokens", "../")] {
        assert!(api.get(path).await.text().contains(&format!("<base href=\"{way}\">")), "{path}");
    }
    api.get("/trawl/assets/nothing.js").await.problem(404, "not_found");
    api.post("/trawl/settings", "{}").await.problem(405, "method_not_allowed");
    let document = api.get("/trawl/openapi.json").await.json();
    assert_eq!(document["servers"][0]["url"], "/trawl");
    api.get("/live").await.problem(404, "not_found");
    api.get("/trawlx/live").await.problem(404, "not_found");
}

#[tokio::test]
async fn an_address_that_programs_ask_for_is_a_page_for_browsers_only() {
    let api = Api::new().await;
    assert_eq!(api.get("/models").await.json()["object"], "list");
    let opened = Request::builder().uri_str("/models").header("accept", "text/html,*/*;q=0.8").finish();
    assert_eq!(api.send(opened).await.header("content-type"), "text/html; charset=utf-8");
}

#[tokio::test]
async fn who_opens_an_address_that_is_none_gets_the_page_and_programs_a_problem() {
    let api = Api::with(|config| config.server.base_path = "/trawl".to_owned()).await;
    let open = |path: &str, kinds: &str| Request::builder().uri_str(path).header("accept", kinds).finish();
    let answer = api.send(open("/trawl/no/such/page", "text/html,*/*;q=0.8")).await;
    assert_eq!((answer.status, answer.header("content-type")), (StatusCode::NOT_FOUND, "text/html; charset=utf-8"));
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'; script-src 'self'"));
    assert!(answer.text().contains("<base href=\"../../\">"), "{}", answer.text());
    for (path, kinds) in [
        ("/trawl/no/such/page", "application/json"),
        ("/trawl/api/nothing", "text/html"),
        ("/trawl/assets/nothing.js", "text/html"),
        ("/elsewhere", "text/html"),
    ] {
        api.send(open(path, kinds)).await.problem(404, "not_found");
    }
}

#[tokio::test]
async fn the_daemon_says_how_it_is() {
    let api = Api::new().await;
    assert_eq!(api.get("/live").await.json()["status"], "live");
    assert_eq!(api.get("/ready").await.json()["status"], "ready");
    let info = api.get("/api/info").await.json();
    assert_eq!((&info["name"], &info["ffmpeg"]), (&"trawl".into(), &"7.1".into()));
    assert_eq!(api.get("/api/workflows").await.json()["items"][0]["name"], "transcribe");
    assert_eq!(api.get("/api/workflows/transcribe").await.json()["definition"]["name"], "transcribe");
    let problem = api.get("/api/workflows/transcibe").await.problem(404, "unknown_workflow");
    assert_eq!(problem["hint"], "Did you mean \"transcribe\"?");
    api.state.draining.store(true, Ordering::Relaxed);
    api.get("/ready").await.problem(503, "shutting_down");
    assert_eq!(api.get("/live").await.status, 200);
}

#[test]
fn every_operation_is_documented() {
    let text = openapi();
    assert_eq!(text, openapi());
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut ids = HashSet::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let place = format!("{method} {path}");
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id.to_owned()), "{place}");
            assert!(failures::has(id), "{place} is missing in failures.rs");
            assert!(operation["summary"].is_string(), "{place}");
            let description = operation["description"].as_str().unwrap();
            assert!(!description.is_ascii() && description.contains("\n\n"), "{place}: {description}");
            let kind = Shape::of(path).media_type().content_type;
            assert!(operation["responses"]["503"]["content"][kind].is_object(), "{place}");
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(parameter["description"].is_string(), "{place}: {parameter}");
            }
        }
    }
    assert_eq!(ids.len(), 121);
    assert_eq!(document["components"]["schemas"]["UploadForm"]["required"], serde_json::json!(["file"]));
    let upload = &document["components"]["schemas"]["UploadForm"]["properties"]["file"];
    assert_eq!((&upload["type"], &upload["format"]), (&"string".into(), &"binary".into()));
    let status = &document["components"]["schemas"]["Task"]["properties"]["status"];
    assert_eq!(status["enum"][0], "queued");
}

#[tokio::test]
async fn options_must_fit_the_model_that_the_workflow_names() {
    let api = Api::new().await;
    let mut definition: Value = serde_json::from_str(super::WORKFLOW).unwrap();
    definition["name"] = json!("translate");
    definition["steps"]["text"]["with"]["model"] = json!("medium");
    let tx = api.store().begin().await.unwrap();
    tx.save_workflow("translate", definition, "y").await.unwrap();
    tx.commit().await.unwrap();
    for (workflow, options, status) in [
        ("transcribe", json!({"task": "translate", "model": "turbo"}), 422),
        ("translate", json!({"task": "translate"}), 202),
        ("translate", json!({"task": "translate", "model": "turbo"}), 422),
        ("translate", json!({"model": "medium.en", "language": "zh"}), 422),
    ] {
        let body = json!({"link": "https://a.example/", "workflow": workflow, "options": options}).to_string();
        assert_eq!(api.post("/api/tasks", body.clone()).await.status.as_u16(), status, "{body}");
    }
}
