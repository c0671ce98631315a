//! A strategy that keeps failing rests; after the rest one try decides whether it goes on resting.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use super::ms;
use crate::{ErrorClass, settings::PaceSettings};

/// How long the others wait for the one that tries. One that is broken off never tells how it ended.
const TRIAL_MS: u64 = 120_000;

/// How every strategy has fared lately.
pub(crate) struct Breakers {
    failures: u32,
    rest_ms: u64,
    strategies: Mutex<HashMap<String, Record>>,
}

/// A strategy that is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rest {
    /// Failures in a row.
    failures: u32,
    /// What the last of them was.
    last: ErrorClass,
    /// How much longer.
    pub(crate) left: Duration,
}

impl Rest {
    /// In a sentence.
    pub(crate) fn why(&self) -> String {
        let Self { failures, last, left } = self;
        format!("It has failed {failures} times in a row, the last time as {last}, and rests for {}.", span(*left))
    }
}

/// A length of time for people, rounded up.
pub(crate) fn span(time: Duration) -> String {
    match time.as_millis().div_ceil(1_000) {
        seconds @ 0..=119 => format!("{seconds} s"),
        seconds => format!("{} min", seconds.div_ceil(60)),
    }
}

#[derive(Default)]
struct Record {
    /// Failures in a row.
    failures: u32,
    /// What the last of them was.
    last: Option<ErrorClass>,
    /// When the strategy may be tried again, in milliseconds since 1970.
    until: u64,
}

impl Breakers {
    pub(super) fn new(settings: &PaceSettings) -> Self {
        let rest_ms = ms(settings.breaker_rest);
        Self { failures: settings.breaker_failures.max(1), rest_ms, strategies: Mutex::default() }
    }

    /// Why a strategy is not to be tried now. None is leave to try; after a rest only the first who asks gets it.
    pub(crate) fn resting(&self, platform: &str, strategy: &str, now_ms: u64) -> Option<Rest> {
        let mut strategies = self.strategies.lock().unwrap_or_else(PoisonError::into_inner);
        let record = strategies.get_mut(&key(platform, strategy))?;
        if record.failures < self.failures {
            return None;
        }
        if record.until <= now_ms {
            record.until = now_ms + TRIAL_MS;
            return None;
        }
        let last = record.last.unwrap_or(ErrorClass::Blocked);
        Some(Rest { failures: record.failures, last, left: Duration::from_millis(record.until - now_ms) })
    }

    /// Counts failures in a row; none is a success.
    pub(crate) fn note(&self, platform: &str, strategy: &str, failure: Option<ErrorClass>, now_ms: u64) {
        let mut strategies = self.strategies.lock().unwrap_or_else(PoisonError::into_inner);
        if failure.is_none() {
            strategies.remove(&key(platform, strategy));
            return;
        }
        let record = strategies.entry(key(platform, strategy)).or_default();
        record.last = failure;
        record.failures = record.failures.saturating_add(1);
        if record.failures >= self.failures {
            record.until = now_ms.saturating_add(self.rest_ms);
        }
    }
}

fn key(platform: &str, strategy: &str) -> String {
    format!("{platform}.{strategy}")
}
