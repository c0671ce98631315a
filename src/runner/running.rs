//! Which steps this process works on, and how to stop them.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
};

use tokio_util::sync::CancellationToken;

use crate::store::Heartbeat;

/// The running steps of this process.
#[derive(Default)]
pub(super) struct Running {
    steps: Mutex<HashMap<String, CancellationToken>>,
    giving_back: AtomicBool,
}

impl Running {
    /// Adds a step; its work should stop when the token is cancelled.
    pub fn add(&self, id: &str) -> CancellationToken {
        let token = CancellationToken::new();
        self.lock().insert(id.to_owned(), token.clone());
        token
    }

    /// Removes a step that has ended.
    pub fn remove(&self, id: &str) {
        self.lock().remove(id);
    }

    /// The ids of all running steps.
    pub fn ids(&self) -> Vec<String> {
        self.lock().keys().cloned().collect()
    }

    /// Stops the named steps.
    pub fn cancel(&self, ids: &[String]) {
        let steps = self.lock();
        ids.iter().filter_map(|id| steps.get(id)).for_each(CancellationToken::cancel);
    }

    /// Stops what a heartbeat found to be cancelled or lost.
    pub fn settle(&self, asked: &[String], kept: &[Heartbeat]) {
        let is_kept = |id: &String| kept.iter().any(|row| row.id == *id && !row.cancelled);
        let gone: Vec<String> = asked.iter().filter(|id| !is_kept(id)).cloned().collect();
        self.cancel(&gone);
    }

    /// Stops everything, to go back to the queue.
    pub fn give_back(&self) {
        self.giving_back.store(true, Ordering::SeqCst);
        self.lock().values().for_each(CancellationToken::cancel);
    }

    /// Whether stopped work goes back to the queue instead of being cancelled.
    pub fn is_giving_back(&self) -> bool {
        self.giving_back.load(Ordering::SeqCst)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, CancellationToken>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
