//! The database as a whole; what its tables do together is tested in `queue`.

mod measured;

use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;

use super::*;

fn url(folder: &tempfile::TempDir) -> String {
    format!("sqlite:{}", folder.path().join("t.db").display())
}

#[tokio::test]
async fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(&url(&folder)).await.unwrap();
    assert_eq!(Store::open(&url(&folder)).await.err().unwrap().code, Code::DatabaseLocked);
    first.ping().await.unwrap();
    drop(first);
    Store::open(&url(&folder)).await.unwrap();
}

#[tokio::test]
async fn the_schema_goes_up_and_down() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    migrations::Migrator::down(&store.write, None).await.unwrap();
    assert!(store.write.execute_unprepared("SELECT * FROM tasks").await.is_err());
    migrations::Migrator::up(&store.write, None).await.unwrap();
    store.write.execute_unprepared("SELECT * FROM tasks").await.unwrap();
}

#[tokio::test]
async fn an_older_schema_can_be_looked_at_without_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    migrations::Migrator::down(&store.write, Some(1)).await.unwrap();
    drop(store);
    for _ in 0..2 {
        assert!(Store::open_unchanged(&url(&folder)).await.unwrap().is_none());
    }
    drop(Store::open(&url(&folder)).await.unwrap());
    assert!(Store::open_unchanged(&url(&folder)).await.unwrap().is_some());
}

#[tokio::test]
async fn a_newer_schema_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let newer = "INSERT INTO seaql_migrations VALUES ('m29990101_000001_later', 0)";
    store.write.execute_unprepared(newer).await.unwrap();
    drop(store);
    let error = Store::open(&url(&folder)).await.err().unwrap();
    assert_eq!(error.code, Code::Database);
    assert!(error.hint.contains("newer trawl"), "{}", error.hint);
}

#[tokio::test]
async fn readers_cannot_write_and_what_is_dropped_is_undone() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    assert!(store.read.execute_unprepared("DELETE FROM tasks").await.is_err());
    let media = || NewMedia { platform: "web".to_owned(), platform_id: "1".to_owned(), ..NewMedia::default() };
    let tx = store.begin().await.unwrap();
    let id = tx.upsert_media(media()).await.unwrap();
    drop(tx);
    assert!(store.media(id).await.unwrap().is_none());
    let tx = store.begin().await.unwrap();
    let id = tx.upsert_media(media()).await.unwrap();
    assert_eq!(tx.upsert_media(media()).await.unwrap(), id);
    tx.commit().await.unwrap();
    assert_eq!(store.media(id).await.unwrap().unwrap().platform, "web");
}

#[tokio::test]
async fn the_claim_uses_its_index_and_sorts_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let claim = Claim {
        owner: "me",
        lane: crate::domain::Lane::Gpu,
        limit: 4,
        skip_kinds: &[],
        spare_urgent: false,
        urgent: false,
        lease_ms: 1,
    };
    let mut statement = store.dialect.claim(&claim, 0);
    statement.sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
    let mut plan = String::new();
    for row in store.read.query_all_raw(statement).await.unwrap() {
        plan.push_str(&row.try_get::<String>("", "detail").unwrap());
        plan.push('\n');
    }
    assert!(plan.contains("steps_claim"), "{plan}");
    assert!(!plan.contains("TEMP B-TREE"), "{plan}");
}

#[tokio::test]
async fn an_upload_stays_while_a_task_names_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let tx = store.begin().await.unwrap();
    let names = ["linked", "named", "free"];
    for id in names.map(str::to_owned) {
        let (file_name, sha256) = (id.clone(), String::new());
        tx.insert_upload(NewUpload {
            file: id.clone(),
            id,
            file_name,
            size: 1,
            sha256,
            content_type: None,
            owner: None,
        })
        .await
        .unwrap();
    }
    tx.insert_task(NewTask { link: "upload:linked".to_owned(), ..NewTask::default() }).await.unwrap();
    let params = serde_json::json!({ "cover": "upload:named" }).as_object().unwrap().clone();
    tx.insert_task(NewTask { params, ..NewTask::default() }).await.unwrap();
    assert_eq!(tx.take_stale_uploads(tx.now() + 1).await.unwrap(), ["free"]);
}

#[tokio::test]
async fn the_words_of_older_rows_can_be_found() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let tx = store.begin().await.unwrap();
    let task =
        tx.insert_task(NewTask { link: "https://example.com/old".to_owned(), ..NewTask::default() }).await.unwrap();
    let (platform, platform_id, title) = ("web".to_owned(), "1".to_owned(), "A whale".to_owned());
    let media = tx.upsert_media(NewMedia { platform, platform_id, title, ..NewMedia::default() }).await.unwrap();
    tx.set_task_media(task, media).await.unwrap();
    let transcript = crate::domain::Transcript { text: "头发干净".to_owned(), ..Default::default() };
    tx.insert_transcript(task, &NewTranscript { transcript, ..NewTranscript::default() }).await.unwrap();
    tx.commit().await.unwrap();
    migrations::Migrator::down(&store.write, Some(1)).await.unwrap();
    drop(store);
    let store = Store::open(&url(&folder)).await.unwrap();
    for word in ["old", "whale", "干净"] {
        let words = vec![vec![word.to_owned()]];
        let page = store.tasks(&TaskFilter { words, limit: 5, ..TaskFilter::default() }).await.unwrap();
        assert_eq!(page.total, 1, "{word}");
    }
    let rows = store.read.query_all_raw(sea_orm::Statement::from_string(
        sea_orm::DbBackend::Sqlite,
        "SELECT * FROM cursors WHERE name = 'unsearched'",
    ));
    assert!(rows.await.unwrap().is_empty());
}
