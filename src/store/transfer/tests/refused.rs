//! What is refused, and that nothing is written then.

use sea_orm_migration::MigratorTrait;

use super::*;
use crate::{domain::Role, store::NewNode};

#[tokio::test]
async fn what_makes_no_sense_changes_nothing() {
    let place = Place::new();
    let (good, to) = (place.sqlite("good.db"), place.to());
    close(Store::open(&good).await.unwrap()).await;
    let older = Store::open(&place.sqlite("older.db")).await.unwrap();
    migrations::Migrator::down(&older.write, Some(2)).await.unwrap();
    let newer = Store::open(&place.sqlite("newer.db")).await.unwrap();
    newer.spoil("INSERT INTO seaql_migrations VALUES ('m29990101_000001_later', 0)").await;
    let held = Store::open(&place.sqlite("held.db")).await.unwrap();
    let full = Store::open(&place.sqlite("full.db")).await.unwrap();
    let tx = full.begin().await.unwrap();
    tx.insert_task(crate::store::NewTask::default()).await.unwrap();
    tx.commit().await.unwrap();
    let other =
        sea_orm::Database::connect(format!("sqlite://{}?mode=rwc", place.file("other.db").display())).await.unwrap();
    other.execute_unprepared("CREATE TABLE tasks (a)").await.unwrap();
    other.close().await.unwrap();
    for store in [older, newer, full] {
        close(store).await;
    }
    std::fs::write(place.file("words.db"), "words, not a database; and some more of them").unwrap();
    let sqlite = |name: &str| place.sqlite(name);
    let server = "postgres://nobody@127.0.0.1:1/none";
    let cases = [
        ("trawl.db".to_owned(), to.clone(), Code::InvalidValue, "`--from` must start with"),
        (good.clone(), "redis://a/b".to_owned(), Code::InvalidValue, "`--to` must start with"),
        (good.clone(), good.clone(), Code::InvalidValue, "the same database"),
        (good.clone(), good.replace("good.db", "./good.db"), Code::InvalidValue, "the same database"),
        (sqlite("none.db"), to.clone(), Code::NotFound, "There is no database at `--from`"),
        (sqlite("other.db"), to.clone(), Code::NotFound, "There is no database of trawl at `--from`"),
        (sqlite("words.db"), to.clone(), Code::Database, "The database at `--from` cannot be opened"),
        (sqlite("older.db"), to.clone(), Code::Database, "the schema of an older trawl"),
        (sqlite("newer.db"), to.clone(), Code::Database, "A newer trawl has used this database"),
        (sqlite("held.db"), to.clone(), Code::DatabaseLocked, "A trawl works on the database at `--from`"),
        (good.clone(), sqlite("held.db"), Code::DatabaseLocked, "A trawl works on the database at `--to`"),
        (good.clone(), sqlite("full.db"), Code::Conflict, "is not empty: its table `tasks` has rows"),
        (good.clone(), sqlite("newer.db"), Code::Database, "A newer trawl has used this database"),
        (good.clone(), sqlite("other.db"), Code::Conflict, "a table `tasks`, which is none of trawl's"),
        (good.clone(), sqlite("words.db"), Code::Database, "The database at `--to` cannot be opened"),
        (good.clone(), server.to_owned(), Code::Database, "The database at `--to` cannot be opened"),
    ];
    let files = || {
        let all = std::fs::read_dir(place.folder.path()).unwrap().flatten().map(|entry| entry.path());
        let kept = all.filter(|path| path.extension().is_some_and(|end| end == "db"));
        kept.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect::<BTreeMap<_, _>>()
    };
    let before = files();
    for (from, to, code, words) in cases {
        let error = go(&from, &to).await.unwrap_err();
        assert!(error.code == code && error.detail.contains(words), "{from} to {to}: {}", error.chain());
        assert!(!error.hint.is_empty());
    }
    let changed: Vec<_> =
        files().into_iter().filter(|(path, bytes)| before.get(path) != Some(bytes)).map(|(path, _)| path).collect();
    assert_eq!(changed, Vec::<PathBuf>::new(), "something was written");
    drop(held);
    assert_eq!(go(&good, &to).await.unwrap().iter().map(|moved| moved.rows).sum::<u64>(), 0);
    // What is empty may be moved into again.
    go(&good, &to).await.unwrap();
}

#[tokio::test]
async fn a_server_is_not_left_while_a_node_works_on_it() {
    let place = Place::new();
    let store = Store::open(&place.to()).await.unwrap();
    if store.is_exclusive() {
        return;
    }
    let tx = store.begin().await.unwrap();
    tx.put_node(&NewNode {
        id: "one".to_owned(),
        name: "machine".to_owned(),
        role: Role::All,
        version: "1".to_owned(),
        keys_sha256: String::new(),
        draining: false,
        lanes: Vec::new(),
        devices: serde_json::json!([]),
        engines: serde_json::json!([]),
        models: Vec::new(),
    })
    .await
    .unwrap();
    tx.commit().await.unwrap();
    let error = go(&place.to(), &place.sqlite("back.db")).await.unwrap_err();
    assert!(error.code == Code::DatabaseLocked && error.detail.contains("\"machine\""), "{error}");
    assert!(!place.file("back.db").exists());
    drop(Store::open(&place.sqlite("from.db")).await.unwrap());
    let error = go(&place.sqlite("from.db"), &place.to()).await.unwrap_err();
    assert!(error.code == Code::Conflict && error.detail.contains("`nodes`"), "{error}");
    // It was silent for longer than it may.
    Box::pin(transfer(&place.to(), &place.sqlite("back.db"), -1, &|_| {})).await.unwrap();
}

#[tokio::test]
async fn the_row_that_a_database_does_not_take_is_named() {
    let place = Place::new();
    let from = Store::open(&place.sqlite("from.db")).await.unwrap();
    for number in 1..=3 {
        let length = if number == 2 { 256 } else { 255 };
        let (columns, long) = ("id, platform, platform_id, title, created_at", number.to_string().repeat(length));
        from.spoil(&format!("INSERT INTO media ({columns}) VALUES ({number}, 'web', '{long}', '', 0)")).await;
    }
    drop(from);
    let moved = go(&place.sqlite("from.db"), &place.to()).await;
    if !crate::store::test_url::is_server() {
        // SQLite counts no letters.
        assert_eq!(moved.unwrap().iter().map(|moved| moved.rows).sum::<u64>(), 3);
        return;
    }
    let error = moved.unwrap_err();
    assert!(error.chain().contains("table `media`") && error.chain().contains("the row `id` 2: "), "{}", error.chain());
    assert!(Store::open(&place.to()).await.is_err());
}
