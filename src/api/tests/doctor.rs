//! What trawl needs, as the API tells it.

use serde_json::{Value, json};

use super::Api;

#[tokio::test]
async fn the_doctor_says_what_works() {
    let api = Api::with(|config| {
        let gone = serde_json::from_value(json!({ "argv": ["/nowhere/at-all"] })).unwrap();
        config.exec.insert("gone".to_owned(), gone);
    })
    .await;
    let found = api.get("/api/doctor").await.json();
    let check = |name: &str| -> &Value {
        let all = found["checks"].as_array().unwrap();
        all.iter().find(|check| check["name"] == name).unwrap_or_else(|| panic!("no {name}: {found}"))
    };
    for name in ["cpu", "ffmpeg", "paths.data", "storage", "database"] {
        assert_eq!(check(name)["state"], "ok", "{found}");
    }
    assert_eq!((&check("llm")["state"], &check("identities")["state"]), (&json!("skipped"), &json!("skipped")));
    // A program that is missing fails the workflows that name it, and nothing else.
    assert_eq!((&check("exec.gone")["state"], &check("exec.gone")["code"]), (&json!("warning"), &json!("config")));
    assert!(check("exec.gone")["hint"].is_string() && check("cpu")["hint"].is_null());
    assert_eq!(found["ok"], true, "{found}");
    assert!(!found.to_string().contains("crawlers."), "the platforms were asked");
    let asked = api.get("/api/doctor?links=true").await.json();
    assert!(asked["checks"].as_array().unwrap().len() > found["checks"].as_array().unwrap().len());
}
