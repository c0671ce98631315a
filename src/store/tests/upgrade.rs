//! Older databases: with work that was going on, and with rows in every table, on the way up and on the way down.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use sea_orm_migration::MigratorTrait;

use super::*;
use crate::{
    config::Config,
    domain::{Lane, TaskId, TaskStatus},
    queue::{Done, Queue},
};

const NOW: i64 = 1_750_000_000_000;

/// The steps of the first version, as it wrote them: key, kind, lane, needs, input.
const STEPS: [(&str, &str, &str, &str, &str); 4] = [
    ("source", "resolve", "net", "[]", r#"{"link":"${params.link}"}"#),
    ("media", "download", "net", r#"["source"]"#, r#"{"from":"${steps.source.output}"}"#),
    ("text:extract", "extract", "cpu", r#"["media"]"#, r#"{"media":"${steps.media.output}"}"#),
    ("text", "transcribe", "gpu", r#"["media","text:extract"]"#, r#"{"media":"${steps.media.output}"}"#),
];

/// A database with so many changes of the schema.
async fn at_level(folder: &tempfile::TempDir, level: usize) -> Store {
    let store = Store::connect(&url(folder)).await.unwrap();
    store.hurry().await;
    migrations::Migrator::up(&store.write, Some(u32::try_from(level).unwrap())).await.unwrap();
    store
}

/// Writes a task of the first version with the states of its steps.
async fn task(store: &Store, id: i64, states: [&str; 4]) {
    let write = async |sql: String| store.write.execute_unprepared(&sql).await.map(drop).unwrap();
    let status = if states == ["ready", "blocked", "blocked", "blocked"] { "queued" } else { "processing" };
    write(format!(
        "INSERT INTO tasks (id, workflow, revision, status, priority, link, params, options, progress, warnings, \
         callback_url, created_at, updated_at) VALUES ({id}, 'transcribe', 1, '{status}', 'normal', \
         'https://example.com/{id}', '{{\"link\":\"https://example.com/{id}\"}}', '{{}}', 0.0, '[]', 'https://example.com/hook', {NOW}, {NOW})"
    ))
    .await;
    for (position, ((key, kind, lane, needs, with), state)) in STEPS.into_iter().zip(states).enumerate() {
        let lease =
            if state == "running" { format!("'a-dead-process', {}", i64::MAX / 2) } else { "NULL, NULL".into() };
        let output = if state == "succeeded" { r#"'{"media_id":1}'"# } else { "NULL" };
        let attempt = i64::from(state == "running" || state == "succeeded");
        let retry = r#"{"max":4,"first":"5s","factor":2.0,"cap":"10m","on":[],"not":[]}"#;
        write(format!(
            "INSERT INTO steps (id, task_id, key, position, kind, lane, state, needs, \"with\", retry, level, sort_key, \
             eligible_at, attempt, crashes, lease_owner, lease_until, lease_token, progress, output, created_at) VALUES \
             ('{id}-{key}', {id}, '{key}', {position}, '{kind}', '{lane}', '{state}', '{needs}', '{with}', '{retry}', 3, \
             {NOW}, {NOW}, {attempt}, 0, {lease}, {attempt}, 0.0, {output}, {NOW})"
        ))
        .await;
    }
}

async fn work_goes_on_from(level: usize) {
    let folder = tempfile::tempdir().unwrap();
    let store = at_level(&folder, level).await;
    let definition = include_str!("../../../workflows/transcribe.json");
    let mut definition: serde_json::Value = serde_json::from_str(definition).unwrap();
    definition["output"] = serde_json::json!({ "media": "${steps.media.output.media_id}" });
    let definition = definition.to_string();
    for sql in [
        format!("INSERT INTO workflows VALUES ('transcribe', 1, '{definition}', '', {NOW})"),
        format!("INSERT INTO media (id, platform, platform_id, title, created_at) VALUES (1, 'web', '1', 'a', {NOW})"),
    ] {
        let columns = "INSERT INTO workflows (name, revision, definition, sha256, created_at)";
        store.write.execute_unprepared(&sql.replace("INSERT INTO workflows", columns)).await.unwrap();
    }
    let open = [
        ["ready", "blocked", "blocked", "blocked"],
        ["running", "blocked", "blocked", "blocked"],
        ["succeeded", "running", "blocked", "blocked"],
        ["succeeded", "succeeded", "running", "blocked"],
        ["succeeded", "succeeded", "succeeded", "ready"],
        ["succeeded", "succeeded", "succeeded", "running"],
    ];
    for (id, states) in (1..).zip(open) {
        task(&store, id, states).await;
    }
    drop(store);

    let queue = Queue::new(Arc::new(Store::open(&url(&folder)).await.unwrap()), Config::defaults().queue);
    assert_eq!(queue.recover().await.unwrap(), 4, "level {level}");
    let mut done: BTreeMap<String, usize> = BTreeMap::new();
    loop {
        let mut claimed = 0;
        for lane in [Lane::Net, Lane::Cpu, Lane::Gpu] {
            for work in queue.claim(lane, 10, &[], false).await.unwrap() {
                claimed += 1;
                *done.entry(work.row.step.id.clone()).or_default() += 1;
                let output = serde_json::json!({ "media_id": 1 });
                assert!(queue.succeed(&work, Done { output, ..Done::default() }).await.unwrap());
            }
        }
        if claimed == 0 {
            break;
        }
    }
    let left: usize = open.iter().flatten().filter(|state| **state != "succeeded").count();
    assert_eq!((done.len(), done.values().max()), (left, Some(&1)), "level {level}: {done:?}");
    for id in (1..=6).map(TaskId) {
        let task = queue.store().task(id).await.unwrap().unwrap();
        assert_eq!((task.status, task.error), (TaskStatus::Completed, None), "level {level}");
        assert_eq!(queue.store().deliveries_of(id).await.unwrap().len(), 1, "level {level}");
    }
}

#[tokio::test]
async fn work_that_was_going_on_in_an_older_database_goes_on_to_its_end() {
    // Servers began with the schema of this version.
    if test_url::is_server() {
        return;
    }
    for level in 1..=migrations::Migrator::migrations().len() {
        work_goes_on_from(level).await;
    }
}

/// The tables with their columns and the types of these. Those of the search follow others.
async fn tables(store: &Store) -> BTreeMap<String, Vec<(String, String)>> {
    let sql = "SELECT m.name AS name, c.name AS field, lower(c.type) AS kind FROM sqlite_master m \
               JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' \
               AND m.name NOT LIKE '%_words%' AND m.name <> 'seaql_migrations'";
    let mut tables: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for row in
        store.write.query_all_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql)).await.unwrap()
    {
        let text = |field: &str| row.try_get::<String>("", field).unwrap();
        tables.entry(text("name")).or_default().push((text("field"), text("kind")));
    }
    tables
}

/// Writes a row into each table where it is not there yet. Every number is 1 and every word "1", so that they name each other.
async fn fill(store: &Store) {
    store.write.execute_unprepared("PRAGMA foreign_keys=OFF").await.unwrap();
    for (table, columns) in tables(store).await {
        let value = |(name, kind): &(String, String)| match kind.as_str() {
            _ if ["warnings", "needs", "hosts"].contains(&name.as_str()) => "'[]'",
            kind if kind.contains("json") => "'{\"text\":\"word\"}'",
            kind if kind.contains("blob") || kind.contains("binary") => "x'01'",
            _ => "1",
        };
        let names: Vec<String> = columns.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let values: Vec<&str> = columns.iter().map(value).collect();
        let (names, values) = (names.join(","), values.join(","));
        let sql = format!("INSERT OR IGNORE INTO \"{table}\" ({names}) VALUES ({values})");
        store.write.execute_unprepared(&sql).await.unwrap();
    }
    store.write.execute_unprepared("PRAGMA foreign_keys=ON").await.unwrap();
}

/// Every row of these tables, of each these columns.
async fn rows(store: &Store, of: &BTreeMap<String, Vec<(String, String)>>) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for (table, columns) in of {
        let quoted: Vec<String> = columns.iter().map(|(name, _)| format!("quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} AS line FROM \"{table}\"", quoted.join("||'|'||"));
        let found = store.write.query_all_raw(sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, sql));
        let lines = found.await.unwrap().iter().map(|row| row.try_get::<String>("", "line").unwrap()).collect();
        all.insert(table.clone(), lines);
    }
    all
}

#[tokio::test]
async fn what_an_older_schema_can_hold_stays_on_the_way_down_and_up_again() {
    // Servers began with the schema of this version.
    if test_url::is_server() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let levels = migrations::Migrator::migrations().len();
    let store = at_level(&folder, levels).await;
    for back in 1..=levels {
        fill(&store).await;
        let newest = tables(&store).await;
        migrations::Migrator::down(&store.write, Some(u32::try_from(back).unwrap())).await.unwrap();
        let older = tables(&store).await;
        let kept = rows(&store, &older).await;
        assert_eq!(older.is_empty(), back == levels);
        assert!(kept.values().all(|rows| !rows.is_empty()), "{back} back: {kept:?}");
        migrations::Migrator::up(&store.write, None).await.unwrap();
        assert_eq!(tables(&store).await, newest, "{back} back");
        for (table, before) in kept {
            let now = rows(&store, &older).await.remove(&table).unwrap();
            assert!(now.is_superset(&before), "{back} back, {table}: {before:?} became {now:?}");
        }
        let broken = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "PRAGMA foreign_key_check");
        assert!(store.write.query_one_raw(broken).await.unwrap().is_none(), "{back} back");
    }
    drop(store);
    // Only what is closed has written its log into the file, which is all that is looked at.
    let Store { write, read, .. } = Store::open(&url(&folder)).await.unwrap();
    read.close().await.unwrap();
    write.close().await.unwrap();
    check_sqlite(&folder.path().join("data/trawl.db")).await.unwrap();
}
