//! Tokens and sessions are made and taken back.

use serde_json::json;

use super::*;

#[tokio::test]
async fn a_token_is_shown_once_and_counts_until_it_is_taken_back() {
    let api = guarded().await;
    let admin = api.token_for(&[Scope::Admin]).await;
    let made = api
        .post_as(
            &admin,
            "/api/tokens",
            json!({"name": " ci ", "scopes": ["submit", "read"], "quota": {"tasks_per_minute": 5}}),
        )
        .await;
    assert_eq!(made.status, 201, "{}", made.text());
    let made = made.json();
    let key = made["token"].as_str().unwrap().to_owned();
    assert_eq!((&made["name"], &made["scopes"]), (&json!("ci"), &json!(["read", "submit"])));
    assert_eq!(made["quota"], json!({"audio_seconds_per_day": null, "bytes_per_day": null, "tasks_per_minute": 5}));
    assert!(key.starts_with(&format!("trw_{}_", made["key"].as_str().unwrap())));
    assert_eq!(api.get_as(&key, "/api/tasks").await.status, 200);
    let listed = api.get_as(&admin, "/api/tokens").await;
    assert!(!listed.text().contains(&key[13..]));
    let listed = listed.json()["items"][0].clone();
    assert_eq!((&listed["id"], &listed["revoked_at"]), (&made["id"], &json!(null)));
    assert!(listed["last_used_at"].is_string());
    let path = format!("/api/tokens/{}", made["id"]);
    for _ in 0..2 {
        assert_eq!(api.as_(&admin, Method::DELETE, &path, ()).await.status, 204);
    }
    api.get_as(&key, "/api/tasks").await.problem(401, "unauthorized");
    api.as_(&admin, Method::DELETE, "/api/tokens/99", ()).await.problem(404, "not_found");
    // Of the token itself nothing is kept.
    api.state.access.flush().await.unwrap();
    for file in ["trawl.db", "trawl.db-wal"] {
        let bytes = std::fs::read(api.folder.path().join("data").join(file)).unwrap_or_default();
        assert!(!bytes.windows(20).any(|part| part == &key.as_bytes()[13..33]), "{file}");
    }
}

#[tokio::test]
async fn tokens_that_make_no_sense_are_refused() {
    let api = Api::new().await;
    for (body, code, field) in [
        (json!({"name": "", "scopes": ["read"]}), "invalid_value", "name"),
        (json!({"name": "a\nb", "scopes": ["read"]}), "invalid_value", "name"),
        (json!({"name": "x".repeat(101), "scopes": ["read"]}), "invalid_value", "name"),
        (json!({"name": "x", "scopes": []}), "invalid_value", "scopes"),
        (json!({"name": "x", "scopes": ["root"]}), "invalid_value", "scopes"),
        (json!({"name": "x", "scopes": ["read"], "expires_at": "2020-01-01T00:00:00Z"}), "invalid_value", "expires_at"),
        (json!({"name": "x", "scopes": ["read"], "quota": {"bytes_per_day": -1}}), "invalid_value", "quota"),
        (json!({"name": 5, "scopes": ["read"]}), "invalid_value", "name"),
        (json!({"name": "x", "scopes": "read"}), "invalid_value", "scopes"),
        (json!({"name": "x", "scopes": ["read"], "quota": {"bytes": 1}}), "invalid_value", "quota"),
    ] {
        let problem = api.post("/api/tokens", body.to_string()).await.problem(422, code);
        assert!(problem["field"].as_str().unwrap().starts_with(field), "{body}: {problem}");
    }
    assert_eq!(api.get("/api/tokens").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_browser_logs_in_and_out() {
    let api = guarded_with(|config| config.server.base_path = "/t".to_owned()).await;
    let (token, key) = api.token_with(WORKER, Quota::default()).await;
    let login = async |key: &str, headers: &[(&str, &str)]| {
        let request =
            Request::builder().method(Method::POST).uri_str("/t/api/session").content_type("application/json");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        api.send(request.body(json!({ "token": key }).to_string())).await
    };
    let answer = login(&key, &[]).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["id"]), (200, &json!(token.id.0)));
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("trawl_session=ey"), "{cookie}");
    assert!(cookie.ends_with("; Path=/t; Max-Age=604800; HttpOnly; SameSite=Strict"), "{cookie}");
    assert!(!answer.text().contains(&key[13..]) && !cookie.contains(&key[13..]));
    let secure = login(&key, &[("x-forwarded-proto", "https")]).await;
    assert!(secure.header("set-cookie").ends_with("SameSite=Strict; Secure"));

    let pair = cookie.split(';').next().unwrap().to_owned();
    let with = async |method: Method, path: &str, origin: &str| {
        let request = Request::builder().method(method).uri_str(path).content_type("application/json");
        let request = request.header("host", "a.example").header("origin", origin).header("cookie", &pair);
        api.send(request.body(r#"{"link": "https://example.com/a.mp3"}"#)).await
    };
    assert_eq!(with(Method::POST, "/t/api/tasks", "https://a.example").await.status, 202);
    with(Method::POST, "/t/api/tasks", "https://b.example").await.problem(403, "cross_origin");
    with(Method::GET, "/t/api/tokens", "https://a.example").await.problem(403, "forbidden");
    // A session is no JWT for programs, and the other way round.
    api.get_as(pair.split_once('=').unwrap().1, "/t/api/tasks").await.problem(401, "unauthorized");
    let out = with(Method::DELETE, "/t/api/session", "https://a.example").await;
    assert_eq!(out.status, 204);
    assert!(out.header("set-cookie").starts_with("trawl_session=; Path=/t; Max-Age=0;"));
    for wrong in ["", "x", &key[..61], "eyJhbGciOiJub25lIn0.eyJ1c2VyX2lkIjoiMSJ9."] {
        login(wrong, &[]).await.problem(401, "unauthorized");
    }
    api.state.access.revoke(token.id).await.unwrap();
    with(Method::GET, "/t/api/tasks", "https://a.example").await.problem(401, "unauthorized");
}

/// The cookie is the visitor's: a page of another site that may call has no part in it.
#[tokio::test]
async fn a_page_of_another_site_shows_a_token_of_its_own() {
    let page = "https://app.example";
    let api = guarded_with(|config| config.server.cors_origins = vec![page.to_owned()]).await;
    let key = api.token_for(WORKER).await;
    let (session, _) = api.state.access.session(&key, None).await.unwrap();
    let send = async |origin: &str, name: &str, value: String| {
        let request = Request::builder().method(Method::POST).uri_str("/api/tasks").content_type("application/json");
        let request = request.header("host", "a.example").header("origin", origin).header(name, value);
        api.send(request.body(r#"{"link": "https://example.com/a.mp3"}"#)).await
    };
    let cookie = || format!("trawl_session={session}");
    assert_eq!(send("https://a.example", "cookie", cookie()).await.status, 202);
    send(page, "cookie", cookie()).await.problem(401, "unauthorized");
    assert_eq!(send(page, "x-api-key", key.clone()).await.status, 202);
}
