//! Secrets.

use poem::http::Method;

use super::*;

impl Api {
    async fn put(&self, path: &str, body: Value) -> Answer {
        let request = Request::builder().method(Method::PUT).uri_str(path).content_type("application/json");
        self.send(request.body(body.to_string())).await
    }
}

#[tokio::test]
async fn secrets_go_in_and_never_come_out() {
    let api = Api::new().await;
    let value = "hush-7f3a91c2";
    let set = api.put("/api/secrets/key", json!({ "value": value, "hosts": ["*.Example.com", "exec:x"] })).await;
    assert_eq!((set.status.as_u16(), &set.json()["hosts"]), (201, &json!(["*.example.com", "exec:x"])));
    let again = api.put("/api/secrets/key", json!({ "value": value, "hosts": ["exec:x"] })).await;
    assert_eq!(
        (again.status.as_u16(), &again.json()["hosts"], &again.json()["last_used_at"]),
        (200, &json!(["exec:x"]), &Value::Null)
    );
    let listed = api.get("/api/secrets").await.json();
    assert_eq!((&listed["items"][0]["name"], listed["items"].as_array().map(Vec::len)), (&json!("key"), Some(1)));
    for (path, body, field) in [
        ("/api/secrets/a-b", json!({ "value": value, "hosts": ["a.example"] }), "name"),
        ("/api/secrets/a", json!({ "value": "short", "hosts": ["a.example"] }), "value"),
        ("/api/secrets/a", json!({ "value": value, "hosts": [] }), "hosts"),
        ("/api/secrets/a", json!({ "value": value, "hosts": ["*"] }), "hosts"),
    ] {
        let problem = api.put(path, body).await;
        assert_eq!((problem.status.as_u16(), &problem.json()["field"]), (422, &json!(field)), "{path}");
        assert!(!problem.json().to_string().contains(value));
    }
    for answer in [set.json(), again.json(), listed] {
        assert!(!answer.to_string().contains(value), "{answer}");
    }
    let remove = || Request::builder().method(Method::DELETE).uri_str("/api/secrets/key").finish();
    assert_eq!(api.send(remove()).await.status, 204);
    api.send(remove()).await.problem(404, "not_found");
}
