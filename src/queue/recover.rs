//! Steps whose worker died: found at the start of the process and by looking out for leases that are over.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{Queue, Work, step_event};
use crate::{
    domain::StepState,
    error::{Code, Error, Result},
    store::{Fence, StepRow},
};

/// How long a lapsed lease must have been seen unchanged before it is taken away.
const SEEN_FOR: Duration = Duration::from_secs(10);

/// Lapsed leases as they were seen, so that one odd clock does not take work away from the living.
#[derive(Default)]
pub struct Suspects(HashMap<(String, i64, Option<i64>), Instant>);

impl Queue {
    /// At the start of a process on a database that only one process uses: everything that runs is an orphan.
    pub async fn recover(&self) -> Result<usize> {
        let tx = self.store.begin().await?;
        let orphans = tx.orphans(&self.owner, true).await?;
        let found = orphans.len();
        for orphan in orphans {
            self.give_back(&tx, orphan).await?;
        }
        tx.requeue_deliveries(&self.owner, true).await?;
        tx.commit().await?;
        self.wake.lanes();
        Ok(found)
    }

    /// Takes steps away from workers whose lease is over and was so at the last look, at least ten seconds ago.
    pub async fn reap(&self, suspects: &mut Suspects) -> Result<usize> {
        let tx = self.store.begin().await?;
        let lapsed = tx.orphans(&self.owner, false).await?;
        let mut seen = HashMap::new();
        let mut taken = 0;
        for orphan in lapsed {
            let key = (orphan.step.id.clone(), orphan.lease_token, orphan.lease_until);
            match suspects.0.get(&key) {
                Some(first) if first.elapsed() >= SEEN_FOR => {
                    self.give_back(&tx, orphan).await?;
                    taken += 1;
                }
                Some(first) => drop(seen.insert(key, *first)),
                None => drop(seen.insert(key, Instant::now())),
            }
        }
        tx.requeue_deliveries(&self.owner, false).await?;
        tx.commit().await?;
        suspects.0 = seen;
        if taken > 0 {
            self.wake.lanes();
        }
        Ok(taken)
    }

    /// Counts the crash; readies the step again or gives it up.
    async fn give_back(&self, tx: &crate::store::Tx, orphan: StepRow) -> Result<()> {
        let task = orphan.step.task_id;
        let fence = Fence {
            id: orphan.step.id.clone(),
            token: orphan.lease_token,
            owner: orphan.lease_owner.clone().unwrap_or_default(),
        };
        let work = Work { row: orphan, fence };
        let step = &work.row.step;
        let crashes = tx.count_crash(&step.id).await?;
        if crashes >= self.config.max_crashes {
            return self.fail_crashed(tx, &work, crashes, task).await;
        }
        let report = Error::new(Code::EngineCrashed, "The worker died while it worked on this step")
            .with_hint("Nothing to do: the step starts again.")
            .report();
        let Some(owner) = tx.lock_task(task).await? else { return Ok(()) };
        self.requeue(tx, &owner, &work, Duration::ZERO, true, Some(&report)).await?;
        step_event(tx, task, &step.key, StepState::Ready, step.attempt, Some(&report)).await
    }
}
