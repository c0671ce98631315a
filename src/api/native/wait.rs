//! Waiting for a task's end.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use super::Context;
use crate::{
    domain::{Task, TaskId},
    error::Result,
};

/// How often the task is looked at when nothing wakes us: another process may have ended it.
pub(super) const POLL: Duration = Duration::from_secs(1);

impl Context {
    /// The task, as soon as it has ended or `wait` is over.
    pub(in crate::api) async fn ended(&self, id: TaskId, wait: Duration) -> Result<Task> {
        let until = Instant::now() + wait;
        // Subscribed first, so that nothing is missed between the look and the wait.
        let mut events = self.state.queue.wake().events();
        loop {
            events.mark_unchanged();
            let task = self.task(id).await?;
            let now = Instant::now();
            if task.status.is_final() || now >= until || self.stop.is_cancelled() {
                return Ok(task);
            }
            tokio::select! {
                _ = events.changed() => {}
                () = sleep_until(until.min(now + POLL)) => {}
                () = self.stop.cancelled() => {}
            }
        }
    }
}
