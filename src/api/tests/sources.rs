//! Sources over the API; how they are read is tested in `follow`.

use poem::http::Method;
use serde_json::{Value, json};

use super::*;
use crate::follow::tests::post;

impl Api {
    pub(super) async fn patch(&self, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(Method::PATCH).uri_str(path).content_type("application/json");
        self.send(request.body(body.to_string())).await
    }

    async fn follow(&self, body: Value) -> Answer {
        self.post("/api/sources", body.to_string()).await
    }
}

fn list(number: usize) -> String {
    format!("https://example.com/lists/{number}")
}

#[tokio::test]
async fn a_list_is_followed_polled_changed_and_forgotten() {
    let api = Api::new().await;
    api.list.show(["2", "1"].map(post).to_vec());
    let answer = api.follow(json!({ "link": list(1), "options": {"language": "en"}, "priority": "low" })).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (201, "/api/sources/1"));
    let answer = answer.json();
    assert_eq!(answer["poll"]["new"], 2);
    assert_eq!(answer["poll"]["tasks"], json!([1, 2]));
    let source = &answer["source"];
    assert_eq!(
        (&source["title"], &source["state"], &source["items"]),
        (&json!("The list"), &json!("active"), &json!(2))
    );
    assert_eq!((&source["workflow"], &source["pages"]), (&json!("transcribe"), &json!(1)));
    assert_eq!(api.get("/api/sources/1").await.json(), *source);
    let twice = api.follow(json!({ "link": list(1) })).await.problem(409, "conflict");
    assert!(twice["detail"].as_str().unwrap().contains("source 1"), "{twice}");

    let changed = api.patch("/api/sources/1", json!({ "state": "paused", "title": " Mine ", "pages": 3 })).await.json();
    assert_eq!(
        (&changed["state"], &changed["title"], &changed["pages"]),
        (&json!("paused"), &json!("Mine"), &json!(3))
    );
    assert_eq!((&changed["options"], &changed["priority"]), (&json!({"language": "en"}), &json!("low")));
    let hook = |url: &str| json!({ "callback_url": url });
    let with = api.patch("/api/sources/1", hook("https://example.com/hook")).await.json();
    assert_eq!(with["callback_url"], "https://example.com/hook");
    assert_eq!(api.patch("/api/sources/1", hook("")).await.json()["callback_url"], Value::Null);

    api.list.show(["3", "2", "1"].map(post).to_vec());
    let polled = api.post("/api/sources/1/run", "").await.json();
    assert_eq!((&polled["poll"]["new"], &polled["poll"]["seen"]), (&json!(1), &json!(2)));
    assert_eq!(polled["source"]["items"], 3);
    let items = api.get("/api/sources/1/items?limit=2").await.json();
    assert_eq!((&items["total"], &items["items"][0]["title"]), (&json!(3), &json!("Post p3")));
    assert_eq!((&items["items"][0]["task_id"], &items["items"][0]["status"]), (&json!(3), &json!("queued")));
    let cursor = items["next_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/api/sources/1/items?cursor={cursor}")).await.json();
    assert_eq!((&rest["items"][0]["item_id"], &rest["next_cursor"]), (&json!("p1"), &Value::Null));

    let gone = api.send(Request::builder().method(Method::DELETE).uri_str("/api/sources/1").finish()).await;
    assert_eq!(gone.status, 204);
    for path in ["/api/sources/1", "/api/sources/1/items"] {
        api.get(path).await.problem(404, "not_found");
    }
    api.post("/api/sources/1/run", "").await.problem(404, "not_found");
    api.patch("/api/sources/1", json!({})).await.problem(404, "not_found");
    assert_eq!(api.get("/api/tasks").await.json()["total"], 3);
}

#[tokio::test]
async fn sources_come_in_pages() {
    let api = Api::new().await;
    for number in 1..=3 {
        assert_eq!(api.follow(json!({ "link": list(number), "backfill": "none" })).await.status, 201);
    }
    api.patch("/api/sources/2", json!({ "state": "paused" })).await;
    let page = api.get("/api/sources?limit=2").await.json();
    assert_eq!((&page["total"], &page["items"][0]["id"], &page["items"][1]["id"]), (&json!(3), &json!(3), &json!(2)));
    let cursor = page["next_cursor"].as_str().unwrap();
    let rest = api.get(&format!("/api/sources?limit=2&cursor={cursor}")).await.json();
    assert_eq!((&rest["items"][0]["id"], &rest["next_cursor"]), (&json!(1), &Value::Null));
    let paused = api.get("/api/sources?state=paused").await.json();
    assert_eq!((&paused["total"], &paused["items"][0]["id"]), (&json!(1), &json!(2)));
}

#[tokio::test]
async fn wrong_wishes_are_told() {
    let api = Api::new().await;
    let wrong = [
        (json!({}), "invalid_value", "link"),
        (json!({ "link": "nothing" }), "invalid_link", "link"),
        (json!({ "link": "http://127.0.0.1/list" }), "address_refused", "link"),
        (json!({ "link": list(1), "pages": 0 }), "invalid_value", "pages"),
        (json!({ "link": list(1), "pages": 21 }), "invalid_value", "pages"),
        (json!({ "link": list(1), "backfill": "all" }), "invalid_value", "backfill"),
        (json!({ "link": list(1), "backfill": -1 }), "invalid_value", "backfill"),
        (json!({ "link": list(1), "backfill": 501 }), "invalid_value", "backfill"),
        (json!({ "link": list(1), "backfill": 1.5 }), "invalid_value", "backfill"),
        (json!({ "link": list(1), "title": "x".repeat(301) }), "invalid_value", "title"),
        (json!({ "link": list(1), "workflow": "nope" }), "unknown_workflow", "workflow"),
        (json!({ "link": list(1), "options": {"langauge": "en"} }), "unknown_field", "langauge"),
        (json!({ "link": list(1), "callback_url": "ftp://x" }), "invalid_link", "callback_url"),
        (json!({ "link": list(1), "page": 2 }), "unknown_field", "page"),
    ];
    for (body, code, field) in wrong {
        let problem = api.follow(body.clone()).await.json();
        assert_eq!((&problem["code"], &problem["field"]), (&json!(code), &json!(field)), "{body}: {problem}");
    }
    for (pages, words) in [
        (json!(0), "must be at least 1"),
        (json!(21), "must be at most 20"),
        (json!("1"), "must be of type integer, not"),
    ] {
        let problem = api.follow(json!({ "link": list(1), "pages": pages })).await.problem(422, "invalid_value");
        assert!(problem["detail"].as_str().unwrap().starts_with(&format!("Field \"pages\": {words}")), "{problem}");
    }
    for (id, words) in [("one", "must be a whole number"), ("99999999999999999999", "is out of range")] {
        let problem = api.get(&format!("/api/sources/{id}")).await.problem(422, "invalid_value");
        assert_eq!(problem["detail"], format!("Parameter \"id\": {words}"));
    }
    *api.list.fails.lock().unwrap() = Some((0, || Error::new(Code::PostPrivate, "The account is private")));
    api.follow(json!({ "link": list(1) })).await.problem(403, "post_private");
    *api.list.fails.lock().unwrap() = None;
    assert_eq!(api.get("/api/sources").await.json()["total"], 0);
    assert_eq!(api.follow(json!({ "link": list(1), "backfill": 2, "title": "  " })).await.status, 201);
    for (body, code) in
        [(json!({ "state": "asleep" }), "invalid_value"), (json!({ "options": {"x": 1} }), "unknown_field")]
    {
        assert_eq!(api.patch("/api/sources/1", body.clone()).await.json()["code"], code, "{body}");
    }
    api.get("/api/sources?cursor=x").await.problem(422, "invalid_value");
    // A poll that fails is an answer, not an error of the request.
    *api.list.fails.lock().unwrap() = Some((0, || Error::new(Code::SourceBlocked, "Nothing came")));
    let polled = api.post("/api/sources/1/run", "").await.json();
    assert_eq!(
        (&polled["poll"]["error"]["code"], &polled["source"]["failures"]),
        (&json!("source_blocked"), &json!(1))
    );
    assert_eq!(polled["source"]["last_error"]["detail"], "Nothing came");
}
