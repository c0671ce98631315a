//! What is around every request: ids, other sites' pages, packed answers.

use std::io::Read;

use flate2::read::GzDecoder;
use poem::{
    Request,
    http::{Method, StatusCode},
};

use super::{Answer, Api};

async fn ask(api: &Api, method: Method, path: &str, headers: &[(&str, &str)]) -> Answer {
    let start = Request::builder().method(method).uri_str(path);
    api.send(headers.iter().fold(start, |request, (name, value)| request.header(*name, *value)).finish()).await
}

#[tokio::test]
async fn every_answer_has_an_id() {
    let api = Api::new().await;
    let long = "x".repeat(65);
    for (given, kept) in [("abc-1.2_3", true), ("a b", false), ("", false), (long.as_str(), false), ("a\"b", false)] {
        let answer = ask(&api, Method::GET, "/api/tasks/7", &[("x-request-id", given)]).await;
        answer.problem(404, "not_found");
        let id = answer.header("x-request-id");
        assert_eq!(id == given, kept, "{given}: {id}");
        assert!(kept || id.len() == 32, "{id}");
    }
    assert_ne!(api.get("/live").await.header("x-request-id"), api.get("/live").await.header("x-request-id"));
}

#[tokio::test]
async fn answers_are_packed_for_who_wants_it() {
    let api = Api::new().await;
    let plain = api.get("/openapi.json").await;
    assert_eq!((plain.header("content-encoding"), plain.header("vary")), ("", "Accept-Encoding"));
    let packed = ask(&api, Method::GET, "/openapi.json", &[("accept-encoding", "br, gzip")]).await;
    assert_eq!(packed.header("content-encoding"), "gzip");
    assert!(packed.body.len() * 4 < plain.body.len());
    let mut text = String::new();
    GzDecoder::new(packed.body.as_slice()).read_to_string(&mut text).unwrap();
    assert_eq!(text, plain.text());
    let view = api.call(Request::builder().uri_str("/api/events").header("accept-encoding", "gzip").finish()).await;
    assert!(view.header("content-encoding").is_none());
}

#[tokio::test]
async fn pages_of_other_sites_call_only_where_they_are_named() {
    let api = Api::with(|config| config.server.cors_origins = vec!["https://app.example".to_owned()]).await;
    let page = ("origin", "https://app.example");
    let asked = [page, ("access-control-request-method", "PATCH"), ("access-control-request-headers", "tus-resumable")];
    let answer = ask(&api, Method::OPTIONS, "/api/uploads/x", &asked).await;
    assert_eq!(answer.status, StatusCode::NO_CONTENT);
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(answer.header("access-control-allow-headers"), "tus-resumable");
    assert!(answer.header("access-control-allow-methods").contains("PATCH"));
    let answer = ask(&api, Method::POST, "/api/tasks/7/cancel", &[page]).await;
    answer.problem(404, "not_found");
    assert_eq!(answer.header("access-control-allow-origin"), "https://app.example");
    assert_eq!(answer.header("access-control-allow-credentials"), "");

    let other = ("origin", "https://other.example");
    let answer = ask(&api, Method::POST, "/api/tasks/7/cancel", &[other]).await;
    answer.problem(403, "cross_origin");
    assert_eq!(answer.header("access-control-allow-origin"), "");
    let answer = ask(&api, Method::OPTIONS, "/api/uploads/x", &[other, asked[1]]).await;
    answer.problem(405, "method_not_allowed");
    // Without a word in the configuration nothing of this is there.
    let closed = Api::new().await;
    let answer = ask(&closed, Method::GET, "/live", &[page]).await;
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("access-control")));
}

#[tokio::test]
async fn all_paths_lie_below_the_base() {
    let api = Api::with(|config| config.server.base_path = "/trawl".to_owned()).await;
    let headers = [("tus-resumable", "1.0.0"), ("upload-length", "9")];
    let answer = ask(&api, Method::POST, "/trawl/api/uploads", &headers).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{}", answer.text());
    assert!(answer.header("location").starts_with("/trawl/api/uploads/"));
    let head = ask(&api, Method::HEAD, answer.header("location"), &headers[..1]).await;
    assert_eq!((head.status, head.header("tus-resumable")), (StatusCode::OK, "1.0.0"));
}
