//! What starts workflows by itself: schedules, and triggers by events.
//!
//! Callers may rely on this:
//! * each time of a schedule is a row with a unique key, written in one transaction with its task: however many
//!   schedulers look at the table, however often they are stopped and whatever the clock does, a time fires once at most;
//! * a time that passed while nothing could fire is made up for as the schedule's `catchup` says, and otherwise noted;
//! * an event of a task starts each workflow that waits for it once at most, and none in circles;
//! * a row that cannot be read, or whose work panics, is told on the row, with the schedule's alert, and holds nothing up;
//! * nothing here is kept in memory only: whoever is woken looks at the rows.

mod circles;
mod clock;
mod due;
mod events;
mod facts;
mod fires;
mod manage;
mod polls;
mod settle;
mod sync;
#[cfg(test)]
mod tests;

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{Notify, Semaphore},
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::clock::Alarm;
pub use self::{
    manage::MOST_SCHEDULES,
    sync::{sync, sync_all},
};
use crate::{
    domain::{Schedule, Wishes},
    error::{Code, Error, Result, guarded, is_panic},
    follow::Follow,
    intake::{Intake, Submission},
    net::Net,
    queue::Queue,
    store::{Store, is_unreadable},
    workflow::cron::Cron,
};

/// Between two looks because of events: a task at work tells of itself many times a second.
const BETWEEN_LOOKS: Duration = Duration::from_millis(200);
/// How many sources are polled at the same time.
const POLLS_AT_ONCE: usize = 4;
/// A clock that steps back by less is only being corrected.
const STEP_MS: i64 = 1_000;
/// How long fires are kept: 90 days.
const KEPT_MS: i64 = 90 * DAY_MS;
/// How often polls are looked for that nobody is at: cut off with a process, or their end could not be written.
const RESUME_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// Looks at schedules and events, and starts what they ask for. Cheap to clone.
#[derive(Clone)]
pub struct Scheduler {
    queue: Queue,
    intake: Intake,
    follow: Follow,
    net: Net,
    shared: Arc<Shared>,
}

struct Shared {
    /// Somebody has changed a schedule.
    changed: Notify,
    polls: Semaphore,
    tracker: TaskTracker,
    /// The latest time that was looked at; 0 before the first look.
    latest: AtomicI64,
    /// The last event that was read.
    read: AtomicI64,
    /// The fires whose polls are under way here.
    polling: Mutex<HashSet<i64>>,
    /// When polls were last looked for that nobody is at.
    resumed: AtomicI64,
    /// When old fires were last forgotten.
    pruned: AtomicI64,
}

impl Scheduler {
    /// A scheduler whose tasks go in at `intake` and whose sources `follow` polls.
    pub fn new(queue: Queue, intake: Intake, follow: Follow, net: Net) -> Self {
        let shared = Shared {
            changed: Notify::new(),
            polls: Semaphore::new(POLLS_AT_ONCE),
            tracker: TaskTracker::new(),
            latest: AtomicI64::new(0),
            read: AtomicI64::new(0),
            polling: Mutex::default(),
            resumed: AtomicI64::new(0),
            pruned: AtomicI64::new(0),
        };
        Self { queue, intake, follow, net, shared: Arc::new(shared) }
    }

    /// Fires until `shutdown`, then lets polls under way go on for `queue.drain` at most; what is cut off then is polled
    /// again after the next start.
    pub async fn run(&self, shutdown: CancellationToken) -> Result<()> {
        let mut alarm = Alarm::new().await?;
        let mut events = self.queue.wake().events();
        while !shutdown.is_cancelled() {
            // What happens from here on wakes us, whether or not this look finds it.
            events.mark_unchanged();
            let now = chrono::Utc::now().timestamp_millis();
            if let Err(error) = guarded(self.look(now)).await {
                tracing::error!(error = %error.chain(), "schedules cannot be looked at");
            }
            let next = self.store().next_schedule().await.unwrap_or_default();
            if let Err(error) = alarm.set(next, chrono::Utc::now().timestamp_millis()).await {
                tracing::warn!(error = %error.chain(), "the alarm cannot be set; schedules are looked at once a minute");
            }
            tokio::select! {
                () = alarm.rings() => {}
                () = self.shared.changed.notified() => {}
                _ = events.changed() => sleep(BETWEEN_LOOKS).await,
                () = shutdown.cancelled() => {}
            }
        }
        alarm.stop().await;
        self.shared.tracker.close();
        let _ = timeout(self.queue.config().drain.0, self.shared.tracker.wait()).await;
        Ok(())
    }

    /// Does everything that is to be done at `now`, in milliseconds since 1970.
    pub async fn look(&self, now: i64) -> Result<()> {
        let latest = self.shared.latest.swap(now, Ordering::SeqCst);
        if latest == 0 {
            self.look_again(now).await?;
        } else if now < latest - STEP_MS {
            tracing::warn!(by_ms = latest - now, "the clock was put back");
            // Times may have come between that and this look.
            self.look_again(now - fires::GRACE_MS).await?;
        }
        // What fails in one part is no reason to leave the others out.
        let mut result = guarded(self.resume_late_polls(now)).await;
        result = result.and(guarded(self.settle()).await);
        result = result.and(guarded(self.fire_due(now)).await);
        result = result.and(guarded(self.follow_events()).await);
        result = result.and(guarded(self.start_pending()).await);
        result.and(self.prune(now).await)
    }

    async fn resume_late_polls(&self, now: i64) -> Result<()> {
        if (now - self.shared.resumed.load(Ordering::SeqCst)).abs() > RESUME_MS {
            self.resume_polls().await?;
            self.shared.resumed.store(now, Ordering::SeqCst);
        }
        Ok(())
    }

    async fn prune(&self, now: i64) -> Result<()> {
        if now - self.shared.pruned.load(Ordering::SeqCst) > DAY_MS {
            self.shared.pruned.store(now, Ordering::SeqCst);
            let tx = self.store().begin().await?;
            tx.prune_fires(tx.now() - KEPT_MS).await?;
            tx.prune_event_fires(tx.now() - KEPT_MS).await?;
            tx.commit().await?;
        }
        Ok(())
    }

    fn store(&self) -> &Store {
        self.queue.store()
    }
}

/// A schedule's pattern. It was checked when it was written.
fn cron(schedule: &Schedule) -> Result<Cron> {
    Cron::parse(&schedule.cron, &schedule.tz)
        .map_err(|problem| Error::new(Code::InvalidValue, problem).with_field("cron"))
}

/// Whether this happens again whenever it is tried: a row cannot be read, or the code has a bug.
fn is_for_good(error: &Error) -> bool {
    is_unreadable(error) || is_panic(error)
}

/// The task that a fire makes; its link is one of the parameters.
fn submission(wishes: &Wishes) -> Submission {
    Submission {
        workflow: wishes.workflow.clone(),
        params: wishes.params.clone(),
        options: wishes.options.clone(),
        priority: Some(wishes.priority),
        callback_url: wishes.callback_url.clone(),
        ..Submission::default()
    }
}
