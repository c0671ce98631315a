//! The courier over a real store, against real receivers on loopback.

mod answers;
mod endpoints;
mod model;
mod rotation;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::Courier;
use crate::{
    config::Config,
    domain::TaskId,
    net::Net,
    queue::Queue,
    secrets::Secrets,
    store::{Alert, ClaimedDelivery, Delivery, NewDelivery, NewTask, Store},
};

const SECRET: &str = "whsec_bmV3IG5ldyBuZXcgbmV3IG5ldyBuZXcgbmV3";

/// One that is being sent.
pub(super) fn delivery(url: &str, attempt: i64) -> ClaimedDelivery {
    ClaimedDelivery {
        id: "msg_1".to_owned(),
        task_id: None,
        url: url.to_owned(),
        body: "{}".to_owned(),
        secret: None,
        attempt,
        manual: false,
        token: attempt,
    }
}

struct Bench {
    queue: Queue,
    secrets: Secrets,
    courier: Courier,
    task: TaskId,
    _folder: TempDir,
}

impl Bench {
    /// A courier that may talk to loopback.
    async fn new() -> Self {
        Self::with(|config| config.net.allow_hosts = vec!["127.0.0.0/8".to_owned()]).await
    }

    async fn with(change: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Config::defaults();
        change(&mut config);
        let store = Arc::new(Store::open(&crate::store::test_url::test_url(folder.path())).await.unwrap());
        store.hurry().await;
        let tx = store.begin().await.unwrap();
        let task = tx.insert_task(NewTask::default()).await.unwrap();
        tx.commit().await.unwrap();
        let secrets = Secrets::new(Arc::clone(&store), &[1; 32]);
        let queue = Queue::new(store, config.queue.clone());
        let own = secrets.own_signing(SECRET).await.unwrap();
        let net = Net::new(&config.net).unwrap();
        let courier = Courier::new(queue.clone(), net, secrets.clone(), &config.callbacks, own);
        Self { queue, secrets, courier, task, _folder: folder }
    }

    fn store(&self) -> &Store {
        self.queue.store()
    }

    /// Writes deliveries `ID0`, `ID1`, … about the task.
    async fn write(&self, ids: &str, url: &str, count: usize) {
        let tx = self.store().begin().await.unwrap();
        for number in 0..count {
            let (id, url) = (format!("{ids}{number}"), url.to_owned());
            let (event, body) = ("task.completed".to_owned(), "{}".to_owned());
            let new = NewDelivery { id, task_id: self.task, url, event, body, secret: None };
            tx.insert_delivery(new, 0).await.unwrap();
        }
        tx.commit().await.unwrap();
        self.queue.wake().event();
    }

    /// Sends one message to `url`, once; what is known of it then.
    async fn attempt(&self, url: &str) -> Delivery {
        let tx = self.store().begin().await.unwrap();
        let (id, url, event) = (crate::queue::outbox::message_id(), url.to_owned(), "schedule.failing".to_owned());
        tx.insert_alert(Alert { id: id.clone(), url, event, body: "{}".to_owned() }).await.unwrap();
        let claimed = tx.claim_deliveries(self.queue.owner(), 60_000, 1, 1).await.unwrap().remove(0);
        tx.commit().await.unwrap();
        assert_eq!(claimed.id, id);
        self.courier.attempt(&claimed).await;
        self.get(&id).await
    }

    async fn get(&self, id: &str) -> Delivery {
        self.store().delivery(id).await.unwrap().unwrap()
    }

    /// Waits until a delivery is as wanted.
    async fn until(&self, id: &str, wanted: impl Fn(&Delivery) -> bool) -> Delivery {
        let mut events = self.queue.wake().events();
        let looking = async {
            loop {
                let delivery = self.get(id).await;
                if wanted(&delivery) {
                    return delivery;
                }
                events.changed().await.unwrap();
            }
        };
        tokio::time::timeout(Duration::from_secs(60), looking).await.expect("it never is")
    }

    /// The events that the task's watchers saw of a delivery.
    async fn told(&self, id: &str) -> Vec<Value> {
        let events = self.store().events(Some(self.task), 0, 500).await.unwrap();
        events.into_iter().map(|event| event.data).filter(|data| data["id"] == id).collect()
    }

    fn run(&self) -> (CancellationToken, JoinHandle<()>) {
        let (courier, stop) = (self.courier.clone(), CancellationToken::new());
        let shutdown = stop.clone();
        (stop, tokio::spawn(async move { courier.run(shutdown).await }))
    }
}

fn span(text: &str) -> crate::domain::Span {
    text.parse().unwrap()
}
