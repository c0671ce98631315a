//! What is remembered of a model on a device when its engine is gone.

use std::time::Duration;

use tokio::time::Instant;

/// The wait before the first restart after a crash; it doubles.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// When a GPU on which the model could not be loaded is tried again.
const SECOND_CHANCE: Duration = Duration::from_secs(600);

/// A model on a device.
#[derive(Clone, Debug, Default)]
pub(super) struct Pair {
    /// How often an engine was started again after a crash.
    pub(super) restarts: u64,
    /// Crashes in a row.
    failures: u32,
    /// Until when to wait because of them.
    not_before: Option<Instant>,
    /// Why the model cannot be loaded there, and since when.
    failed: Option<(String, Instant)>,
}

impl Pair {
    /// Its engine has crashed.
    pub(super) fn crashed(&mut self) {
        self.failures = self.failures.saturating_add(1);
        let wait = FIRST_WAIT.saturating_mul(1 << (self.failures - 1).min(10)).min(LONGEST_WAIT);
        self.not_before = Some(Instant::now() + wait);
    }

    /// Its engine starts.
    pub(super) fn starts(&mut self) {
        self.restarts += u64::from(self.failures > 0);
    }

    /// Its engine has done something.
    pub(super) fn worked(&mut self) {
        self.failures = 0;
    }

    /// The model cannot be loaded there.
    pub(super) fn failed(&mut self, problem: String) {
        self.failed = Some((problem, Instant::now()));
    }

    /// It may be tried again at once.
    pub(super) fn forgive(&mut self) {
        (self.failed, self.not_before) = (None, None);
    }

    /// Why the device is not used for the model.
    pub(super) fn problem(&self) -> Option<&str> {
        let (problem, since) = self.failed.as_ref()?;
        (since.elapsed() < SECOND_CHANCE).then_some(problem.as_str())
    }

    /// Until when no engine is to be started.
    pub(super) fn waits_until(&self) -> Option<Instant> {
        self.not_before.filter(|until| Instant::now() < *until)
    }
}
