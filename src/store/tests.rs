//! The database as a whole; what its tables do together is tested in `queue`.

mod deliveries;
mod measured;
mod upgrade;
mod upkeep;

use sea_orm::ConnectionTrait;
use sea_orm_migration::MigratorTrait;

use super::*;

fn url(folder: &tempfile::TempDir) -> String {
    crate::store::test_url::test_url(folder.path())
}

#[tokio::test]
async fn one_process_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = Store::open(&url(&folder)).await.unwrap();
    if !first.is_exclusive() {
        // Several nodes share it.
        Store::open(&url(&folder)).await.unwrap();
        return;
    }
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
    let all = migrations::Migrator::migrations();
    let before = all.iter().position(|one| one.name().ends_with("results")).unwrap();
    let later = u32::try_from(all.len() - before).unwrap();
    migrations::Migrator::down(&store.write, Some(later)).await.unwrap();
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
    // So that something would be left to do, too.
    store.write.execute_unprepared("DELETE FROM seaql_migrations WHERE version LIKE '%retention'").await.unwrap();
    let before = schema::applied(&store.read).await.unwrap();
    drop(store);
    let url = url(&folder);
    for refused in [Store::open(&url).await, Store::open_beside(&url).await, Store::look(&url).await] {
        let error = refused.err().unwrap();
        assert_eq!(error.code, Code::Database);
        assert!(error.detail.contains("newer trawl") && error.detail.contains("m29990101_000001_later"), "{error}");
    }
    assert!(Store::open_unchanged(&url).await.is_err());
    let store = Store::connect(&url).await.unwrap();
    assert_eq!(schema::applied(&store.read).await.unwrap(), before, "the database was changed");
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
    let plan = plan(&store, &store.dialect.free_steps(&claim, 0)).await;
    assert!(plan.contains("steps_claim"), "{plan}");
    for sorts in ["TEMP B-TREE", "Sort", "filesort"] {
        assert!(!plan.contains(sorts), "{plan}");
    }
}

#[tokio::test]
async fn a_page_of_tasks_finds_what_they_are_at_by_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let [live, next] = Store::live_queries();
    let plan_of_next = plan(&store, &next).await;
    assert!(plan_of_next.contains("steps_claim"), "{plan_of_next}");
    let plan_of_live = plan(&store, &live).await;
    // Either of those that begin with the task.
    assert!(["steps_list", "steps_key"].iter().any(|index| plan_of_live.contains(index)), "{plan_of_live}");
}

#[tokio::test]
async fn tasks_are_counted_by_index_alone() {
    use sea_orm::QueryTrait;
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let own = TaskFilter { owner: Some(crate::domain::TokenId(1)), ..TaskFilter::default() };
    let of_workflow = TaskFilter { workflow: Some("transcribe".to_owned()), ..TaskFilter::default() };
    for (filter, index) in
        [(TaskFilter::default(), "tasks_"), (own, "tasks_owner_status"), (of_workflow, "tasks_active")]
    {
        let plan = plan(&store, &counts::counting(store.dialect, &filter).into_query()).await;
        assert!(plan.contains(index), "{plan}");
        if store.dialect == Dialect::Sqlite {
            assert!(plan.contains("COVERING INDEX") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}

/// How the database would go about a query.
async fn plan(store: &Store, query: &sea_orm::sea_query::SelectStatement) -> String {
    let mut statement = store.dialect.backend().build(query);
    let words = match store.dialect {
        Dialect::Sqlite => "EXPLAIN QUERY PLAN",
        // With a handful of rows it would read them all.
        Dialect::Postgres => {
            store.write.execute_unprepared("SET enable_seqscan = off").await.unwrap();
            "EXPLAIN"
        }
        Dialect::MySql => "EXPLAIN FORMAT=JSON",
    };
    statement.sql = format!("{words} {}", statement.sql);
    let column = match store.dialect {
        Dialect::Sqlite => 3,
        _ => 0,
    };
    let mut plan = String::new();
    for row in store.write.query_all_raw(statement).await.unwrap() {
        plan.push_str(&row.try_get_by_index::<String>(column).unwrap());
        plan.push('\n');
    }
    plan
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

impl Store {
    /// A media with a file.
    async fn media_named(&self, name: &str) -> crate::domain::MediaId {
        let tx = self.begin().await.unwrap();
        let new = NewMedia { platform: "web".to_owned(), platform_id: name.to_owned(), ..NewMedia::default() };
        let id = tx.upsert_media(new).await.unwrap();
        tx.set_media_file(id, name, 1, "", None).await.unwrap();
        tx.commit().await.unwrap();
        id
    }
}

#[tokio::test]
async fn a_media_goes_with_the_last_task_that_uses_it() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let (a, b, c) = (store.media_named("a").await, store.media_named("b").await, store.media_named("c").await);
    let gone = crate::domain::MediaId(99);
    let tx = store.begin().await.unwrap();
    let one = tx.insert_task(NewTask::default()).await.unwrap();
    let two = tx.insert_task(NewTask::default()).await.unwrap();
    for _ in 0..2 {
        tx.use_media(one, &[a, b, gone].into()).await.unwrap();
    }
    tx.set_task_media(two, b).await.unwrap();
    assert_eq!(tx.media_used_by(one).await.unwrap(), [a, b].into());
    tx.commit().await.unwrap();
    assert!(store.uses_media(one, &[a, b].into()).await.unwrap());
    assert!(!store.uses_media(two, &[a, b].into()).await.unwrap());

    let tx = store.begin().await.unwrap();
    assert_eq!(tx.delete_stale_media(tx.now() - 60_000).await.unwrap(), 0, "what is young may be on its way to a task");
    assert_eq!(tx.delete_stale_media(tx.now() + 1).await.unwrap(), 1);
    assert!(tx.media(c).await.unwrap().is_none());
    assert!(tx.take_unused_media(&[a, b].into()).await.unwrap().is_empty());
    let deleted = async |task, used| {
        tx.delete_task(task).await.unwrap();
        let taken = tx.take_unused_media(&used).await.unwrap();
        taken.into_iter().map(|media| (media.id, media.file.unwrap())).collect::<Vec<_>>()
    };
    assert_eq!(deleted(one, [a, b].into()).await, [(a, "a".to_owned())]);
    assert_eq!(deleted(two, [b].into()).await, [(b, "b".to_owned())]);
}

#[tokio::test]
async fn the_media_of_an_older_schema_belong_to_the_tasks_that_name_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let mut media = Vec::new();
    for name in ["a", "b", "c", "d"] {
        media.push(store.media_named(name).await);
    }
    let tx = store.begin().await.unwrap();
    // A list of three downloads of which the last one was named, and a task about what is gone.
    let list = tx.insert_task(NewTask { media_id: Some(media[2]), ..NewTask::default() }).await.unwrap();
    let media_id = Some(crate::domain::MediaId(99));
    let lost = tx.insert_task(NewTask { media_id, ..NewTask::default() }).await.unwrap();
    let none = tx.insert_task(NewTask::default()).await.unwrap();
    tx.commit().await.unwrap();
    let all = migrations::Migrator::migrations();
    let before = all.iter().position(|one| one.name().ends_with("task_media")).unwrap();
    let later = u32::try_from(all.len() - before).unwrap();
    migrations::Migrator::down(&store.write, Some(later)).await.unwrap();
    let output = |id: i64| serde_json::json!({ "media_id": id, "file": "x" });
    let whole = serde_json::json!([output(1), output(2)]);
    for (task, key, kind, output) in [
        (list, "get[0]", "download", output(1)),
        (list, "get[1]", "download", output(2)),
        (list, "get[2]", "download", output(3)),
        (list, "found[1]", "resolve", output(2)),
        (list, "get", "download", whole),
        (lost, "get", "download", output(99)),
        // Not a media of ours, whatever it says.
        (none, "asked", "http", output(4)),
    ] {
        let with = if store.dialect == Dialect::MySql { "`with`" } else { "\"with\"" };
        let key_column = if store.dialect == Dialect::MySql { "`key`" } else { "key" };
        let sql = format!(
            "INSERT INTO steps (id, task_id, {key_column}, position, kind, lane, state, needs, {with}, retry, level, sort_key, \
             eligible_at, attempt, crashes, lease_token, progress, output, created_at) VALUES \
             ('{task}-{key}', {task}, '{key}', 0, '{kind}', 'net', 'succeeded', '[]', '{{}}', '{{}}', 0, 0, 0, 0, 0, 0, \
             1.0, '{output}', 0)"
        );
        store.write.execute_unprepared(&sql).await.unwrap();
    }
    // Another connection: this one knows its statements for the tables as they were.
    drop(store);
    let store = Store::open(&url(&folder)).await.unwrap();
    let tx = store.begin().await.unwrap();
    let used = async |task| tx.media_used_by(task).await.unwrap().into_iter().collect::<Vec<_>>();
    assert_eq!(used(list).await, media[..3]);
    assert!(used(lost).await.is_empty() && used(none).await.is_empty());
    assert_eq!(tx.delete_stale_media(tx.now() + 1).await.unwrap(), 1, "a media that nobody uses any more stays");
}

#[tokio::test]
async fn the_transcript_of_a_media_is_not_that_of_its_neighbour_in_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&url(&folder)).await.unwrap();
    let (a, b) = (store.media_named("a").await, store.media_named("b").await);
    let tx = store.begin().await.unwrap();
    let list = tx.insert_task(NewTask { media_id: Some(b), ..NewTask::default() }).await.unwrap();
    for (media_id, text) in [(None, "older"), (Some(b), "of b"), (Some(a), "of a")] {
        let transcript = crate::domain::Transcript { text: text.to_owned(), ..Default::default() };
        let options = serde_json::json!({});
        let new = NewTranscript { media_id, options, transcript, ..NewTranscript::default() };
        tx.insert_transcript(list, &new).await.unwrap();
    }
    tx.commit().await.unwrap();
    let said = async |media| store.transcript_of_media(media).await.unwrap().unwrap().text;
    assert_eq!((said(a).await.as_str(), said(b).await.as_str()), ("of a", "of b"));
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
    let all = migrations::Migrator::migrations();
    let before = all.iter().position(|one| one.name().ends_with("results")).unwrap();
    let later = u32::try_from(all.len() - before).unwrap();
    migrations::Migrator::down(&store.write, Some(later)).await.unwrap();
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
