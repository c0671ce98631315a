//! Workflows over the API.

use poem::{
    Request,
    http::{Method, StatusCode},
};
use serde_json::{Value, json};

use super::{Answer, Api};

impl Api {
    async fn put_definition(&self, path: &str, body: &Value) -> Answer {
        let request = Request::builder().method(Method::PUT).uri_str(path).content_type("application/json");
        self.send(request.body(body.to_string())).await
    }

    async fn remove(&self, path: &str) -> Answer {
        self.send(Request::builder().method(Method::DELETE).uri_str(path).finish()).await
    }
}

fn definition(url: &str) -> Value {
    json!({"dsl": 1, "title": "Mine", "name": "mine", "steps": {"z": {"use": "http", "with": {"url": url}},
        "a": {"use": "http", "with": {"url": "https://a.example/${steps.z.output.status}"}, "timeout": "60s"}}})
}

#[tokio::test]
async fn a_definition_comes_back_as_it_was_written() {
    let api = Api::new().await;
    let written = definition("https://one.example");
    let made = api.post("/api/workflows", written.to_string()).await;
    assert_eq!((made.status, made.header("location")), (StatusCode::CREATED, "/api/workflows/mine"));
    let read = api.get("/api/workflows/mine").await.json();
    assert_eq!(read["definition"].to_string(), written.to_string());
    assert_eq!((&read["revision"], &read["origin"]), (&json!(1), &json!("api")));
    api.post("/api/workflows", written.to_string()).await.problem(409, "conflict");

    assert_eq!(api.put_definition("/api/workflows/mine", &written).await.json()["revision"], 1);
    assert_eq!(
        api.put_definition("/api/workflows/mine", &definition("https://two.example")).await.json()["revision"],
        2
    );
    let revisions = api.get("/api/workflows/mine/revisions").await.json();
    assert_eq!(revisions["items"].as_array().unwrap().len(), 2);
    let first = api.get("/api/workflows/mine/revisions/1").await.json();
    assert_eq!(first["definition"].to_string(), written.to_string());
    api.get("/api/workflows/mine/revisions/3").await.problem(404, "not_found");
    let wrong = api.put_definition("/api/workflows/other", &written).await.problem(422, "invalid_workflow");
    assert_eq!(wrong["field"], "/name");

    let line = &api.get("/api/workflows").await.json()["items"][0];
    assert_eq!((&line["name"], &line["title"], &line["revision"]), (&json!("mine"), &json!("Mine"), &json!(2)));
    let shipped = &api.get("/api/workflows").await.json()["items"][1];
    let expected = json!({"type": "url", "required": true, "description": shipped["params"]["link"]["description"]});
    assert_eq!((&shipped["name"], &shipped["params"]["link"]), (&json!("transcribe"), &expected));
    assert_eq!(api.remove("/api/workflows/mine").await.status, StatusCode::NO_CONTENT);
    api.get("/api/workflows/mine").await.problem(404, "unknown_workflow");
    api.remove("/api/workflows/mine").await.problem(404, "unknown_workflow");
    // What was deleted can be looked at, and made again under its name.
    assert!(api.get("/api/workflows/mine/revisions").await.json()["items"][0]["deleted_at"].is_string());
    let again = api.post("/api/workflows", written.to_string()).await;
    assert_eq!(again.json()["revision"], 3);
}

#[tokio::test]
async fn everything_wrong_is_in_the_answer() {
    let api = Api::new().await;
    let bad = r#"{"dsl": 2, "name": "x", "steps": {"a": {"use": "shell"}, "a": {"use": "http", "tiemout": "5m"}}}"#;
    let problem = api.post("/api/workflows", bad).await.problem(422, "invalid_workflow");
    let codes: Vec<&str> =
        problem["problems"].as_array().unwrap().iter().map(|p| p["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["E_JSON_DUP", "E_DSL", "E_FIELD", "E_FIELD"]);
    let verdict = api.post("/api/workflows/validate", bad).await.json();
    assert_eq!((&verdict["valid"], verdict["problems"].as_array().unwrap().len()), (&json!(false), 4));
    assert_eq!(verdict["problems"][2]["suggestion"], "timeout");
    let verdict = api.post("/api/workflows/validate", definition("https://one.example").to_string()).await.json();
    assert_eq!(verdict, json!({"valid": true, "problems": []}));
    let broken = api.post("/api/workflows/validate", "{").await.json();
    assert_eq!(broken["problems"][0]["code"], "E_JSON");
}

#[tokio::test]
async fn the_language_describes_itself() {
    let api = Api::new().await;
    assert_eq!(&api.get("/api/workflows/schema.json").await.json(), crate::workflow::schema::schema());
    let kinds = api.get("/api/workflows/kinds").await.json();
    let callback = kinds["items"].as_array().unwrap().iter().find(|kind| kind["kind"] == "callback").unwrap();
    assert_eq!(callback["secret_fields"], json!(["secret"]));
    assert!(callback["with"]["properties"]["url"].is_object());
}

#[tokio::test]
async fn a_workflow_is_tried_without_side_effects() {
    let api = Api::new().await;
    let trial = json!({"params": {"link": "https://x.example"}, "mocks": {"source": {"id": "1"}, "media": {"file": "f"},
        "text": {"text": "hello", "language": "en", "duration": 1.5}}});
    let went = api.post("/api/workflows/transcribe/test", trial.to_string()).await.json();
    assert_eq!((&went["status"], &went["output"]["text"]), (&json!("completed"), &json!("hello")), "{went}");
    assert_eq!(went["steps"][1]["with"], json!({"from": {"id": "1"}}));
    let failed =
        json!({"params": {"link": "https://x.example"}, "mocks": {"media": {"error": {"code": "source_timeout"}}}});
    let went = api.post("/api/workflows/transcribe/test", failed.to_string()).await.json();
    assert_eq!((&went["status"], &went["error"]["code"]), (&json!("failed"), &json!("source_timeout")));
    api.post("/api/workflows/transcribe/test", "{}").await.problem(422, "invalid_value");
    assert!(api.store().open_tasks().await.unwrap().is_empty());
}

#[tokio::test]
async fn the_old_route_answers_in_its_envelope() {
    let api = Api::new().await;
    let old = json!({"WORKFLOW_NAME": "Old Flow", "TRIGGER_TYPE": "MANUAL", "tasks": [
        {"TASK_ID": "text", "COMPONENT": "whisper", "PARAMETERS": {"url": "https://example.com/a.mp3"}}]});
    let answer = api.post("/api/workflow/create_work_flow", old.to_string()).await.json();
    assert_eq!((&answer["code"], &answer["router"]), (&json!(200), &json!("/api/workflow/create_work_flow")));
    assert_eq!(answer["params"], old);
    assert_eq!((&answer["data"]["workflow_id"], &answer["data"]["revision"]), (&json!("old-flow"), &json!(1)));
    assert_eq!(api.get("/api/workflows/old-flow").await.json()["definition"], answer["data"]["definition"]);
    api.post("/api/workflow/create_work_flow", "{}").await.problem(422, "invalid_workflow");
}
