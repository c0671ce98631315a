//! Models and devices.

use poem::http::Method;

use super::*;

const SMOKE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/models/smoke/ggml-smoke-q8_0.bin");

/// An API with a models folder of its own that holds the smoke model.
async fn api() -> Api {
    let folder = tempfile::tempdir().unwrap().keep();
    std::fs::copy(SMOKE, folder.join("ggml-smoke-q8_0.bin")).unwrap();
    Api::with(|config| config.models.dir = folder).await
}

impl Api {
    async fn delete(&self, path: &str) -> Answer {
        self.send(Request::builder().method(Method::DELETE).uri_str(path).finish()).await
    }
}

/// The folder goes with the test.
struct Gone<'a>(&'a Api);

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0.state.config.models.dir);
    }
}

#[tokio::test]
async fn models_are_listed_with_all_that_is_known() {
    let api = api().await;
    let _gone = Gone(&api);
    let list = api.get("/api/models").await.json();
    let entry = |name: &str| list["items"].as_array().unwrap().iter().find(|model| model["name"] == name).unwrap();
    let smoke = entry("smoke-q8_0");
    assert_eq!((&smoke["present"], &smoke["official"], &smoke["problem"]), (&json!(true), &json!(false), &Value::Null));
    assert_eq!((&smoke["info"]["ftype"], &smoke["aliases"]), (&json!("q8_0"), &json!(["smoke"])));
    assert_eq!((&smoke["loaded_on"], &smoke["pull"]), (&json!([]), &Value::Null));
    let base = entry("base");
    assert_eq!((&base["present"], &base["default"], &base["size"]), (&json!(false), &json!(true), &json!(142 << 20)));
    assert!(base["aliases"].as_array().unwrap().contains(&json!("whisper-1")), "{base}");
    assert_eq!(entry("base-q5_1")["size"], Value::Null);
    assert_eq!(&api.get("/api/models/SMOKE").await.json(), smoke);
    assert_eq!(&api.get("/api/models/auto").await.json(), base);
}

#[tokio::test]
async fn names_in_paths_are_names_and_no_paths() {
    let api = api().await;
    let _gone = Gone(&api);
    std::fs::write(api.folder.path().join("ggml-outside.bin"), "x").unwrap();
    for name in ["nothing", "..%2F..%2Fetc%2Fpasswd", "..", "ggml-smoke-q8_0.bin", "%00", "..%2Foutside"] {
        for path in ["", "/pull", "/load", "/unload"] {
            let path = format!("/api/models/{name}{path}");
            let answer = if path.ends_with(name) { api.delete(&path).await } else { api.post(&path, "").await };
            answer.problem(404, "not_found");
        }
        api.get(&format!("/api/models/{name}")).await.problem(404, "not_found");
    }
    let hint = api.get("/api/models/large-v3-trubo").await.problem(404, "not_found")["hint"].clone();
    assert_eq!(hint, "Did you mean \"large-v3-turbo\"?");
}

#[tokio::test]
async fn a_download_is_started_looked_at_and_stopped() {
    let api = api().await;
    let _gone = Gone(&api);
    let answer = api.post("/api/models/Tiny/pull", "").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (202, "/api/models/tiny"), "{}", answer.text());
    assert_eq!(answer.json()["pull"]["state"], "running");
    api.post("/api/models/tiny/pull", "").await.problem(409, "conflict");
    let stopped = api.delete("/api/models/tiny/pull").await;
    assert_eq!((stopped.status.as_u16(), &stopped.json()["pull"]["state"]), (200, &json!("cancelled")));
    api.delete("/api/models/tiny/pull").await.problem(404, "not_found");
    let here = api.post("/api/models/smoke/pull", "").await;
    assert_eq!((here.status.as_u16(), &here.json()["name"]), (200, &json!("smoke-q8_0")));
}

#[tokio::test]
async fn without_downloads_a_model_is_not_asked_for() {
    let api = Api::with(|config| config.models.offline = true).await;
    let problem = api.post("/api/models/tiny/pull", "").await.problem(502, "model_pull");
    assert!(problem["hint"].as_str().unwrap().contains("ggml-tiny.bin"), "{problem}");
}

#[tokio::test]
async fn a_model_is_removed_but_not_while_it_comes() {
    let api = api().await;
    let _gone = Gone(&api);
    api.delete("/api/models/tiny").await.problem(404, "not_found");
    api.post("/api/models/tiny/load", "").await.problem(404, "not_found");
    assert_eq!(api.post("/api/models/smoke/unload", "").await.status, 200, "what is not loaded is unloaded");
    let answer = api.delete("/api/models/smoke").await;
    assert_eq!((answer.status.as_u16(), answer.text().as_str()), (204, ""));
    api.get("/api/models/smoke-q8_0").await.problem(404, "not_found");
    assert_eq!(std::fs::read_dir(&api.state.config.models.dir).unwrap().count(), 0);
}

#[tokio::test]
async fn without_a_device_nothing_is_loaded_here() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::copy(SMOKE, folder.path().join("ggml-smoke-q8_0.bin")).unwrap();
    let lab = "url = \"http://127.0.0.1:9/v1\"\nmodel = \"smoke-q8_0\"";
    let api = Api::with(|config| {
        config.models.dir = folder.path().to_owned();
        config.engine.devices.clear();
        config.engine.remote.insert("lab".to_owned(), toml(lab));
    })
    .await;
    let problem = api.post("/api/models/smoke/load", "").await.problem(409, "conflict");
    assert!(problem["hint"].as_str().unwrap().contains("engine.devices"), "{problem}");
    assert_eq!(api.get("/api/models/smoke").await.json()["loaded_on"], json!([]), "a server elsewhere is not here");
}

/// A server's settings.
fn toml(text: &str) -> crate::config::RemoteConfig {
    let read = config::Config::builder().add_source(config::File::from_str(text, config::FileFormat::Toml)).build();
    read.unwrap().try_deserialize().unwrap()
}

#[tokio::test]
async fn devices_and_engines_are_shown() {
    let api = api().await;
    let _gone = Gone(&api);
    let devices = api.get("/api/devices").await.json();
    assert!(devices["devices"].is_array() && devices["engines"].is_array(), "{devices}");
}
