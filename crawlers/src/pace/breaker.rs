//! A strategy that keeps failing rests; after the rest one try decides whether it goes on resting.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use super::ms;
use crate::settings::PaceSettings;

/// How long the others wait for the one that tries. One that is broken off never tells how it ended.
const TRIAL_MS: u64 = 120_000;

/// How every strategy has fared lately.
pub(crate) struct Breakers {
    failures: u32,
    rest_ms: u64,
    strategies: Mutex<HashMap<String, Record>>,
}

#[derive(Default)]
struct Record {
    /// Failures in a row.
    failures: u32,
    /// When the strategy may be tried again, in milliseconds since 1970.
    until: u64,
}

impl Breakers {
    pub(super) fn new(settings: &PaceSettings) -> Self {
        let rest_ms = ms(settings.breaker_rest);
        Self { failures: settings.breaker_failures.max(1), rest_ms, strategies: Mutex::default() }
    }

    /// Why a strategy is not to be tried now. None is leave to try; after a rest only the first who asks gets it.
    pub(crate) fn resting(&self, platform: &str, strategy: &str, now_ms: u64) -> Option<String> {
        let mut strategies = self.strategies.lock().unwrap_or_else(PoisonError::into_inner);
        let record = strategies.get_mut(&key(platform, strategy))?;
        if record.failures < self.failures {
            return None;
        }
        if record.until <= now_ms {
            record.until = now_ms + TRIAL_MS;
            return None;
        }
        let minutes = (record.until - now_ms).div_ceil(60_000);
        Some(format!("It has failed {} times in a row and rests for {minutes} more minutes.", record.failures))
    }

    /// Counts failures in a row.
    pub(crate) fn note(&self, platform: &str, strategy: &str, failed: bool, now_ms: u64) {
        let mut strategies = self.strategies.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed {
            strategies.remove(&key(platform, strategy));
            return;
        }
        let record = strategies.entry(key(platform, strategy)).or_default();
        record.failures = record.failures.saturating_add(1);
        if record.failures >= self.failures {
            record.until = now_ms.saturating_add(self.rest_ms);
        }
    }
}

fn key(platform: &str, strategy: &str) -> String {
    format!("{platform}.{strategy}")
}
