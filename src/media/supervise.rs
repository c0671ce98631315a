//! The async side of a child: progress, cancellation, the time limit.
//!
//! The work itself runs on a blocking thread, from spawn to reap. It is stopped through its process group only.

use std::{future, time::Duration};

use tokio::{
    sync::watch,
    task::{self, JoinError},
    time,
};
use tokio_util::sync::CancellationToken;

use super::group::Group;
use crate::error::{Code, Error, Result};

/// When to stop, and how.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For the whole run.
    pub(crate) timeout: Duration,
    /// Between SIGTERM and SIGKILL.
    pub(crate) grace: Duration,
}

/// Where a run reports how far it is.
pub(crate) struct Reports<'a> {
    /// The newest fraction.
    pub(crate) news: watch::Receiver<f64>,
    /// Who wants to know.
    pub(crate) tell: &'a (dyn Fn(f64) + Send + Sync),
}

/// A call that is dropped half-way leaves nothing behind.
struct KillOnDrop(Group);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        self.0.signal(libc::SIGKILL);
    }
}

/// Runs `work` on a blocking thread until it is done, cancelled or out of time. In every case it returns only when the
/// work has ended.
pub(crate) async fn supervise<T: Send + 'static>(
    work: impl FnOnce(&Group) -> Result<T> + Send + 'static,
    patience: Patience,
    cancel: &CancellationToken,
    mut reports: Option<Reports<'_>>,
) -> Result<T> {
    if cancel.is_cancelled() {
        return Err(cancelled());
    }
    let guard = KillOnDrop(Group::new());
    let group = guard.0.clone();
    let mut job = task::spawn_blocking(move || if group.is_unwanted() { Err(cancelled()) } else { work(&group) });
    let deadline = time::sleep(patience.timeout);
    tokio::pin!(deadline);
    let reason = loop {
        tokio::select! {
            biased;
            done = &mut job => return done.unwrap_or_else(|error| Err(panicked(error))),
            () = cancel.cancelled() => break cancelled(),
            () = &mut deadline => break timed_out(patience.timeout),
            Some(fraction) = news(&mut reports) => if let Some(reports) = &reports { (reports.tell)(fraction) },
        }
    };
    guard.0.signal(libc::SIGTERM);
    job.abort(); // takes it out of the queue of a full thread pool; one that runs is not touched
    let ended = match time::timeout(patience.grace, &mut job).await {
        Ok(ended) => ended,
        Err(_) => {
            guard.0.signal(libc::SIGKILL);
            job.await
        }
    };
    // What it came to in the meantime does not count: the caller has moved on, and an unpublished output goes with it.
    drop(ended);
    Err(reason)
}

/// The next report; never, once there will be none.
async fn news(reports: &mut Option<Reports<'_>>) -> Option<f64> {
    if let Some(reports) = reports
        && reports.news.changed().await.is_ok()
    {
        return Some(*reports.news.borrow_and_update());
    }
    future::pending().await
}

fn cancelled() -> Error {
    Error::new(Code::Cancelled, "The work on this file was cancelled")
}

/// The error for a file that takes too long.
pub(super) fn timed_out(limit: Duration) -> Error {
    let detail = format!("ffmpeg was not done with this file after {} s", limit.as_secs_f64());
    Error::new(Code::MediaTimeout, detail)
}

fn panicked(error: JoinError) -> Error {
    Error::new(Code::Internal, "The thread that watches ffmpeg failed").with_source(error)
}
