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
    std::fs::write(&bad, "{").unwrap();
    let (code, told) = run(&["validate", bad.to_str().unwrap()]);
    assert_eq!((code, told), (1, format!("{}: E_JSON line 1, column 1: EOF while parsing an object\n", bad.display())));
    // As a shell writes out the folder that ships, its schema included.
    let files = std::fs::read_dir(root().join("workflows")).unwrap().map(|entry| entry.unwrap().path());
    let all: Vec<String> = files.filter(|path| path.is_file()).map(|path| path.display().to_string()).collect();
    assert!(all.iter().any(|file| file.ends_with("schema.json")), "{all:?}");
    let all: Vec<&str> = std::iter::once("validate").chain(all.iter().map(String::as_str)).collect();
    assert_eq!(run(&all), (0, String::new()));
    // What it runs is looked at, and what the machine has.
    let call = json!({"use": "workflow", "with": {"name": "transcribe-summarise", "params": {"lnik": "x"}}});
    let steps =
        json!({"a": call, "b": {"use": "exec:mood"}, "c": {"use": "llm", "with": {"prompt": "sumary", "input": "x"}}});
    std::fs::write(
        &bad,
        json!({"dsl": 1, "name": "x", "steps": steps, "output": "${steps.c.output.text}"}).to_string(),
    )
    .unwrap();
    let (code, told) = run(&["validate", bad.to_str().unwrap()]);
    assert_eq!(code, 1);
    for (place, words) in [
        (
            "a/with/params/lnik",
            "E_PARAM workflow \"transcribe-summarise\" has no parameter \"lnik\"; did you mean \"link\"?",
        ),
        ("c/with/prompt", "W_UNKNOWN no prompt \"sumary\" is configured here; did you mean \"summary\"?"),
    ] {
        assert!(told.contains(&format!("bad.json:/steps/{place}: {words}")), "{told}");
    }
    assert!(!told.contains("exec") && !told.contains("model"), "{told}");
    let config = folder.path().join("trawl.toml");
    std::fs::write(&config, "exec.moods.argv = [\"true\"]\n").unwrap();
    let (_, told) = run(&["validate", "--config", config.to_str().unwrap(), bad.to_str().unwrap()]);
    assert!(
        told.contains("/steps/b/use: W_UNKNOWN no program \"mood\" is configured here; did you mean \"moods\"?"),
        "{told}"
    );
    assert!(told.contains("/steps/c: W_UNKNOWN no language model is configured here"), "{told}");
    let (code, went) = run(&["test", shipped, "--params", r#"{"link": "https://example.com"}"#]);
    assert_eq!(code, 0);
    assert!(went.contains("\"status\": \"completed\""), "{went}");
}

#[test]
fn a_run_tells_what_is_wrong_before_anything_is_fetched() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("trawl.toml");
    // A model that cannot be had: nobody comes as far.
    std::fs::write(&config, "models.offline = true\nmodels.dir = \"none\"\n").unwrap();
    let run = |text: &str, params: &[&str]| {
        let mut command = std::process::Command::new(program());
        command.args(["workflow", "run", "-", "--config", config.to_str().unwrap()]).args(params);
        let mut child =
            command.stdin(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), text.as_bytes()).unwrap();
        String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap()
    };
    let shipped = std::fs::read_to_string(root().join("workflows/transcribe.json")).unwrap();
    let told = run(&shipped, &[]);
    assert!(told.contains("Parameter \"link\" is missing") && told.contains("The workflow takes link (url)"), "{told}");
    let told = run(&shipped, &["--param", "lnik=x"]);
    assert!(told.contains("There is no parameter \"lnik\"") && told.contains("Did you mean \"link\"?"), "{told}");
    assert!(run(&shipped, &["--param", "link=x"]).contains("model_missing"));
    assert!(run(&" ".repeat((16 << 20) + 1), &[]).contains("- is larger than 16 MiB"));
}
