//! Moves between databases of every kind: from SQLite to that of the tests, and back.

mod measured;
mod refused;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use sea_orm::{ConnectionTrait, DbBackend, Statement};

use super::*;
use crate::store::{Store, TaskFilter, dialect::Dialect, schema, test_url::test_url};

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
    close(again).await;
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
