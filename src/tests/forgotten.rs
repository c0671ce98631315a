//! A task that is deleted is gone: from every table, and from every file of the data folder.

use std::{path::Path, time::Duration};

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use serde_json::json;

use super::support::{Receiver, Reply, Site, TestApp, sample_bytes, walk};

/// A word that is nowhere but in the task. The search finds words, so it is one.
const MARK: &str = "zanzibarite";

/// Where the word stands in the database: table and column.
async fn places(on: &DatabaseConnection) -> Vec<String> {
    let columns = "SELECT m.name || '.' || c.name AS place, m.name AS name, c.name AS field FROM sqlite_master m \
                   JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL%'";
    let statement = |sql: String| Statement::from_string(DbBackend::Sqlite, sql);
    let mut found = Vec::new();
    for row in on.query_all_raw(statement(columns.to_owned())).await.unwrap() {
        let text = |field: &str| row.try_get::<String>("", field).unwrap();
        let sql = format!(
            "SELECT 1 FROM \"{}\" WHERE instr(CAST(\"{}\" AS BLOB), CAST('{MARK}' AS BLOB)) > 0",
            text("name"),
            text("field")
        );
        if on.query_one_raw(statement(sql)).await.unwrap().is_some() {
            found.push(text("place"));
        }
    }
    found
}

/// The files whose bytes hold the word.
fn files(folder: &Path) -> Vec<String> {
    let holds = |path: &Path| {
        std::fs::read(path).is_ok_and(|bytes| bytes.windows(MARK.len()).any(|some| some == MARK.as_bytes()))
    };
    walk(folder).into_iter().filter(|path| holds(path)).map(|path| path.display().to_string()).collect()
}

/// The tasks that events have started, once there are so many.
async fn followers(app: &TestApp, many: usize) -> Vec<i64> {
    let mut events = app.app.services.queue.wake().events();
    loop {
        let (_, all) = app.get("/api/tasks?workflow=follower").await;
        let ids: Vec<i64> = all["items"].as_array().unwrap().iter().filter_map(|task| task["id"].as_i64()).collect();
        if ids.len() == many {
            return ids;
        }
        tokio::time::timeout(Duration::from_secs(60), events.changed()).await.expect("nothing is started").unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_left_of_a_task_that_was_deleted() {
    let (site, mut receiver) = (Site::start().await, Receiver::start().await);
    let app = TestApp::with("retention.every = \"1s\"").await;
    // A workflow that takes link and title of every task over, into what it is started with.
    let follower = json!({
        "dsl": 1, "name": "follower", "params": {"text": {"type": "string"}},
        "triggers": [{
            "event": "transcript.created", "when": "event.task.workflow == 'transcribe'",
            "params": {"text": "${event.task.link} ${event.media.title}"}
        }],
        "steps": {"choose": {"use": "condition", "with": {"cases": [{"when": "true", "value": "yes"}]}}}
    });
    let (status, answer) = app.post("/api/workflows", follower).await;
    assert_eq!(status, 201, "{answer}");
    let clip = Reply::Body("audio/flac", sample_bytes("en-known-04.flac"));
    site.put(&format!("/{MARK}.flac"), clip);
    let page = format!("<title>About {MARK}</title><audio src='{MARK}.flac'></audio>").into_bytes();
    let link = site.put(&format!("/page-{MARK}"), Reply::Body("text/html", page));
    let failing = site.put(&format!("/none-{MARK}"), Reply::Status(404, "gone"));
    let callback = format!("{}?{MARK}", receiver.url);
    let body = |link: &str| json!({ "link": link, "callback_url": callback, "options": { "initial_prompt": MARK } });
    let mut tasks = Vec::new();
    for link in [&link, &failing] {
        let send = app.http.post(format!("{}/api/tasks", app.url)).header("idempotency-key", format!("{MARK}{link}"));
        let task: serde_json::Value = send.json(&body(link)).send().await.unwrap().json().await.unwrap();
        tasks.push(task["id"].as_i64().unwrap_or_else(|| panic!("{task}")));
    }
    let (status, uploaded) = app.upload(&format!("{MARK}.flac"), sample_bytes("en-known-02.flac"), &[]).await;
    assert_eq!(status, 202, "{uploaded}");
    tasks.push(uploaded["id"].as_i64().unwrap());
    for id in &tasks {
        app.end(*id).await;
    }
    for _ in 0..2 {
        receiver.next().await;
    }
    for id in &tasks[..2] {
        app.until_delivered(*id).await;
    }
    let url = format!("sqlite://{}?mode=ro", app.folder().join("data/trawl.db").display());
    let database = Database::connect(url).await.unwrap();
    let before = places(&database).await;
    for there in ["tasks.link", "deliveries.url", "media.title", "idempotency_keys.key", "steps.output"] {
        assert!(before.iter().any(|place| place == there), "{there} is not among {before:?}");
    }

    assert!(!files(&app.folder().join("data")).is_empty());
    for id in followers(&app, 2).await {
        app.end(id).await;
        tasks.push(id);
    }
    for id in &tasks {
        assert_eq!(app.delete(&format!("/api/tasks/{id}")).await, 204);
    }
    let left = places(&database).await;
    assert!(left.iter().all(|place| place.contains("_words_data")), "{left:?}");
    database.close().await.unwrap();
    // What the search knew, and the bytes that the database has freed, go when nothing else is to be done.
    app.eventually("no trace on the disk", || files(&app.folder().join("data")).is_empty()).await;
    app.finish().await;
}
