//! Moves between databases of every kind: from SQLite to that of the tests, and back.

mod measured;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use sea_orm::{ConnectionTrait, DbBackend, Statement};
use sea_orm_migration::MigratorTrait;

use super::*;
use crate::{
    domain::Role,
    store::{NewNode, Store, TaskFilter, dialect::Dialect, schema, test_url::test_url},
};

/// A folder with the database that is left; what takes its place is that of the tests.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn sqlite(&self, name: &str) -> String {
        format!("sqlite:{}", self.file(name).display())
    }

    fn to(&self) -> String {
        test_url(self.folder.path())
    }
}

/// Moves with an hour for nodes to be heard of.
async fn go(from: &str, to: &str) -> Result<Vec<Moved>> {
    Box::pin(transfer(from, to, 3_600_000, &|_| {})).await
}

/// Every table with its columns, as the database describes itself: name, type, whether it may be null.
async fn described(store: &Store) -> BTreeMap<String, Vec<(String, String, bool)>> {
    let sql = match store.dialect {
        Dialect::Sqlite => {
            "SELECT m.name, c.name, lower(c.type), CASE c.\"notnull\" + c.pk WHEN 0 THEN 'YES' ELSE 'NO' END \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"
        }
        Dialect::Postgres => {
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable::text FROM information_schema.columns \
             WHERE table_schema = current_schema()"
        }
        Dialect::MySql => {
            "SELECT TABLE_NAME, COLUMN_NAME, CAST(DATA_TYPE AS CHAR), IS_NULLABLE FROM information_schema.COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE()"
        }
    };
    let mut tables: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for row in store.write.query_all_raw(Statement::from_string(store.dialect.backend(), sql)).await.unwrap() {
        let text = |at: usize| row.try_get_by_index::<String>(at).unwrap();
        tables.entry(text(0)).or_default().push((text(1), text(2), text(3) == "YES"));
    }
    // Those of the search have tables of their own in SQLite.
    tables.retain(|name, _| !tables::OF_THE_PLACE.iter().any(|place| name == place || name.contains("_words")));
    tables
}

#[tokio::test]
async fn every_table_and_every_column_is_moved() {
    let place = Place::new();
    let store = Store::open(&place.to()).await.unwrap();
    let there: BTreeMap<String, BTreeSet<String>> = described(&store)
        .await
        .into_iter()
        .map(|(table, columns)| (table, columns.into_iter().map(|(name, ..)| name).collect()))
        .collect();
    let names = |table: tables::Table| table.columns.into_iter().map(|(name, _)| name.to_owned()).collect();
    let moved: BTreeMap<String, BTreeSet<String>> =
        tables::moved().unwrap().into_iter().map(|table| (table.name.to_owned(), names(table))).collect();
    assert_eq!(moved, there, "a new table or column belongs into store/transfer/tables.rs");
}

/// Writes rows into every table: texts of all sorts, the largest numbers, nothing where there may be nothing. Rows of one number
/// name each other.
async fn fill(store: &Store) {
    store.write.execute_unprepared("PRAGMA foreign_keys=OFF").await.unwrap();
    for (table, columns) in described(store).await {
        for number in 1..=3_i64 {
            let value = |(name, kind, may_be_null): &(String, String, bool)| -> sea_orm::Value {
                match kind.as_str() {
                    _ if *may_be_null && number == 2 => sea_orm::Value::String(None),
                    // Spaces, the order of keys, numbers and what is said twice: all of it stays.
                    kind if kind.contains("json") => format!(
                        r#"{{ "b" : 1.0,"a":[1e3,-0, "头发 \u0000"],"text":"头发干净 whale{number} 🎬", "b":2}}"#
                    )
                    .into(),
                    kind if kind.contains("blob") || kind.contains("binary") => {
                        (0..32_i64).map(|byte| (byte * number) as u8).collect::<Vec<u8>>().into()
                    }
                    "boolean" => (number == 1).into(),
                    "double" => (0.1 * number as f64).into(),
                    "integer" if name == "file_warnings" => i32::MAX.into(),
                    kind if kind.contains("int") => match name.ends_with("_at") {
                        true => (i64::MAX - number).into(),
                        false => number.into(),
                    },
                    "text" => format!("%_'\"\\\n\t\r头发 {number} 🎬").into(),
                    _ => format!("é🎬'\\ {number}").into(),
                }
            };
            let mut insert = sea_orm::sea_query::Query::insert();
            insert.into_table(sea_orm::sea_query::Alias::new(&table));
            insert.columns(columns.iter().map(|(name, ..)| sea_orm::sea_query::Alias::new(name)));
            insert.values_panic(columns.iter().map(|column| sea_orm::sea_query::Expr::value(value(column))));
            store.write.execute(&insert).await.unwrap_or_else(|error| panic!("{table}: {error}"));
        }
    }
    let long = "长".repeat(1_500_000);
    let many = "WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 2500) ";
    for sql in [
        "PRAGMA foreign_keys=ON".to_owned(),
        format!("UPDATE deliveries SET body = '{long}' WHERE id LIKE '%3'"),
        format!("{many} INSERT INTO events SELECT i, 1, 'kind', '{{}}', i FROM n"),
        // A number that was given and is not to be given again.
        "INSERT INTO events VALUES (70000, 1, 'kind', '{}', 1)".to_owned(),
        "DELETE FROM events WHERE id = 70000".to_owned(),
        "UPDATE tasks SET link = 'https://example.com/needle' WHERE id = 3".to_owned(),
    ] {
        store.write.execute_unprepared(&sql).await.unwrap();
    }
}

/// Every row of SQLite's tables as SQLite writes it, and the numbers that were given.
async fn lines(store: &Store) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    let mut tables = described(store).await;
    tables.insert(
        "sqlite_sequence".to_owned(),
        ["name", "seq"].map(|name| (name.to_owned(), String::new(), true)).into(),
    );
    for (table, columns) in tables {
        let quoted: Vec<String> =
            columns.iter().map(|(name, ..)| format!("typeof(\"{name}\")||quote(\"{name}\")")).collect();
        let sql = format!("SELECT {} AS line FROM \"{table}\"", quoted.join("||'|'||"));
        let found = store.write.query_all_raw(Statement::from_string(DbBackend::Sqlite, sql)).await.unwrap();
        all.insert(table, found.iter().map(|row| row.try_get::<String>("", "line").unwrap()).collect());
    }
    all
}

/// Waits until its files are as they stay.
async fn close(store: Store) {
    let Store { write, read, .. } = store;
    write.close().await.unwrap();
    read.close().await.unwrap();
}

async fn found(store: &Store, word: &str) -> u64 {
    // The rows themselves make no sense to a daemon.
    let before = Some(crate::domain::TaskId(0));
    let filter = TaskFilter { words: vec![vec![word.to_owned()]], before, limit: 1, ..TaskFilter::default() };
    store.tasks(&filter).await.unwrap().total
}

#[tokio::test]
async fn everything_arrives_there_and_back_again() {
    let place = Place::new();
    let from = Store::open(&place.sqlite("from.db")).await.unwrap();
    from.hurry().await;
    fill(&from).await;
    let before = lines(&from).await;
    assert!(before.values().all(|rows| !rows.is_empty()), "a table is empty");
    close(from).await;
    let file = std::fs::read(place.file("from.db")).unwrap();
    let there = go(&place.sqlite("from.db"), &place.to()).await.unwrap();
    assert!(std::fs::read(place.file("from.db")).unwrap() == file, "the source was changed");

    let target = Store::open(&place.to()).await.unwrap();
    for (word, tasks) in [("needle", 1), ("whale1", 1), ("干净", 3)] {
        assert_eq!(found(&target, word).await, tasks, "{word}");
    }
    assert!(target.nodes(1).await.unwrap().is_empty(), "nodes are of the place");
    let tx = target.begin().await.unwrap();
    let new = tx.insert_task(crate::store::NewTask::default()).await.unwrap();
    assert_eq!(new.0, 4);
    drop(tx);
    drop(target);

    let back = go(&place.to(), &place.sqlite("back.db")).await.unwrap();
    assert_eq!(there, back);
    assert_eq!(there.iter().find(|moved| moved.table == "events").unwrap().rows, 2_494);
    let again = Store::open(&place.sqlite("back.db")).await.unwrap();
    let mut after = lines(&again).await;
    // A number may be passed over (the task of above), and is never given twice.
    let (given, kept) = (before["sqlite_sequence"].clone(), after.remove("sqlite_sequence").unwrap());
    for line in given.iter().filter(|line| !line.contains("'tasks'")) {
        assert!(kept.contains(line), "{line}: {kept:?}");
    }
    for (table, rows) in before.iter().filter(|(table, _)| *table != "sqlite_sequence") {
        assert!(after.remove(table).unwrap() == *rows, "{table} is not as it was");
    }
    assert_eq!(after, BTreeMap::new());
    crate::store::check_sqlite(&place.file("back.db")).await.unwrap();
}

#[tokio::test]
async fn what_is_half_there_is_no_database_and_is_moved_anew() {
    let place = Place::new();
    let from = Store::open(&place.sqlite("from.db")).await.unwrap();
    from.hurry().await;
    fill(&from).await;
    drop(from);
    let whole = go(&place.sqlite("from.db"), &place.to()).await.unwrap();
    let target = Store::open(&place.to()).await.unwrap();
    target.spoil("DELETE FROM events WHERE id > 1000").await;
    target.spoil("DELETE FROM delivery_attempts").await;
    schema::mark(&target.write).await.unwrap();
    drop(target);
    for refused in [Store::open(&place.to()).await, Store::look(&place.to()).await] {
        let error = refused.err().unwrap();
        assert!(error.code == Code::Database && error.detail.contains("moved by half"), "{error}");
    }
    assert_eq!(go(&place.to(), &place.sqlite("other.db")).await.unwrap_err().code, Code::Database);
    assert!(!place.file("other.db").exists());
    let anew = std::sync::atomic::AtomicBool::new(false);
    let told = |now| {
        if now == Moving::Anew {
            anew.store(true, std::sync::atomic::Ordering::Relaxed);
        }
    };
    assert_eq!(Box::pin(transfer(&place.sqlite("from.db"), &place.to(), 0, &told)).await.unwrap(), whole);
    assert!(anew.into_inner());
    assert_eq!(found(&Store::open(&place.to()).await.unwrap(), "needle").await, 1);
}

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
