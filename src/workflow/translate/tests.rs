use super::*;
use crate::workflow::validate::{self, Problem, World};

fn translated(given: Value) -> Translated {
    translate(&given, &["sentiment".to_owned()]).unwrap()
}

fn why(given: Value) -> String {
    translate(&given, &[]).unwrap_err().detail
}

fn whole() -> Value {
    json!({
        "WORKFLOW_NAME": "Video Workflow 1", "DESCRIPTION": "from link to words", "TRIGGER_TYPE": "MANUAL",
        "CALLBACK_URL": "https://example.com/done",
        "tasks": [
            {"TASK_ID": "Get Video", "COMPONENT": "Downloader", "PARAMETERS": {"url": "https://example.com/v"}, "TIMEOUT": 120},
            {"TASK_ID": "words", "COMPONENT": "whisper", "DEPENDENCIES": ["Get Video"], "PARAMETERS": {"language": "en"},
             "RETRY_POLICY": {"max_retries": 3, "interval": 5}, "DELAY": 10, "PRIORITY": "HIGH",
             "CONDITION": {"@IF": {"language": "en"}, "@THEN": "sum"}},
            {"TASK_ID": "sum", "COMPONENT": "ChatGPT", "DEPENDENCIES": ["words"], "PARAMETERS": {"prompt": "Sum it up."}},
            {"TASK_ID": "mood", "COMPONENT": "sentiment", "DEPENDENCIES": ["words"], "PARAMETERS": {"text": "${steps.words.output.text}"}}]})
}

#[test]
fn a_whole_one_becomes_a_definition() {
    let Translated { definition, warnings } = translated(whole());
    assert_eq!(warnings, ["PRIORITY of task \"words\" is left out: tasks have a priority, their steps have none"]);
    assert_eq!(
        (&definition["name"], &definition["title"]),
        (&json!("video-workflow-1"), &json!("Video Workflow 1: from link to words"))
    );
    let steps = &definition["steps"];
    assert_eq!(steps["get_video_source"], json!({"use": "resolve", "with": {"link": "https://example.com/v"}}));
    assert_eq!(
        steps["get_video"],
        json!({"use": "download", "with": {"from": "${steps.get_video_source.output}"}, "timeout": "120s"})
    );
    assert_eq!(
        steps["words"],
        json!({"use": "transcribe", "with": {"language": "en", "media": "${steps.get_video.output}"}, "after": ["get_video"],
            "retry": {"max": 3, "factor": 1, "first": "5s"}, "delay": "10s"})
    );
    assert_eq!(
        steps["sum"],
        json!({"use": "llm", "with": {"system": "Sum it up.", "input": "${steps.words.output.text}"}, "after": ["words"],
            "when": "steps.words.output.language == \"en\""})
    );
    assert_eq!(steps["mood"]["use"], "exec:sentiment");
    assert_eq!(steps["callback_completed"]["with"]["url"], "https://example.com/done");
    assert_eq!(definition["on_error"]["callback_failed"]["with"]["data"]["status"], "FAILED");
    let problems = validate::check(&definition.to_string(), &World::default()).problems;
    let errors: Vec<&Problem> = problems.iter().filter(|problem| problem.is_error()).collect();
    assert!(errors.is_empty(), "{errors:?}");
}

#[test]
fn a_link_that_nobody_gives_is_that_of_the_task() {
    let tasks = json!([{"TASK_ID": "1", "COMPONENT": "transcribe"}]);
    let Translated { definition, .. } =
        translated(json!({"WORKFLOW_NAME": "转写", "TRIGGER_TYPE": "MANUAL", "tasks": tasks}));
    assert!(definition["name"].as_str().unwrap().starts_with("w-"));
    assert_eq!(definition["params"], json!({"link": {"type": "url"}}));
    assert_eq!(definition["steps"].as_object().unwrap().len(), 3);
    assert!(validate::parse(&definition.to_string()).is_ok());
}

#[test]
fn steps_that_are_added_take_no_name_of_another() {
    let tasks = json!([{"TASK_ID": "a", "COMPONENT": "transcribe"}, {"TASK_ID": "a_media", "COMPONENT": "http",
        "PARAMETERS": {"url": "https://example.com"}}, {"TASK_ID": "a_source", "COMPONENT": "condition"}]);
    let given = json!({"WORKFLOW_NAME": "x", "TRIGGER_TYPE": "MANUAL", "tasks": tasks});
    let steps = translated(given).definition["steps"].clone();
    assert_eq!(steps.as_object().unwrap().len(), 5);
    assert_eq!((&steps["a_media"]["use"], &steps["a_source"]["use"]), (&json!("http"), &json!("condition")));
    assert_eq!(steps["a"]["with"]["media"], "${steps.a_media_2.output}");
    assert_eq!(steps["a_media_2"]["with"]["from"], "${steps.a_source_2.output}");

    let task = json!({"TASK_ID": "Callback Failed", "COMPONENT": "condition"});
    let mut given = json!({"WORKFLOW_NAME": "x", "TRIGGER_TYPE": "MANUAL", "tasks": [task]});
    translated(given.clone());
    given["CALLBACK_URL"] = json!("https://example.com");
    assert!(why(given).contains("CALLBACK_URL"));
}

#[test]
fn triggers_need_their_time_or_event() {
    let of = |more: Value| {
        let mut given = json!({"WORKFLOW_NAME": "x", "tasks": [{"TASK_ID": "a", "COMPONENT": "http", "PARAMETERS": {"url": "https://example.com"}}]});
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        given
    };
    assert_eq!(
        translated(of(json!({"TRIGGER_TYPE": "SCHEDULED", "CRON": "0 9 * * *"}))).definition["triggers"],
        json!([{"cron": "0 9 * * *"}])
    );
    assert_eq!(
        why(of(json!({"TRIGGER_TYPE": "SCHEDULED"}))),
        "/TRIGGER_TYPE: E_CRON: SCHEDULED needs a time table: add \"CRON\": \"0 9 * * *\""
    );
    assert!(why(of(json!({"TRIGGER_TYPE": "EVENT"}))).contains("media.created"));
    // What needs a link gets that of the event; a time brings none.
    let heard = |more: Value| {
        let mut given = json!({"WORKFLOW_NAME": "x", "tasks": [{"TASK_ID": "a", "COMPONENT": "whisper"}]});
        given.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        given
    };
    for (event, link) in [("media.created", "media:${event.media.id}"), ("task.failed", "${event.task.link}")] {
        let definition = translated(heard(json!({"TRIGGER_TYPE": "EVENT", "EVENT": event}))).definition;
        assert_eq!(definition["triggers"], json!([{"event": event, "params": {"link": link}}]));
        assert!(validate::parse(&definition.to_string()).is_ok());
    }
    assert!(
        why(heard(json!({"TRIGGER_TYPE": "SCHEDULED", "CRON": "0 9 * * *"})))
            .starts_with("/tasks: SCHEDULED needs a link")
    );
    assert!(why(of(json!({"TRIGGER_TYPE": "manual"}))).contains("MANUAL, SCHEDULED or EVENT"));
    let notify = json!({"TRIGGER_TYPE": "MANUAL", "NOTIFY_ON_COMPLETION": {"channel": "email", "recipient": "a", "message": "b"}});
    assert!(why(of(notify)).contains("CALLBACK_URL"));
}

#[test]
fn what_is_missing_is_told_with_its_place() {
    assert_eq!(why(json!({})), "/WORKFLOW_NAME: field \"WORKFLOW_NAME\" is missing");
    assert_eq!(why(json!({"WORKFLOW_NAME": "x"})), "/tasks: field \"tasks\" is missing");
    let of = |task: Value| json!({"WORKFLOW_NAME": "x", "TRIGGER_TYPE": "MANUAL", "tasks": [task]});
    assert_eq!(why(of(json!({"TASK_ID": "a"}))), "/tasks/0/COMPONENT: field \"COMPONENT\" is missing");
    assert!(
        why(of(json!({"TASK_ID": "a", "COMPONENT": "http", "CONDITION": {"@IF": "true", "@THEN": "b"}})))
            .contains("no task \"b\"")
    );
    for (field, value, problem) in [
        ("DEPENDENCIES", json!(["b"]), "/tasks/0/DEPENDENCIES: no task \"b\""),
        ("DEPENDENCIES", json!([5]), "/tasks/0/DEPENDENCIES: no task 5"),
        ("DEPENDENCIES", json!("a"), "/tasks/0/DEPENDENCIES: must be a list of TASK_IDs"),
        ("RETRY_POLICY", json!({"max_retries": "3"}), "/tasks/0/RETRY_POLICY/max_retries: must be a whole number"),
        ("RETRY_POLICY", json!({"interval": 0.5}), "/tasks/0/RETRY_POLICY/interval: must be a whole number"),
        ("TIMEOUT", json!("60"), "/tasks/0/TIMEOUT: must be a whole number of seconds"),
        (
            "CONDITION",
            json!({"@IF": {"status": 200}, "@THEN": "a"}),
            "/tasks/0/CONDITION: @THEN names the task itself: it decides about others",
        ),
    ] {
        let mut task = json!({"TASK_ID": "a", "COMPONENT": "http"});
        task[field] = value;
        assert_eq!(why(of(task)), problem);
    }
    // A component that nobody knows is refused by the check, with the kinds that there are.
    let unknown = translated(of(json!({"TASK_ID": "a", "COMPONENT": "Teleport"})));
    assert!(validate::parse(&unknown.definition.to_string()).unwrap_err().detail.contains("E_KIND /steps/a/use"));
}
