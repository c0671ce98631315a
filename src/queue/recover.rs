//! Steps whose worker died: found at the start of the process and by looking out for leases that are over.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::{
    Queue, Work,
    after::After,
    finish::{end_stopped, is_over, requeue},
    step_event,
};
use crate::{
    domain::StepState,
    error::{Code, Error, Result},
    store::{Fence, StepRow, Tx},
};

/// Lapsed leases as they were seen, so that one odd clock does not take work away from the living.
#[derive(Default)]
pub struct Suspects(HashMap<(String, i64, Option<i64>), Instant>);

impl Queue {
    /// At the start of a process on a database that only one process uses: everything that runs is an orphan.
    pub async fn recover(&self) -> Result<usize> {
        let tx = self.store.begin().await?;
        let orphans = tx.running_steps().await?;
        let found = orphans.len();
        let mut after = After::default();
        for orphan in orphans {
            self.give_back(&tx, orphan, &mut after).await?;
        }
        tx.requeue_deliveries(false).await?;
        tx.commit().await?;
        after.anything();
        self.announce(after);
        Ok(found)
    }

    /// Takes steps away from workers whose lease is over and was so at the last look, at least a heartbeat ago. `ours`
    /// are the steps that this process works on. One which it has lost sight of (the database did not take its end) is
    /// taken like any other.
    pub async fn reap(&self, suspects: &mut Suspects, ours: &[String]) -> Result<usize> {
        let tx = self.store.begin().await?;
        let lapsed = tx.lapsed_steps().await?;
        let mut seen = HashMap::new();
        let mut after = After::default();
        let mut taken = 0;
        for orphan in lapsed.into_iter().filter(|row| !ours.contains(&row.step.id)) {
            let key = (orphan.step.id.clone(), orphan.lease_token, orphan.lease_until);
            match suspects.0.get(&key) {
                Some(first) if first.elapsed() >= self.config.heartbeat.0 => {
                    self.give_back(&tx, orphan, &mut after).await?;
                    taken += 1;
                }
                Some(first) => drop(seen.insert(key, *first)),
                None => drop(seen.insert(key, Instant::now())),
            }
        }
        tx.requeue_deliveries(true).await?;
        tx.commit().await?;
        suspects.0 = seen;
        if taken > 0 {
            after.anything();
            self.announce(after);
        }
        Ok(taken)
    }

    /// Counts the crash; readies the step again or gives it up.
    async fn give_back(&self, tx: &Tx, orphan: StepRow, after: &mut After) -> Result<()> {
        let Some(task) = tx.lock_task(orphan.step.task_id).await? else { return Ok(()) };
        let fence = Fence {
            id: orphan.step.id.clone(),
            token: orphan.lease_token,
            owner: orphan.lease_owner.clone().unwrap_or_default(),
        };
        let work = Work { row: orphan, fence };
        if is_over(&task, &work.row) || self.is_list_over(tx, &work.row).await? {
            return end_stopped(tx, &work).await.map(drop);
        }
        let crashes = tx.count_crash(&work.row.step.id).await?;
        if crashes >= self.config.max_crashes {
            return self.fail_crashed(tx, &work, crashes, &task, after).await;
        }
        let report = Error::new(Code::EngineCrashed, "The worker died while it worked on this step")
            .with_hint("Nothing to do: the step starts again.")
            .report();
        requeue(tx, &work, Duration::ZERO, true, Some(&report)).await?;
        step_event(tx, &work.row, StepState::Ready, Some(&report)).await
    }
}
