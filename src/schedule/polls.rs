//! Schedules over sources: a fire looks at the source, and `follow` makes one task of each new post.

use std::{
    collections::HashSet,
    sync::{MutexGuard, PoisonError},
};

use super::{Scheduler, is_for_good};
use crate::{
    domain::{Fire, FireState},
    error::{Code, Error, Result, guarded},
    follow::Polled,
    store::FireEnd,
};

impl Scheduler {
    /// Takes up the polls that a process left behind when it died, and those whose end could not be written; those that
    /// another node is at stay its. What they have brought is there, and is not made twice.
    pub(super) async fn resume_polls(&self) -> Result<()> {
        for fire in self.store().polling_fires().await? {
            self.spawn_poll(fire);
        }
        Ok(())
    }

    /// Polls beside everything else: a site may take its time.
    pub(super) fn spawn_poll(&self, fire: Fire) {
        if !self.polling().insert(fire.id) {
            return;
        }
        let scheduler = self.clone();
        self.shared.tracker.spawn(async move {
            // The semaphore is never closed; without a place the poll would still be right, only earlier.
            let _place = scheduler.shared.polls.acquire().await;
            let polled = match guarded(scheduler.poll(&fire)).await {
                Err(error) if is_for_good(&error) => guarded(scheduler.fail_fire(&fire, &error)).await,
                polled => polled,
            };
            if let Err(error) = polled {
                tracing::error!(schedule = %fire.schedule_id, error = %error.chain(), "a poll cannot be noted");
            }
            scheduler.polling().remove(&fire.id);
        });
    }

    fn polling(&self) -> MutexGuard<'_, HashSet<i64>> {
        // Numbers only: a panic elsewhere leaves nothing half done in it.
        self.shared.polling.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn poll(&self, fire: &Fire) -> Result<()> {
        let tx = self.store().begin().await?;
        if !tx.take_poll(fire.id, self.queue.owner(), self.queue.lease_ms()).await? {
            return Ok(());
        }
        tx.commit().await?;
        let schedule = self.store().schedule(fire.schedule_id).await?;
        let Some(source) = schedule.and_then(|schedule| schedule.source_id) else { return Ok(()) };
        let end = told(self.follow.poll(source).await);
        self.end_fire(fire.schedule_id, fire.id, &end).await?;
        self.shared.changed.notify_one();
        Ok(())
    }

    /// Waits until no poll is under way.
    #[cfg(test)]
    pub(super) async fn polled(&self) {
        self.shared.tracker.close();
        self.shared.tracker.wait().await;
        self.shared.tracker.reopen();
    }
}

fn told(polled: Result<Polled>) -> FireEnd {
    let end =
        |state, error: Option<&Error>| FireEnd { state, new_items: None, note: None, error: error.map(Error::report) };
    match polled {
        Ok(polled) => {
            let new = polled.tasks.len();
            let mut note = format!("{new} new, {} passed over, {} seen before", polled.skipped, polled.seen);
            if let Some(warning) = &polled.warning {
                note = format!("{note}; {}", warning.detail);
            }
            let state = if polled.error.is_none() { FireState::Succeeded } else { FireState::Failed };
            FireEnd { state, new_items: i64::try_from(new).ok(), note: Some(note), error: polled.error }
        }
        // Somebody looks at it this very moment: that brings the same posts.
        Err(error) if error.code == Code::Conflict => {
            FireEnd { note: Some(error.detail.clone()), ..end(FireState::Skipped, None) }
        }
        Err(error) => end(FireState::Failed, Some(&error)),
    }
}
