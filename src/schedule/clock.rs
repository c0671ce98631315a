//! What wakes the scheduler: tokio-cron-scheduler, and a plain timer below it.
//!
//! tokio-cron-scheduler keeps jobs in memory and looks at the clock on the wall twice a second. That makes it good for one
//! thing: being woken at a time of day, within a second and a half, also when the clock is put forward. It is not the truth about
//! what has fired, because
//! * what it holds is gone with the process, and nothing is made up for after a stop;
//! * a clock that is put back lets it sleep until the old time comes again, and a repeated job fires twice a second until
//!   it has caught up with a clock that was put forward;
//! * an activation goes through a channel that forgets the oldest when it is full, and is sent twice when noting the last
//!   one took longer than half a second;
//! * its cron jobs know a fixed offset or a zone, but no policy for times that come twice.
//!
//! So one job exists, for the soonest time in the table, and whoever is woken looks at the rows. The timer below does not
//! depend on the clock on the wall.

use std::{sync::Arc, time::Duration};

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

use crate::error::{Code, Error, Result};

/// Rows are looked at this often, whatever the clock on the wall says.
const AT_LEAST_EVERY: Duration = Duration::from_secs(60);
/// A job's time is cut to whole seconds: a second more makes sure that it does not ring early.
const ROUNDING_MS: i64 = 1_000;

/// Wakes its holder at one time of day, and once a minute.
pub(super) struct Alarm {
    jobs: JobScheduler,
    set: Option<(i64, uuid::Uuid)>,
    rings: Arc<Notify>,
}

impl Alarm {
    /// An alarm that is not set.
    pub async fn new() -> Result<Self> {
        let jobs = JobScheduler::new().await.map_err(broken)?;
        jobs.start().await.map_err(broken)?;
        Ok(Self { jobs, set: None, rings: Arc::default() })
    }

    /// Sets it to a time, in milliseconds since 1970, instead of the one before.
    pub async fn set(&mut self, at: Option<i64>, now: i64) -> Result<()> {
        if self.set.is_some_and(|(set, _)| Some(set) == at && set > now) {
            return Ok(());
        }
        if let Some((_, old)) = self.set.take() {
            self.jobs.remove(&old).await.map_err(broken)?;
        }
        let Some(at) = at else { return Ok(()) };
        let wait =
            Duration::from_millis(u64::try_from(at.saturating_sub(now).saturating_add(ROUNDING_MS)).unwrap_or(0));
        let rings = Arc::clone(&self.rings);
        let job = Job::new_one_shot(wait, move |_, _| rings.notify_one()).map_err(broken)?;
        self.set = Some((at, self.jobs.add(job).await.map_err(broken)?));
        Ok(())
    }

    /// Waits until it rings, a minute at most.
    pub async fn rings(&self) {
        let _ = tokio::time::timeout(AT_LEAST_EVERY, self.rings.notified()).await;
    }

    /// Stops its jobs.
    pub async fn stop(mut self) {
        if let Err(error) = self.jobs.shutdown().await {
            tracing::debug!(%error, "the alarm cannot be stopped");
        }
    }
}

fn broken(error: JobSchedulerError) -> Error {
    Error::new(Code::Internal, "The alarm clock of the schedules does not work").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_rings_when_it_is_set_to_a_time_and_forgets_the_one_before() {
        let mut alarm = Alarm::new().await.unwrap();
        alarm.set(Some(1_000_000_000), 0).await.unwrap();
        alarm.set(Some(10), 0).await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), alarm.rings.notified()).await.unwrap();
        alarm.set(None, 0).await.unwrap();
        assert_eq!(alarm.set, None);
        alarm.stop().await;
    }
}
