//! Watched folders over a real database and real files; nothing is recognised.

use std::{fs, path::PathBuf, sync::Arc};

use serde_json::{Value, json};
use tempfile::TempDir;

use super::*;
use crate::{config::Config, net::Net, store::Store, transcribe::Models};

const WORKFLOW: &str = include_str!("../../workflows/transcribe.json");
const SETTLE: Duration = Duration::from_secs(10);

/// A daemon's watch without the rest of it.
struct Stage {
    root: TempDir,
    config: Config,
    queue: Queue,
    watch: Watch,
    now: Duration,
}

impl Stage {
    async fn new(more: Value) -> Self {
        let root = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        config.paths.data = root.path().join("data");
        config.paths.temp = root.path().join("temp");
        config.uploads.reserve_bytes = 0;
        config.uploads.max_bytes = 1_000;
        config.database.url = crate::store::test_url::test_url(root.path());
        config.watch.settle = "10s".parse().unwrap();
        let mut folder = json!({ "path": root.path().join("in") });
        folder.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        config.watch.folders = vec![serde_json::from_value(folder).unwrap()];
        fs::create_dir(root.path().join("in")).unwrap();
        let store = Store::open(&config.database_url()).await.unwrap();
        store.hurry().await;
        let tx = store.begin().await.unwrap();
        tx.save_workflow("transcribe", serde_json::from_str(WORKFLOW).unwrap(), "x").await.unwrap();
        tx.commit().await.unwrap();
        let queue = Queue::new(Arc::new(store), config.queue.clone());
        let files = Files::open(&config.paths, &config.storage, &config.uploads).await.unwrap();
        let watch = watch(&config, &queue, files);
        Self { root, config, queue, watch, now: Duration::ZERO }
    }

    fn put(&self, name: &str, content: &str) -> PathBuf {
        let path = self.root.path().join("in").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Looks until everything that lies there has settled.
    async fn look(&mut self) {
        for _ in 0..2 {
            self.watch.look(self.now).await;
            self.now += SETTLE;
        }
        self.watch.write_results(None).await;
    }

    /// As after a start of the daemon.
    fn restart(&mut self) {
        self.watch = watch(&self.config, &self.queue, self.watch.files.clone());
    }

    async fn tasks(&self) -> u64 {
        self.queue.store().load().await.unwrap().tasks.iter().map(|(_, count)| count).sum()
    }

    async fn task_of(&self, path: &Path) -> Option<TaskId> {
        self.queue.store().watched(path.to_str().unwrap()).await.unwrap().unwrap().task_id
    }

    fn text(&self, name: &str) -> String {
        fs::read_to_string(self.root.path().join("in").join(name)).unwrap()
    }
}

fn watch(config: &Config, queue: &Queue, files: Files) -> Watch {
    let intake = Intake::new(queue.clone(), Net::new(&config.net).unwrap(), Models::new(&config.models));
    Watch::new(&config.watch, intake, queue.clone(), files).unwrap()
}

#[tokio::test]
async fn a_content_becomes_one_task_whatever_it_is_called() {
    let mut stage = Stage::new(json!({ "options": { "language": "en" } })).await;
    let first = stage.put("a/talk.mp3", "one");
    stage.watch.look(Duration::ZERO).await;
    assert_eq!(stage.tasks().await, 0, "it may still be written to");
    stage.look().await;
    stage.put("other.mp3", "two");
    let same = stage.put("again.mp3", "one");
    stage.look().await;
    assert_eq!(stage.tasks().await, 2);
    assert_eq!(stage.task_of(&first).await, stage.task_of(&same).await);
    let task = stage.queue.store().task(stage.task_of(&first).await.unwrap()).await.unwrap().unwrap();
    assert_eq!(task.options["language"], "en");
    assert!(task.link.starts_with("upload:"));
    assert_eq!(stage.queue.store().watched_waiting(None).await.unwrap().len(), 3);
    // A start finds what is known, another content under a known name is new.
    stage.restart();
    stage.look().await;
    assert_eq!(stage.tasks().await, 2);
    stage.put("a/talk.mp3", "three");
    stage.look().await;
    assert_eq!(stage.tasks().await, 3);
    assert_eq!(fs::read_dir(stage.root.path().join("temp/uploads")).unwrap().count(), 0, "copies are left");
}

#[tokio::test]
async fn a_task_that_came_to_nothing_is_told_and_may_be_tried_again() {
    let mut stage = Stage::new(json!({})).await;
    let path = stage.put("talk.mp3", "one");
    stage.look().await;
    let task = stage.task_of(&path).await.unwrap();
    stage.queue.cancel(task).await.unwrap();
    // What is to be written is known after a start, too.
    stage.restart();
    stage.watch.write_results(Some(task)).await;
    assert!(stage.text("talk.error.txt").starts_with("cancelled\nThe task was cancelled\n"));
    assert!(stage.queue.store().watched_waiting(None).await.unwrap().is_empty());
    stage.look().await;
    assert_eq!(stage.tasks().await, 1);
    let later = std::time::SystemTime::now() + Duration::from_secs(60);
    fs::File::options().append(true).open(&path).unwrap().set_modified(later).unwrap();
    stage.look().await;
    assert_eq!(stage.tasks().await, 2);
    assert_ne!(stage.task_of(&path).await, Some(task));
}

#[tokio::test]
async fn what_becomes_no_task_is_told_once() {
    let mut stage = Stage::new(json!({ "workflow": "transcibe", "result": "out/{folder}/{stem}" })).await;
    let path = stage.put("a/talk.mp3", "one");
    stage.put("large.mp3", &"x".repeat(1_001));
    stage.look().await;
    let told = stage.text("out/a/talk.error.txt");
    assert_eq!(told.lines().next(), Some("unknown_workflow"));
    assert!(told.contains("Did you mean \"transcribe\"?"), "{told}");
    assert!(stage.text("out/large.error.txt").starts_with("too_large\n"));
    assert_eq!((stage.tasks().await, stage.task_of(&path).await), (0, None));
    fs::remove_dir_all(stage.root.path().join("in/out")).unwrap();
    stage.restart();
    stage.look().await;
    assert!(!stage.root.path().join("in/out").exists());
}

#[tokio::test]
async fn a_folder_that_is_not_there_may_come_later() {
    let mut stage = Stage::new(json!({})).await;
    fs::remove_dir(stage.root.path().join("in")).unwrap();
    stage.look().await;
    stage.put("talk.mp3", "one");
    stage.look().await;
    assert_eq!(stage.tasks().await, 1);
}

#[tokio::test]
async fn settings_that_make_no_sense_are_refused() {
    let stage = Stage::new(json!({})).await;
    for (name, value) in
        [("formats", json!(["srr"])), ("result", json!("../{stem}")), ("options", json!({ "langauge": "en" }))]
    {
        let mut folder = json!({ "path": "/in" });
        folder[name] = value;
        let mut config = stage.config.watch.clone();
        config.folders = vec![serde_json::from_value(folder).unwrap()];
        let (intake, files) = (stage.watch.intake.clone(), stage.watch.files.clone());
        let error = Watch::new(&config, intake, stage.queue.clone(), files).err().unwrap();
        assert_eq!(error.code, Code::Config, "{name}");
    }
}
