//! Whether a server is worth asking: after a failure it is left alone for a while.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use crate::error::Error;

/// The wait after the first failure; it doubles with each one.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(300);
/// The longest wait that a server can impose.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);

/// What is known of a server's health.
#[derive(Debug, Default)]
pub(super) struct Health {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Failures since the last success.
    failures: u32,
    /// Not before this.
    until: Option<Instant>,
    problem: Option<String>,
}

impl Health {
    /// It has answered.
    pub(super) fn succeeded(&self) {
        *self.lock() = State::default();
    }

    /// It has failed. What cannot pass by itself is remembered, but no reason to wait.
    pub(super) fn failed(&self, error: &Error) {
        let mut state = self.lock();
        state.problem = Some(error.detail.clone());
        if !error.is_retryable() {
            return;
        }
        let own = FIRST.saturating_mul(1 << state.failures.min(16)).min(LONGEST);
        state.failures = state.failures.saturating_add(1);
        state.until = Some(Instant::now() + error.retry_after.map_or(own, |asked| asked.min(LONGEST_ASKED)));
    }

    /// How long it is still to be left alone.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.lock().until?.checked_duration_since(Instant::now()).filter(|wait| !wait.is_zero())
    }

    /// What went wrong last.
    pub(super) fn problem(&self) -> Option<String> {
        self.lock().problem.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Code;

    #[test]
    fn waits_double_and_end_with_a_success() {
        let health = Health::default();
        assert_eq!(health.wait(), None);
        let broken = || Error::new(Code::RemoteEngine, "It is broken");
        for seconds in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
            health.failed(&broken());
            let wait = health.wait().unwrap().as_secs_f64();
            assert!(wait <= f64::from(seconds) && wait > f64::from(seconds) - 0.9, "{wait} instead of {seconds}");
        }
        assert_eq!(health.problem().as_deref(), Some("It is broken"));
        health.failed(&broken().with_retry_after(Some(Duration::from_secs(7))));
        assert_eq!(health.wait().unwrap().as_secs_f64().ceil(), 7.0);
        health.succeeded();
        assert_eq!((health.wait(), health.problem()), (None, None));
        health.failed(&Error::new(Code::Config, "The key is wrong"));
        assert_eq!((health.wait(), health.problem().as_deref()), (None, Some("The key is wrong")));
    }
}
