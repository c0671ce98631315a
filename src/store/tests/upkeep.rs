//! What is done for an SQLite database in quiet time.

use super::*;

/// Writes so much, and deletes it again.
const MUCH: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000) \
                    INSERT INTO cursors SELECT hex(randomblob(500)) || i, i FROM n";

async fn pragma(store: &Store, name: &str) -> i64 {
    let ask = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, format!("PRAGMA {name}"));
    store.write.query_one_raw(ask).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

#[tokio::test]
async fn free_space_goes_back_to_the_disk() {
    if test_url::is_server() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    store.hurry().await;
    assert_eq!(pragma(&store, "auto_vacuum").await, 2);
    store.spoil(MUCH).await;
    store.spoil("DELETE FROM cursors").await;
    assert!(pragma(&store, "freelist_count").await > 5_000);
    store.tidy().await.unwrap();
    assert!(pragma(&store, "freelist_count").await <= 1_000);
    let file = std::fs::metadata(folder.path().join("data/trawl.db")).unwrap().len();
    assert!(file < 6_000_000, "{file} bytes are left");
    assert_eq!(std::fs::metadata(folder.path().join("data/trawl.db-wal")).unwrap().len(), 0, "the log was not emptied");
}

#[tokio::test]
async fn a_database_of_an_older_version_is_written_anew_once() {
    if test_url::is_server() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data/trawl.db");
    std::fs::create_dir(folder.path().join("data")).unwrap();
    let old = sea_orm::Database::connect(format!("sqlite://{}?mode=rwc", path.display())).await.unwrap();
    old.execute_unprepared("CREATE TABLE older (a); DROP TABLE older").await.unwrap();
    old.close().await.unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    store.hurry().await;
    store.tidy().await.unwrap();
    assert_eq!(pragma(&store, "auto_vacuum").await, 0, "written anew for nothing");
    store.spoil(MUCH).await;
    store.spoil("DELETE FROM cursors").await;
    store.tidy().await.unwrap();
    assert_eq!(pragma(&store, "auto_vacuum").await, 2);
    assert!(std::fs::metadata(&path).unwrap().len() < 3_000_000);
    store.spoil("INSERT INTO cursors VALUES ('a', 1)").await;
}

#[tokio::test]
async fn it_is_quiet_when_nothing_runs_or_could() {
    // The rows are written in SQLite's words.
    if test_url::is_server() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    assert!(store.is_quiet().await.unwrap());
    let tx = store.begin().await.unwrap();
    let task = tx.insert_task(NewTask::default()).await.unwrap();
    tx.commit().await.unwrap();
    let (columns, now) = ("id, task_id, key, position, kind, lane, needs, \"with\", retry", store.now().await.unwrap());
    let rest = "level, sort_key, attempt, crashes, lease_token, progress, created_at, state, eligible_at";
    store
        .spoil(&format!(
            "INSERT INTO steps ({columns}, {rest}) VALUES \
             ('a', {task}, 'a', 0, 'resolve', 'net', '[]', '{{}}', '{{}}', 0, 0, 0, 0, 0, 0.0, 0, 'blocked', 0)"
        ))
        .await;
    for (state, at, quiet) in
        [("running", 0, false), ("ready", now - 1, false), ("ready", now + 3_600_000, true), ("succeeded", 0, true)]
    {
        store.spoil(&format!("UPDATE steps SET state='{state}', eligible_at={at}")).await;
        assert_eq!(store.is_quiet().await.unwrap(), quiet, "{state}");
    }
}
