//! The queue: what may happen to the rows of `steps`, each as one transaction.
//!
//! Callers may rely on this:
//! * a step's result, the steps that it makes ready, the task's end and its callback are committed together or not at all;
//! * a worker whose claim was taken away cannot write any more: its calls return `false` and change nothing;
//! * whatever is committed wakes who waits for it, and polling finds it when a wake-up is lost.

mod after;
mod claim;
mod control;
pub mod deadlines;
pub mod decide;
mod elsewhere;
mod finish;
mod holds;
mod lists;
pub mod new;
mod onward;
pub mod outbox;
mod progress;
mod pulse;
mod reaper;
mod recover;
pub mod redeliver;
pub mod retry;
mod said;
pub mod scope;
mod seen;
pub mod services;
mod stale;
#[cfg(test)]
mod tests;
mod tree;
mod unheard;
mod wake;

use std::sync::Arc;

pub use self::{
    claim::Work,
    control::Deleted,
    finish::{Done, End},
    pulse::Pulse,
    reaper::Reaper,
    said::Said,
    seen::Seen,
    unheard::Unheard,
    wake::{Stop, Wake},
};
use crate::{
    config::QueueConfig,
    domain::StepState,
    error::Report,
    store::{StepRow, Store, Tx},
};

/// The queue of one process. Cheap to clone.
#[derive(Clone)]
pub struct Queue {
    store: Arc<Store>,
    wake: Arc<Wake>,
    config: QueueConfig,
    owner: Arc<str>,
    pulse: Arc<Pulse>,
}

impl Queue {
    /// A queue over a store. Its owner id is unique to this start of the process.
    pub fn new(store: Arc<Store>, config: QueueConfig) -> Self {
        let owner = uuid::Uuid::now_v7().to_string().into();
        let pulse = Arc::new(Pulse::new(config.lease.0));
        Self { store, wake: Arc::new(Wake::new()), config, owner, pulse }
    }

    /// The store below.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The same, to be kept.
    pub fn shared_store(&self) -> Arc<Store> {
        Arc::clone(&self.store)
    }

    /// Who waits for what.
    pub fn wake(&self) -> &Wake {
        &self.wake
    }

    /// This process's name in leases.
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// Whether this process may still act for what it has claimed.
    pub fn pulse(&self) -> &Pulse {
        &self.pulse
    }

    /// The queue's settings.
    pub fn config(&self) -> &QueueConfig {
        &self.config
    }

    /// How long a claim holds without a heartbeat, in milliseconds.
    pub fn lease_ms(&self) -> i64 {
        i64::try_from(self.config.lease.0.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Adds the event that tells where a step stands.
fn step_event(tx: &Tx, row: &StepRow, state: StepState, error: Option<&Report>) {
    let mut data = serde_json::json!({ "step": row.step.key, "state": state, "attempt": row.step.attempt });
    if let Some(error) = error {
        data["error"] = serde_json::json!(error);
    }
    tx.add_event(row.step.task_id, "step", data);
}
