//! The clock and the dice, so that tests can hold them still.

use std::time::{SystemTime, UNIX_EPOCH};

/// Where time and randomness come from.
pub trait Chance: Send + Sync {
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// A number below `limit`, which is at least 1.
    fn below(&self, limit: u64) -> u64;
}

/// The system's clock and random numbers.
#[derive(Debug, Clone, Copy, Default)]
pub struct Real;

impl Chance for Real {
    fn now_ms(&self) -> u64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    fn below(&self, limit: u64) -> u64 {
        rand::random_range(0..limit.max(1))
    }
}
