//! Steps whose worker died: found at the start of the process and by looking out for leases that are over.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Queue, Work,
    after::After,
    finish::{end_stopped, is_over, requeue},
    reaper::{Look, Reaper},
    step_event,
};
use crate::{
    domain::StepState,
    error::{Code, Error, Result},
    store::{Fence, Lapsed, LapsedLeases, StepRow, Tx},
};

impl Queue {
    /// At the start of a process: on a database that no other process works on, everything that runs is an orphan, and
    /// every node is gone. On one that nodes share nothing can be told yet: what was left behind there is found by its
    /// leases.
    pub async fn recover(&self) -> Result<usize> {
        if self.store.is_exclusive() { self.recover_all().await } else { Ok(0) }
    }

    /// Takes everything back that runs, and forgets every node.
    pub(super) async fn recover_all(&self) -> Result<usize> {
        let tx = self.store.begin().await?;
        let orphans = tx.running_steps().await?;
        let found = orphans.len();
        let mut after = After::default();
        for orphan in orphans {
            self.give_back(&tx, orphan, &mut after).await?;
        }
        tx.requeue_deliveries(false).await?;
        let put_back = tx.put_back().await?;
        if put_back > 0 {
            tx.bring_forward(put_back).await?;
        }
        tx.forget_nodes(i64::MAX).await?;
        tx.commit().await?;
        after.anything();
        self.announce(after);
        Ok(found)
    }

    /// One that looks for what others leave behind. On a database that nodes share it lets them be heard of first.
    pub fn reaper(&self) -> Reaper {
        Reaper::new(if self.store.is_exclusive() { Duration::ZERO } else { self.config.lease.0 / 2 })
    }

    /// Takes steps and deliveries away from workers that are gone, as far as `reaper` is sure of it; how many. `ours` are
    /// the steps that this process works on. One which it has lost sight of (the database did not take its end) is taken
    /// like any other.
    pub async fn reap(&self, reaper: &mut Reaper, ours: &[String]) -> Result<usize> {
        let asked = Instant::now();
        let LapsedLeases { now, steps, deliveries } = self.store.lapsed().await?;
        let look = Look { asked, answered: Instant::now(), told: now };
        let steps = steps.into_iter().filter(|lease| !ours.contains(&lease.id));
        let rule = (self.config.heartbeat.0, self.config.lease.0);
        // Ids of steps and deliveries are never the same.
        let left = reaper.left_behind(look, steps.chain(deliveries), self.pulse.last_trouble(), rule);
        if left.is_empty() && reaper.put_back == 0 {
            return Ok(0);
        }
        let tx = self.store.begin().await?;
        let (mut taken, mut after) = (0, After::default());
        if reaper.put_back > 0 {
            tx.bring_forward(reaper.put_back).await?;
            after.anything();
        }
        for lease in left {
            taken += usize::from(self.take_back(&tx, &lease, &mut after).await?);
        }
        tx.commit().await?;
        if taken > 0 {
            after.anything();
        }
        reaper.put_back = 0;
        self.announce(after);
        Ok(taken)
    }

    /// Takes back what is still held by that very lease.
    async fn take_back(&self, tx: &Tx, lease: &Lapsed, after: &mut After) -> Result<bool> {
        let is_it = |row: &StepRow| {
            row.step.state == StepState::Running && (row.lease_token, row.lease_until) == (lease.token, lease.until)
        };
        match tx.step(&lease.id).await? {
            Some(row) if is_it(&row) => self.give_back(tx, row, after).await.map(|()| true),
            Some(_) => Ok(false),
            None => tx.requeue_delivery(lease).await,
        }
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
        step_event(tx, &work.row, StepState::Ready, Some(&report));
        Ok(())
    }
}
