//! Every route with every kind of caller.

use std::collections::BTreeMap;

use super::*;
use crate::api::{
    access::{Need, need},
    openapi,
    shape::Told,
};

/// One operation: its id, and a request that would reach it.
struct Operation {
    id: String,
    method: Method,
    path: String,
}

fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi()).unwrap();
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap() {
        for (method, operation) in operations.as_object().unwrap() {
            let filled = path.split('/').map(|part| match part {
                part if !part.starts_with('{') => part.to_owned(),
                part if part.contains("id") || part.contains("revision") => "1".to_owned(),
                _ => "x".to_owned(),
            });
            let path = filled.collect::<Vec<_>>().join("/");
            let method = method.to_uppercase().parse().unwrap();
            found.push(Operation { id: operation["operationId"].as_str().unwrap().to_owned(), method, path });
        }
    }
    assert!(found.len() >= 68);
    found
}

/// How a caller fares: `401`, `403`, or past the check.
async fn fare(
    app: &impl Endpoint<Output = Response>,
    operation: &Operation,
    header: Option<(&str, &str)>,
) -> &'static str {
    let mut request = Request::builder().method(operation.method.clone()).uri_str(&operation.path);
    if operation.method != Method::GET {
        request = request.content_type("application/json");
    }
    if let Some((name, value)) = header {
        request = request.header(name, value);
    }
    let body = if operation.method == Method::GET { Body::empty() } else { Body::from("{") };
    let response = app.call(request.body(body)).await.unwrap();
    let told = response.extensions().get::<Told>().map(|told| told.code.as_str());
    match (response.status(), told) {
        (StatusCode::UNAUTHORIZED, Some("unauthorized")) => {
            assert_eq!(response.headers()["www-authenticate"], "Bearer realm=\"trawl\"", "{}", operation.id);
            "401"
        }
        (StatusCode::FORBIDDEN, Some("forbidden")) => "403",
        (StatusCode::UNAUTHORIZED, other) => panic!("{}: 401 {other:?}", operation.id),
        _ => "past",
    }
}

#[tokio::test]
async fn every_route_with_every_kind_of_caller() {
    let api = guarded_with(|config| {
        (config.auth.failed_logins_per_minute, config.auth.submits_per_minute) = (0, 0);
        config.models.dir = config.paths.data.join("models");
    })
    .await;
    let app = app(api.state.clone());
    let right = api.token_for(&[Scope::Admin]).await;
    let (old, expired) = api.token_with(&[Scope::Admin], Quota::default()).await;
    api.expire(old.id).await;
    let (taken, revoked) = api.token_with(&[Scope::Admin], Quota::default()).await;
    let of_revoked = api.state.access.exchange(&revoked, None).await.unwrap();
    api.state.access.revoke(taken.id).await.unwrap();
    let another = Api::new().await.token_for(&[Scope::Admin]).await;
    // The right one's name with another one's secret, and a checksum that fits.
    let body = format!("{}{}", &right[..13], &another[13..56]);
    let sum = base64::Engine::encode(
        &base64::prelude::BASE64_URL_SAFE_NO_PAD,
        crc32fast::hash(body.as_bytes()).to_be_bytes(),
    );
    let refused: BTreeMap<&str, String> = BTreeMap::from([
        ("a word", "Bearer x".to_owned()),
        ("too short", format!("Bearer {}", &right[..61])),
        ("too long", format!("Bearer {right}x")),
        ("much too long", format!("Bearer trw_{}", "a".repeat(4000))),
        ("the beginning alone", "Bearer trw_".to_owned()),
        ("no scheme", right.clone()),
        ("another scheme", format!("Basic {right}")),
        ("another daemon's", format!("Bearer {another}")),
        ("another secret", format!("Bearer {body}{sum}")),
        ("expired", format!("Bearer {expired}")),
        ("revoked", format!("Bearer {revoked}")),
        ("a JWT of one that was revoked", format!("Bearer {of_revoked}")),
        ("no algorithm", "Bearer eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiMSJ9.".to_owned()),
    ]);
    let mut scopes = Vec::new();
    for scope in Scope::ALL {
        let key = api.token_for(&[*scope]).await;
        let jwt = api.state.access.exchange(&key, None).await.unwrap();
        scopes.push((
            *scope,
            [
                ("authorization", format!("Bearer {key}")),
                ("x-api-key", key),
                ("authorization", format!("Bearer {jwt}")),
            ],
        ));
    }
    for operation in operations() {
        let place = format!("{} {} ({})", operation.method, operation.path, operation.id);
        let need = need(&operation.id);
        let without = if need == Need::Nothing { "past" } else { "401" };
        assert_eq!(fare(&app, &operation, None).await, without, "{place} with nothing");
        for (name, header) in &refused {
            assert_eq!(fare(&app, &operation, Some(("authorization", header))).await, without, "{place} with {name}");
        }
        for (scope, headers) in &scopes {
            let is_allowed = need.scope().is_none_or(|needed| needed == *scope || *scope == Scope::Admin);
            for (header, value) in headers {
                // Once is enough to see what an admin may do, and it does it.
                let expected = if is_allowed { "past" } else { "403" };
                assert_eq!(fare(&app, &operation, Some((header, value))).await, expected, "{place} with {scope}");
            }
        }
    }
}

#[tokio::test]
async fn what_is_for_everyone_needs_nothing_and_what_is_not_there_tells_nothing() {
    let api = guarded().await;
    for path in ["/", "/docs", "/openapi.json", "/live", "/ready"] {
        assert_eq!(api.get(path).await.status, 200, "{path}");
    }
    api.get("/api/nothing").await.problem(404, "not_found");
    // Nothing of a token that is refused tells why.
    let (token, right) = api.token_with(&[Scope::Read], Quota::default()).await;
    let refusal = async |key: &str| api.get_as(key, "/api/tasks").await.problem(401, "unauthorized").to_string();
    let unknown = refusal(crate::access::key::Key::random().text()).await;
    assert_eq!(refusal("trw_").await, unknown);
    api.expire(token.id).await;
    assert_eq!(refusal(&right).await, unknown);
    api.state.access.revoke(token.id).await.unwrap();
    assert_eq!(refusal(&right).await, unknown);
}

#[tokio::test]
async fn an_open_daemon_ignores_what_is_not_ours() {
    let api = Api::new().await;
    let key = api.token_for(&[Scope::Read]).await;
    for dummy in ["sk-proj-1234", "x", "a.b.c", "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiMSJ9."] {
        assert_eq!(api.get_as(dummy, "/api/tasks").await.status, 200, "{dummy}");
    }
    // A token that counts is its owner's here, too.
    api.post_as(&key, "/api/tasks", serde_json::json!({})).await.problem(403, "forbidden");
    api.get_as(&key[..61], "/api/tasks").await.problem(401, "unauthorized");
    let info = api.get("/api/info").await.json();
    assert_eq!((&info["access"]["mode"], &info["access"]["token_required"]), (&"auto".into(), &false.into()));
    // A JWT for a key that is none of ours is as good as none.
    let jwt = api.state.access.exchange("your-api-key", None).await.unwrap();
    assert_eq!(api.get_as(&jwt, "/api/tasks").await.status, 200);
    let guarded = guarded().await;
    assert!(guarded.state.access.exchange("your-api-key", None).await.is_err());
    guarded.get_as(&jwt, "/api/tasks").await.problem(401, "unauthorized");
    // What was swapped once is not swapped again: it would never end.
    let access = &guarded.state.access;
    let jwt = access.exchange(&guarded.token_for(&[Scope::Read]).await, None).await.unwrap();
    assert_eq!(guarded.get_as(&jwt, "/api/tasks").await.status, 200);
    assert!(access.exchange(&jwt, None).await.is_err() && access.session(&jwt, None).await.is_err());
}

#[tokio::test]
async fn too_many_refused_tokens_are_told_to_wait_and_the_right_one_is_not() {
    let api = guarded_with(|config| config.auth.failed_logins_per_minute = 3).await;
    let key = api.token_for(&[Scope::Read]).await;
    for _ in 0..3 {
        api.get_as("wrong", "/api/tasks").await.problem(401, "unauthorized");
    }
    let answer = api.get_as("wrong", "/api/tasks").await;
    answer.problem(429, "too_many_requests");
    assert!((1..=20).contains(&answer.header("retry-after").parse::<u64>().unwrap()));
    assert_eq!(api.get_as(&key, "/api/tasks").await.status, 200);
    api.get("/api/tasks").await.problem(401, "unauthorized");
}
