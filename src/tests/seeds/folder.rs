//! The system that transcribes folders: `POST /transcription`, `GET /monitoring/{id}`.

use std::{os::unix::fs::symlink, path::Path};

use serde_json::{Value, json};

use super::{
    super::support::{TestApp, sample, walk},
    check_detail, typed_json,
};

const HOST: &str = "http://localhost:8000";

/// A daemon with an ingest folder, in which there is a folder `talks`.
async fn daemon() -> (TestApp, tempfile::TempDir) {
    let home = tempfile::tempdir().unwrap();
    let talks = home.path().join("workdir/talks");
    std::fs::create_dir_all(talks.join("more")).unwrap();
    std::fs::copy(sample("en-known-04.flac"), talks.join("b talk.flac")).unwrap();
    std::fs::copy(sample("zh-new-23.m4a"), talks.join("a.m4a")).unwrap();
    std::fs::write(talks.join("notes.txt"), "words").unwrap();
    std::fs::write(talks.join("broken.mp3"), "words").unwrap();
    std::fs::copy(sample("en-known-12.wav"), talks.join("more/below.wav")).unwrap();
    let app = TestApp::with(&format!("ingest.root = \"{}\"", home.path().join("workdir").display())).await;
    (app, home)
}

async fn start(app: &TestApp, folder: &Path, request: &str) -> Value {
    let (status, body) = typed_json(app, folder, HOST, &format!("curl {request}")).await;
    assert_eq!(status, 200, "{request}: {body}");
    body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_heard_file_by_file() {
    let (app, home) = daemon().await;
    let request =
        "-X POST http://localhost:8000/transcription -H 'Content-Type: application/json' -d '{\"dirname\": \"talks\"}'";
    let started = start(&app, home.path(), request).await;
    assert_eq!((&started["files"], &started["skipped"]), (&3.into(), &json!(["notes.txt"])));
    let id = started["task_id"].as_str().unwrap().to_owned();
    let early = start(&app, home.path(), &format!("http://localhost:8000/monitoring/{id}")).await;
    assert_eq!(early["task_id"], id.as_str());
    assert!(["pending", "processing", "completed"].contains(&early["task_status"].as_str().unwrap()), "{early}");

    let task = app.end(id.parse().unwrap()).await;
    assert_eq!((&task["status"], &task["result"]), (&"completed".into(), &json!({ "done": 2, "failed": 1 })), "{task}");
    let ended = start(&app, home.path(), &format!("http://localhost:8000/monitoring/{id}")).await;
    assert_eq!((&ended["task_id"], &ended["task_status"]), (&id.as_str().into(), &"completed".into()));
    let seen = |index: usize| {
        let file = &ended["files"][index];
        let text = |field: &str| file[field].as_str().unwrap_or_default().to_owned();
        (text("file"), text("task_status"), text("text"))
    };
    let row = |file: &str, status: &str, text: &str| (file.to_owned(), status.to_owned(), text.to_owned());
    assert_eq!(seen(0), row("a.m4a", "completed", "那个飞机很热。"));
    assert_eq!(seen(1), row("b talk.flac", "completed", "The music is near the long box."));
    assert_eq!(seen(2), row("broken.mp3", "failed", ""));
    assert!(ended["files"][2]["error"].as_str().unwrap().contains(' '), "{ended}");
    let child = ended["files"][0]["task_id"].as_str().unwrap();
    assert_eq!(app.text(&format!("/api/tasks/{child}/transcript?format=txt")).await, "那个飞机很热。\n");

    // What is in the folder stays; what was taken of it goes with the task.
    assert_eq!(walk(&home.path().join("workdir")).len(), 5);
    assert_eq!(app.delete(&format!("/api/tasks/{id}")).await, 204);
    assert_eq!(app.get("/api/tasks").await.1["total"], 0);
    assert_eq!(walk(&app.folder().join("data/media")), Vec::<std::path::PathBuf>::new());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_may_stand_anywhere_and_the_language_be_a_name() {
    let (app, home) = daemon().await;
    let absolute = home.path().join("workdir/talks");
    std::fs::remove_file(absolute.join("broken.mp3")).unwrap();
    for request in [
        "http://localhost:8000/transcription -d dirname=talks/ -d language=Chinese".to_owned(),
        "http://localhost:8000/transcription -F dirname=./talks -F language=Chinese".to_owned(),
        format!("-X POST 'http://localhost:8000/transcription?language=Chinese&dirname={}'", absolute.display()),
    ] {
        let started = start(&app, home.path(), &request).await;
        let id = started["task_id"].as_str().unwrap().parse().unwrap();
        assert_eq!(app.end(id).await["result"], json!({ "done": 2, "failed": 0 }), "{request}");
        let ended = start(&app, home.path(), &format!("http://localhost:8000/monitoring/{id}")).await;
        let (_, child) = app.get(&format!("/api/tasks/{}", ended["files"][0]["task_id"].as_str().unwrap())).await;
        assert_eq!((&child["options"]["language"], &child["result"]["language"]), (&"Chinese".into(), &"zh".into()));
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_folders_below_the_root_is_taken() {
    let (app, home) = daemon().await;
    let outside = home.path().join("outside");
    std::fs::create_dir(&outside).unwrap();
    std::fs::copy(sample("en-known-04.flac"), outside.join("secret.flac")).unwrap();
    symlink(&outside, home.path().join("workdir/escape")).unwrap();
    let outside = outside.display();
    for (data, status, says) in [
        ("-X POST".to_owned(), 400, "There is no dirname"),
        ("--json '{}'".to_owned(), 400, "There is no dirname"),
        ("--json '{\"dirname\": null}'".to_owned(), 400, "There is no dirname"),
        ("--json '{\"dirname\":'".to_owned(), 400, "JSON"),
        ("-d dirname=../outside".to_owned(), 400, "leads out"),
        ("-d dirname=talks/../../outside".to_owned(), 400, "leads out"),
        ("-d dirname=escape".to_owned(), 400, "leads out"),
        (format!("-d dirname={outside}"), 400, "leads out"),
        ("-d dirname=/etc".to_owned(), 400, "leads out"),
        ("-d dirname=nowhere".to_owned(), 404, "no such folder"),
        ("-d dirname=talks/a.m4a".to_owned(), 404, "no such folder"),
        ("-d dirname=.".to_owned(), 400, "no audio or video"),
        ("-d dirname=talks -d language=klingon".to_owned(), 422, "klingon"),
        ("-d dirname=talks -d model=large-v2".to_owned(), 503, "large-v2"),
    ] {
        let command = format!("curl {HOST}/transcription {data}");
        let answer = typed_json(&app, home.path(), HOST, &command).await;
        check_detail(&data, &answer, status, says);
        assert!(!answer.1.to_string().contains(home.path().to_str().unwrap()), "{answer:?}");
    }
    for id in ["77", "0", "seven", "-1", "99999999999999999999"] {
        let answer = typed_json(&app, home.path(), HOST, &format!("curl {HOST}/monitoring/{id}")).await;
        check_detail(id, &answer, 404, "There is no task");
    }
    assert_eq!(app.get("/api/tasks").await.1["total"], 0);
    assert_eq!(walk(&app.folder().join("data/media")), Vec::<std::path::PathBuf>::new());
    app.finish().await;

    let app = TestApp::start().await;
    let answer = typed_json(&app, home.path(), HOST, &format!("curl {HOST}/transcription -d dirname=talks")).await;
    check_detail("no root", &answer, 404, "ingest.root");
    app.finish().await;
}
