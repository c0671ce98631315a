//! Which steps this process works on, and how to stop them.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio_util::sync::CancellationToken;

use crate::{
    domain::Lane,
    store::{Fence, Heartbeat},
};

/// The running steps of this process. A step that is claimed again is another one than before: whatever was meant for
/// the claim before does not touch it.
#[derive(Default)]
pub(super) struct Running {
    steps: Mutex<HashMap<String, Claimed>>,
}

struct Claimed {
    token: i64,
    lane: Lane,
    cancel: CancellationToken,
}

impl Running {
    /// Adds a claim of a step in a lane; its work should stop when the token is cancelled.
    pub fn add(&self, claim: &Fence, lane: Lane) -> CancellationToken {
        let cancel = CancellationToken::new();
        self.lock().insert(claim.id.clone(), Claimed { token: claim.token, lane, cancel: cancel.clone() });
        cancel
    }

    /// How many steps of a lane run.
    pub fn busy(&self, lane: Lane) -> usize {
        self.lock().values().filter(|claimed| claimed.lane == lane).count()
    }

    /// Removes a claim whose work has ended.
    pub fn remove(&self, claim: &Fence) {
        let mut steps = self.lock();
        if steps.get(&claim.id).is_some_and(|claimed| claimed.token == claim.token) {
            steps.remove(&claim.id);
        }
    }

    /// The claims of all running steps: step and token.
    pub fn claims(&self) -> Vec<(String, i64)> {
        self.lock().iter().map(|(id, claimed)| (id.clone(), claimed.token)).collect()
    }

    /// Stops the named steps.
    pub fn cancel(&self, ids: &[String]) {
        let steps = self.lock();
        ids.iter().filter_map(|id| steps.get(id)).for_each(|claimed| claimed.cancel.cancel());
    }

    /// Stops what a heartbeat for `asked` found to be cancelled or lost.
    pub fn settle(&self, asked: &[(String, i64)], kept: &[Heartbeat]) {
        let steps = self.lock();
        for (id, token) in asked {
            let is_kept = kept.iter().any(|row| row.id == *id && !row.cancelled);
            if !is_kept && let Some(claimed) = steps.get(id).filter(|claimed| claimed.token == *token) {
                claimed.cancel.cancel();
            }
        }
    }

    /// Stops everything; what belongs to tasks that have not ended goes back to the queue.
    pub fn give_back(&self) {
        self.lock().values().for_each(|claimed| claimed.cancel.cancel());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Claimed>> {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim(token: i64) -> Fence {
        Fence { id: "a".to_owned(), token, owner: "me".to_owned() }
    }

    #[test]
    fn what_was_meant_for_a_claim_does_not_touch_the_next_one() {
        let running = Running::default();
        let first = running.add(&claim(1), Lane::Net);
        let asked = running.claims();
        let second = running.add(&claim(2), Lane::Net);
        running.remove(&claim(1));
        running.settle(&asked, &[]);
        assert_eq!(running.claims(), [("a".to_owned(), 2)]);
        assert_eq!((running.busy(Lane::Net), running.busy(Lane::Gpu)), (1, 0));
        assert!(!first.is_cancelled() && !second.is_cancelled());
        running.settle(&running.claims(), &[Heartbeat { id: "a".to_owned(), cancelled: true }]);
        assert!(second.is_cancelled());
        running.remove(&claim(2));
        assert!(running.claims().is_empty());
    }
}
