//! Wake-ups inside the process, and what its node tells the others. They only save waiting: whoever is woken looks at the database.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{Notify, broadcast, watch};

use crate::domain::{Lane, TaskId};

/// Who waits for what in this process.
pub struct Wake {
    lanes: [Notify; 6],
    urgent: Notify,
    events: watch::Sender<u64>,
    stops: broadcast::Sender<Stop>,
    news: Notify,
    has_stops: AtomicBool,
}

/// A task has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// The task.
    pub task: TaskId,
    /// Its steps that still run and should stop now.
    pub steps: Vec<String>,
}

impl Wake {
    pub(super) fn new() -> Self {
        Self {
            lanes: Default::default(),
            urgent: Notify::new(),
            events: watch::Sender::new(0),
            stops: broadcast::Sender::new(256),
            news: Notify::new(),
            has_stops: AtomicBool::new(false),
        }
    }

    /// Something may have become ready in this lane.
    pub fn lane(&self, lane: Lane) {
        self.news.notify_one();
        self.notify(lane).notify_one();
        if lane == Lane::Gpu {
            self.urgent.notify_one();
        }
    }

    /// Something may have become ready in any lane.
    pub fn lanes(&self) {
        self.news.notify_one();
        self.wake_lanes();
    }

    /// Another node has told that it has written something.
    pub fn heard(&self) {
        self.wake_lanes();
        self.events.send_modify(|count| *count += 1);
    }

    /// Waits until something has happened that other nodes should hear of, and tells whether steps should stop; what
    /// happened before counts. For one listener.
    pub async fn news(&self) -> bool {
        self.news.notified().await;
        self.has_stops.swap(false, Ordering::AcqRel)
    }

    fn wake_lanes(&self) {
        self.lanes.iter().chain([&self.urgent]).for_each(Notify::notify_one);
    }

    /// Waits until [`Self::lane`] is called for this lane; a call made before counts.
    pub async fn lane_woken(&self, lane: Lane) {
        self.notify(lane).notified().await;
    }

    /// As [`Self::lane_woken`] for lane `gpu`, for whoever looks for urgent steps only.
    pub async fn urgent_woken(&self) {
        self.urgent.notified().await;
    }

    /// Something was added to the events.
    pub fn event(&self) {
        self.news.notify_one();
        self.events.send_modify(|count| *count += 1);
    }

    /// A receiver which sees a change after every new event. Subscribe first, then look at the database.
    pub fn events(&self) -> watch::Receiver<u64> {
        self.events.subscribe()
    }

    /// A task has ended, and its steps should stop now.
    pub(super) fn stop(&self, stop: Stop) {
        self.has_stops.store(true, Ordering::Release);
        self.news.notify_one();
        // Nobody listens when no runner is in this process.
        let _ = self.stops.send(stop);
    }

    /// A receiver of the tasks that end, with those of their steps that should stop.
    pub fn stops(&self) -> broadcast::Receiver<Stop> {
        self.stops.subscribe()
    }

    fn notify(&self, lane: Lane) -> &Notify {
        &self.lanes[match lane {
            Lane::Net => 0,
            Lane::Cpu => 1,
            Lane::Gpu => 2,
            Lane::Deliver => 3,
            Lane::Flow => 4,
            Lane::Llm => 5,
        }]
    }
}
