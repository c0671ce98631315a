//! Following, over a real store and intake; only the site is a stub.

mod beginning;
mod pages;
mod polls;
mod stub;

use std::sync::Arc;

use serde_json::Map;
use tempfile::TempDir;

pub(crate) use self::stub::{Stub, post};
use super::*;
use crate::{
    config::Config,
    domain::{Priority, TaskId},
    net::Net,
    transcribe::Models,
};

const WORKFLOW: &str = include_str!("../../../workflows/transcribe.json");

/// A database, a way in, and a list to follow.
struct Bench {
    follow: Follow,
    list: Arc<Stub>,
    queue: Queue,
    _folder: TempDir,
}

impl Bench {
    async fn new(list: Stub) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let empty = folder.path().join("empty.toml");
        std::fs::write(&empty, "").unwrap();
        let config = Config::load(Some(&empty), &[]).unwrap();
        let url = crate::store::test_url::test_url(folder.path());
        let queue = Queue::new(Arc::new(Store::open(&url).await.unwrap()), config.queue.clone());
        let bench = Self {
            follow: Follow::new(Arc::new(Stub::default()), intake(&queue, &config), queue.clone()),
            list: Arc::new(list),
            queue,
            _folder: folder,
        };
        bench.save_workflow("transcribe").await;
        let follow = Follow { lists: Arc::clone(&bench.list) as Arc<dyn Lists>, ..bench.follow.clone() };
        Self { follow, ..bench }
    }

    async fn save_workflow(&self, name: &str) {
        let tx = self.queue.store().begin().await.unwrap();
        tx.save_workflow(name, serde_json::from_str(WORKFLOW).unwrap(), "x").await.unwrap();
        tx.commit().await.unwrap();
    }

    /// Follows the list.
    async fn start(&self, backfill: Backfill, pages: u32) -> (Source, Polled) {
        self.follow.create(Start { pages, ..start(backfill) }).await.unwrap()
    }

    /// The links of some tasks, without what they have in common.
    async fn links(&self, tasks: &[TaskId]) -> Vec<String> {
        let mut links = Vec::new();
        for id in tasks {
            let task = self.queue.store().task(*id).await.unwrap().unwrap();
            links.push(task.link.rsplit('/').next().unwrap().to_owned());
        }
        links
    }

    /// Polls and returns the new posts' ids, the oldest first.
    async fn new_in(&self, source: &Source) -> Vec<String> {
        let polled = self.follow.poll(source.id).await.unwrap();
        self.links(&polled.tasks).await
    }
}

fn intake(queue: &Queue, config: &Config) -> Intake {
    Intake::new(queue.clone(), Net::new(&config.net).unwrap(), Models::new(&config.models))
}

fn start(backfill: Backfill) -> Start {
    let wishes = Wishes {
        workflow: "transcribe".to_owned(),
        params: Map::new(),
        options: Map::new(),
        priority: Priority::Low,
        callback_url: None,
    };
    Start { link: "https://example.com/list".to_owned(), title: None, wishes, pages: 1, backfill }
}
