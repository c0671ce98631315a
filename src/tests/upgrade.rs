//! The real binary on a database of the first version, with work that was going on; and on one of a later version.

use migrations::Migrator;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use sea_orm_migration::MigratorTrait;

use super::support::{Daemon, Receiver, Site, sample_bytes};

const WORDS: &str = "The music is near the long box.";
const NOW: i64 = 1_750_000_000_000;

/// The steps of the first version, as it wrote them: key, kind, lane, needs, input.
const STEPS: [(&str, &str, &str, &str, &str); 4] = [
    ("source", "resolve", "net", "[]", r#"{"link":"${params.link}"}"#),
    ("media", "download", "net", r#"["source"]"#, r#"{"from":"${steps.source.output}"}"#),
    ("text:extract", "extract", "cpu", r#"["media"]"#, r#"{"media":"${steps.media.output}"}"#),
    ("text", "transcribe", "gpu", r#"["media","text:extract"]"#, r#"{"media":"${steps.media.output}"}"#),
];

async fn database(daemon: &Daemon) -> DatabaseConnection {
    let data = daemon.folder().join("data");
    std::fs::create_dir_all(&data).unwrap();
    Database::connect(format!("sqlite://{}?mode=rwc", data.join("trawl.db").display())).await.unwrap()
}

async fn task(on: &DatabaseConnection, id: i64, link: &str, callback: &str, first: &str) {
    let definition = include_str!("../../workflows/transcribe.json");
    if id == 1 {
        let sql = format!(
            "INSERT INTO workflows (name, revision, definition, sha256, created_at) \
             VALUES ('transcribe', 1, '{definition}', '', {NOW})"
        );
        on.execute_unprepared(&sql).await.unwrap();
    }
    let sql = format!(
        "INSERT INTO tasks (id, workflow, revision, status, priority, link, params, options, progress, warnings, \
         callback_url, created_at, updated_at) VALUES ({id}, 'transcribe', 1, 'processing', 'normal', '{link}', \
         '{{\"link\":\"{link}\"}}', '{{}}', 0.0, '[]', '{callback}', {NOW}, {NOW})"
    );
    on.execute_unprepared(&sql).await.unwrap();
    for (position, (key, kind, lane, needs, with)) in STEPS.into_iter().enumerate() {
        let state = if position == 0 { first } else { "blocked" };
        let attempt = i64::from(state == "running");
        let lease = if state == "running" { format!("'dead', {}", i64::MAX / 2) } else { "NULL, NULL".into() };
        let sql = format!(
            "INSERT INTO steps (id, task_id, key, position, kind, lane, state, needs, \"with\", retry, level, sort_key, \
             eligible_at, attempt, crashes, lease_owner, lease_until, lease_token, progress, created_at) VALUES \
             ('{id}-{key}', {id}, '{key}', {position}, '{kind}', '{lane}', '{state}', '{needs}', '{with}', \
             '{{\"max\":4,\"first\":\"5s\",\"factor\":2.0,\"cap\":\"10m\",\"on\":[],\"not\":[]}}', 3, {NOW}, {NOW}, \
             {attempt}, 0, {lease}, {attempt}, 0.0, {NOW})"
        );
        on.execute_unprepared(&sql).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_of_the_first_version_is_done_by_this_one() {
    let (site, mut receiver) = (Site::start().await, Receiver::start().await);
    let link = site.file("/clip.flac", "audio/flac", sample_bytes("en-known-04.flac"));
    let mut daemon = Daemon::new("");
    let old = database(&daemon).await;
    Migrator::up(&old, Some(1)).await.unwrap();
    for (id, first) in [(1, "running"), (2, "ready")] {
        task(&old, id, &link, &receiver.url, first).await;
    }
    old.close().await.unwrap();
    daemon.start().await;
    for id in [1, 2] {
        let task = daemon.end(id).await;
        assert_eq!(
            (task["status"].as_str(), task["result"]["text"].as_str()),
            (Some("completed"), Some(WORDS)),
            "{task}"
        );
        assert!(receiver.next().await.verified);
    }
    assert!(daemon.stop().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_of_a_later_version_is_left_alone() {
    let daemon = Daemon::new("");
    let later = database(&daemon).await;
    Migrator::up(&later, None).await.unwrap();
    later.execute_unprepared("INSERT INTO seaql_migrations VALUES ('m29990101_000001_later', 0)").await.unwrap();
    later.close().await.unwrap();
    let file = daemon.folder().join("data/trawl.db");
    let before = std::fs::read(&file).unwrap();
    let refused = daemon.command().output().await.unwrap();
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert_eq!(refused.status.code(), Some(1), "{said}");
    assert!(said.contains("A newer trawl has used this database") && said.contains("m29990101_000001_later"), "{said}");
    // The head counts who has opened it.
    assert!(std::fs::read(&file).unwrap()[100..] == before[100..], "the database was changed");
    let left: Vec<_> =
        std::fs::read_dir(daemon.folder().join("data")).unwrap().flatten().map(|one| one.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().ends_with(".key")), "{left:?}");
}
