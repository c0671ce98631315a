//! Workflows as people meet them: from the old route, and from the command line.

use serde_json::json;

use super::support::{TestApp, program, root};

#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_of_the_readme_era_really_runs() {
    let app = TestApp::start().await;
    let old = json!({"WORKFLOW_NAME": "Old Flow", "TRIGGER_TYPE": "MANUAL", "tasks": [
        {"TASK_ID": "pick", "COMPONENT": "condition", "PARAMETERS": {"cases": [{"when": "task.id > 0", "value": "yes"}], "else": "no"}},
        {"TASK_ID": "again", "COMPONENT": "condition", "DEPENDENCIES": ["pick"],
         "PARAMETERS": {"cases": [], "else": "${steps.pick.output.value}!"}}]});
    let (status, answer) = app.post("/api/workflow/create_work_flow", old).await;
    assert_eq!((status, &answer["data"]["workflow_id"]), (200, &json!("old-flow")), "{answer}");
    let shipped = json!({"WORKFLOW_NAME": "Transcribe", "TRIGGER_TYPE": "MANUAL", "tasks": [{"TASK_ID": "a", "COMPONENT": "condition"}]});
    assert_eq!(app.post("/api/workflow/create_work_flow", shipped).await.0, 409);
    let id = app.submit(json!({"workflow": "old-flow"})).await;
    let task = app.end(id).await;
    assert_eq!(task["status"], "completed", "{task}");
    app.finish().await;
}

#[test]
fn the_command_line_tells_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, r#"{"dsl": 1, "name": "x", "steps": {"a": {"use": "shell"}}}"#).unwrap();
    let run = |args: &[&str]| {
        let done = std::process::Command::new(program()).args(["workflow"]).args(args).output().unwrap();
        (done.status.code().unwrap(), String::from_utf8(done.stdout).unwrap())
    };
    let shipped = root().join("workflows/transcribe.json");
    let shipped = shipped.to_str().unwrap();
    assert_eq!(run(&["validate", shipped]), (0, String::new()));
    let (code, told) = run(&["validate", shipped, bad.to_str().unwrap()]);
    assert_eq!(code, 1);
    assert!(told.contains("bad.json:/steps/a/use: E_KIND unknown kind \"shell\""), "{told}");
    assert_eq!(run(&["validate", "/nowhere/x.json"]).0, 2);
    let (code, went) = run(&["test", shipped, "--params", r#"{"link": "https://example.com"}"#]);
    assert_eq!(code, 0);
    assert!(went.contains("\"status\": \"completed\""), "{went}");
}
