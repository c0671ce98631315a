//! Sweeps of random databases against a model, over real files.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use proptest::prelude::*;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    config::Config,
    domain::{MediaId, Span, TaskStatus},
    store::{NewMedia, NewTask},
};

const DAY: i64 = 24 * 60 * 60 * 1000;
/// How many media there are; each has a file of one byte.
const MEDIA: usize = 4;

/// One task to be made. Numbers of other tasks are taken modulo those that are there.
#[derive(Clone, Debug)]
struct Wanted {
    /// None: it is at work.
    ended: Option<TaskStatus>,
    /// How many days ago it ended or was last changed.
    days: i64,
    /// Whether its callback is still to be sent, if it has one.
    telling: Option<bool>,
    /// Whether a worker has not let go of it.
    working: bool,
    /// Whether it came from a watched folder whose result is not written.
    writing: bool,
    child_of: Option<usize>,
    rerun_of: Option<usize>,
    media: BTreeSet<usize>,
}

fn wanted() -> impl Strategy<Value = Wanted> {
    let ended = prop_oneof![
        1 => Just(None),
        4 => prop_oneof![Just(TaskStatus::Completed), Just(TaskStatus::Failed), Just(TaskStatus::Cancelled)]
            .prop_map(Some),
    ];
    let other = || proptest::option::weighted(0.2, 0..100_usize);
    let rare = || proptest::bool::weighted(0.1);
    let media = proptest::collection::btree_set(0..MEDIA, 0..3);
    let telling = proptest::option::weighted(0.3, any::<bool>());
    let all = (ended, 0..20_i64, telling, rare(), rare(), other(), other(), media);
    all.prop_map(|(ended, days, telling, working, writing, child_of, rerun_of, media)| Wanted {
        ended,
        days,
        telling,
        working,
        writing,
        child_of,
        rerun_of,
        media,
    })
}

fn config() -> impl Strategy<Value = RetentionConfig> {
    let days = || prop_oneof![Just(0), Just(5), Just(10)];
    (days(), days(), 0..4_u64, days(), days()).prop_map(|(tasks, media, media_bytes, events, attempts)| {
        let span = |days: u64| Span(Duration::from_secs(days * 24 * 60 * 60));
        RetentionConfig {
            tasks: span(tasks),
            media: span(media),
            media_bytes,
            events: span(events),
            attempts: span(attempts),
            ..Config::defaults().retention
        }
    })
}

/// A database with tasks, and what the model knows of them: ids are those of the database.
struct Bench {
    queue: Queue,
    files: Files,
    tasks: Vec<(TaskId, Wanted)>,
    media: Vec<(MediaId, String)>,
    now: i64,
    _folder: TempDir,
}

/// What is left.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Left {
    tasks: BTreeSet<i64>,
    files: BTreeSet<String>,
    events: BTreeSet<i64>,
    attempts: BTreeSet<String>,
}

impl Bench {
    async fn new(wanted: &[Wanted]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.paths.data = folder.path().join("data");
        config.paths.temp = folder.path().join("temp");
        let files = Files::open(&config.paths, &config.storage, &config.uploads).await.unwrap();
        let store = Store::open(&config.database_url()).await.unwrap();
        store.hurry().await;
        let queue = Queue::new(Arc::new(store), config.queue.clone());
        let now = queue.store().now().await.unwrap();
        let mut bench = Self { queue, files, tasks: Vec::new(), media: Vec::new(), now, _folder: folder };
        for number in 0..MEDIA {
            bench.make_media(number, &config).await;
        }
        for (number, one) in wanted.iter().enumerate() {
            bench.make_task(number, one).await;
        }
        bench
    }

    async fn make_media(&mut self, number: usize, config: &Config) {
        let path = config.paths.temp.join(format!("{number}.new"));
        std::fs::write(&path, [u8::try_from(number).unwrap()]).unwrap();
        let kept = self.files.keep(&path).await.unwrap();
        let tx = self.queue.store().begin().await.unwrap();
        let (platform, platform_id) = ("web".to_owned(), number.to_string());
        let id = tx.upsert_media(NewMedia { platform, platform_id, ..NewMedia::default() }).await.unwrap();
        tx.set_media_file(id, &kept.key, 1, &kept.sha256, None).await.unwrap();
        tx.commit().await.unwrap();
        let created = self.now - 30 * DAY;
        self.queue.store().spoil(&format!("UPDATE media SET created_at={created} WHERE id={}", id.0)).await;
        self.media.push((id, kept.key));
    }

    async fn make_task(&mut self, number: usize, wanted: &Wanted) {
        let mut wanted = wanted.clone();
        let other = |which: Option<usize>| which.filter(|_| number > 0).map(|which| which % number);
        (wanted.child_of, wanted.rerun_of) = (other(wanted.child_of), other(wanted.rerun_of));
        let step_of = |task: TaskId| format!("{}-{number}", task.0);
        let parent = wanted.child_of.map(|at| self.tasks[at].0);
        if let Some(parent) = parent {
            self.make_step(parent, &step_of(parent), "workflow", "succeeded").await;
        }
        let tx = self.queue.store().begin().await.unwrap();
        let rerun_of = wanted.rerun_of.map(|at| self.tasks[at].0);
        let task = NewTask { parent_step: parent.map(step_of), rerun_of, ..NewTask::default() };
        let id = tx.insert_task(task).await.unwrap();
        tx.add_event(id, "status", json!({ "status": "queued" }));
        let used = wanted.media.iter().map(|at| self.media[*at].0).collect();
        tx.use_media(id, &used).await.unwrap();
        tx.commit().await.unwrap();
        let at = self.now - wanted.days * DAY - 1 - i64::try_from(number).unwrap();
        let (status, ended) = match wanted.ended {
            Some(status) => (status.as_str(), at.to_string()),
            None => ("processing", "NULL".to_owned()),
        };
        let store = self.queue.store();
        let set = format!("status='{status}', finished_at={ended}, updated_at={at}");
        store.spoil(&format!("UPDATE tasks SET {set} WHERE id={}", id.0)).await;
        store.spoil(&format!("UPDATE events SET created_at={at} WHERE task_id={}", id.0)).await;
        let state = if wanted.working { "running" } else { "cancelled" };
        self.make_step(id, &format!("own-{number}"), "resolve", state).await;
        if let Some(telling) = wanted.telling {
            let state = if telling { "pending" } else { "delivered" };
            let columns = "id, task_id, url, event, body, state, attempt, next_at, lease_token, created_at";
            let values = format!("'msg_{number:03}', {}, '', '', '', '{state}', 1, 0, 0, 0", id.0);
            store.spoil(&format!("INSERT INTO deliveries ({columns}) VALUES ({values})")).await;
            let columns = "delivery_id, attempt, started_at, took_ms";
            store
                .spoil(&format!("INSERT INTO delivery_attempts ({columns}) VALUES ('msg_{number:03}', 1, {at}, 1)"))
                .await;
        }
        if wanted.writing {
            let columns = "place, path, folder, size, changed_at, sha256, task_id, written";
            let values = format!("'{number}', '', '', 0, 0, '', {}, false", id.0);
            store.spoil(&format!("INSERT INTO watched_files ({columns}) VALUES ({values})")).await;
        }
        self.tasks.push((id, wanted));
    }

    async fn make_step(&self, task: TaskId, id: &str, kind: &str, state: &str) {
        let columns = "id, task_id, key, position, kind, lane, state, needs, \"with\", retry, level, sort_key, \
                       eligible_at, attempt, crashes, lease_token, progress, created_at";
        let values = format!(
            "'{id}', {}, '{id}', 0, '{kind}', 'net', '{state}', '[]', '{{}}', '{{}}', 0, 0, 0, 0, 0, 0, 1.0, 0",
            task.0
        );
        self.queue.store().spoil(&format!("INSERT INTO steps ({columns}) VALUES ({values})")).await;
    }

    /// The tasks of a task's steps and theirs, with itself.
    fn tree(&self, root: usize) -> BTreeSet<usize> {
        let mut tree = BTreeSet::from([root]);
        for at in root..self.tasks.len() {
            if self.tasks[at].1.child_of.is_some_and(|parent| tree.contains(&parent)) {
                tree.insert(at);
            }
        }
        tree
    }

    /// What should be left.
    fn model(&self, config: &RetentionConfig) -> Left {
        let days = |span: Span| i64::try_from(span.0.as_secs()).unwrap() / (24 * 60 * 60);
        let is_old = |at: usize, span: Span| days(span) > 0 && self.tasks[at].1.days >= days(span);
        let is_open = |at: &usize| self.tasks[*at].1.ended.is_none();
        let mut left: BTreeSet<usize> = (0..self.tasks.len()).collect();
        for at in 0..self.tasks.len() {
            let tree = self.tree(at);
            let needs = |at: &usize| {
                let task = &self.tasks[*at].1;
                let repeated = (0..self.tasks.len()).any(|by| self.tasks[by].1.rerun_of == Some(*at) && is_open(&by));
                is_open(at) || task.working || task.writing || task.telling == Some(true) || repeated
            };
            if self.tasks[at].1.child_of.is_none() && is_old(at, config.tasks) && !tree.iter().any(needs) {
                left.retain(|one| !tree.contains(one));
            }
        }
        let had_user = |media: usize| self.tasks.iter().any(|(_, task)| task.media.contains(&media));
        let users = |media: usize| left.iter().copied().filter(move |at| self.tasks[*at].1.media.contains(&media));
        // With the last task that uses it a media goes whole; one that never had any stays.
        let mut files: Vec<(i64, &str, usize)> = (0..MEDIA)
            .filter(|media| users(*media).next().is_some() || !had_user(*media))
            .map(|media| {
                let at = |at: usize| -self.tasks[at].1.days * DAY - 1 - i64::try_from(at).unwrap();
                (users(media).map(at).max().unwrap_or(-30 * DAY), self.media[media].1.as_str(), media)
            })
            .collect();
        files.sort_unstable();
        let mut excess = files.len() as i64 - i64::try_from(config.media_bytes).unwrap();
        files.retain(|(used, _, media)| {
            let is_old = days(config.media) > 0 && *used < -days(config.media) * DAY;
            let goes = (is_old || config.media_bytes > 0 && excess > 0) && !users(*media).any(|at| is_open(&at));
            excess -= i64::from(goes);
            !goes
        });
        let mut events: BTreeSet<usize> = left.clone();
        for at in &left {
            if !is_old(*at, config.events) {
                break;
            }
            if !is_open(at) {
                events.remove(at);
            }
        }
        let mut attempts: BTreeSet<usize> =
            left.iter().copied().filter(|at| self.tasks[*at].1.telling.is_some()).collect();
        for at in attempts.clone() {
            if !is_old(at, config.attempts) {
                break;
            }
            if self.tasks[at].1.telling == Some(false) {
                attempts.remove(&at);
            }
        }
        Left {
            tasks: left.iter().map(|at| self.tasks[*at].0.0).collect(),
            files: files.into_iter().map(|(_, key, _)| key.to_owned()).collect(),
            events: events.into_iter().map(|at| self.tasks[at].0.0).collect(),
            attempts: attempts.into_iter().map(|at| format!("msg_{at:03}")).collect(),
        }
    }

    /// What is left.
    async fn left(&self) -> Left {
        let store = self.queue.store();
        let mut left = Left::default();
        for (id, _) in &self.tasks {
            if store.task(*id).await.unwrap().is_some() {
                left.tasks.insert(id.0);
            }
            for delivery in store.deliveries_of(*id).await.unwrap() {
                left.attempts.extend(delivery.attempts.first().map(|_| delivery.id));
            }
        }
        left.events.extend(store.events(None, 0, 1_000).await.unwrap().iter().map(|event| event.task_id.0));
        for (id, key) in &self.media {
            let media = store.media(*id).await.unwrap();
            let has_file = media.as_ref().is_some_and(|media| media.file.is_some());
            assert_eq!(has_file, self.files.is_whole(key, Some(1)).await.unwrap(), "row and file disagree");
            assert_eq!(media.is_some_and(|media| media.file_removed_at.is_none()), has_file);
            left.files.extend(has_file.then(|| key.clone()));
        }
        left
    }

    fn retention(&self, config: &RetentionConfig) -> Retention {
        Retention::new(config, self.queue.clone(), self.files.clone())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn what_is_old_goes_and_what_is_at_work_stays(tasks in proptest::collection::vec(wanted(), 0..14), config in config()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new(&tasks).await;
            let expected = bench.model(&config);
            let before = bench.left().await;
            let would = look(&config, bench.queue.store()).await.unwrap();
            prop_assert_eq!(bench.left().await, before, "a look has removed something");
            let gone = bench.retention(&config).sweep().await.unwrap();
            prop_assert_eq!(bench.left().await, expected.clone());
            prop_assert_eq!(would.tasks, gone.tasks);
            for (id, task) in bench.tasks.iter().filter(|(_, task)| task.ended.is_none()) {
                prop_assert!(expected.tasks.contains(&id.0) && expected.events.contains(&id.0));
                prop_assert!(task.media.iter().all(|at| expected.files.contains(&bench.media[*at].1)));
            }
            // Nothing is left to do.
            prop_assert_eq!(bench.retention(&config).sweep().await.unwrap(), Gone::default());
            Ok(())
        })?;
    }
}
