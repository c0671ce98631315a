//! What is counted with every request, until it is written.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::Utc;

use super::Access;
use crate::{
    domain::{TokenId, Usage},
    store::DAY_MS,
};

/// Counters in memory.
#[derive(Debug, Default)]
pub(super) struct Meter(Mutex<Counted>);

/// What was counted since it was last taken.
#[derive(Debug, Default)]
pub(super) struct Counted {
    /// By token and day.
    pub(super) usage: HashMap<(Option<TokenId>, i64), Usage>,
    /// When tokens were last used, in milliseconds since 1970.
    pub(super) used: HashMap<TokenId, i64>,
}

impl Counted {
    /// Whether there is nothing to write.
    pub(super) fn is_empty(&self) -> bool {
        self.usage.is_empty() && self.used.is_empty()
    }
}

impl Meter {
    /// Takes what was counted.
    pub(super) fn take(&self) -> Counted {
        std::mem::take(&mut *self.lock())
    }

    /// Puts back what could not be written.
    pub(super) fn give_back(&self, counted: Counted) {
        let mut now = self.lock();
        for (key, usage) in counted.usage {
            *now.usage.entry(key).or_default() += usage;
        }
        for (id, at) in counted.used {
            now.used.entry(id).or_insert(at);
        }
    }

    /// What was counted for a token on a day and is not written yet.
    pub(super) fn of(&self, token: Option<TokenId>, day: i64) -> Usage {
        self.lock().usage.get(&(token, day)).copied().unwrap_or_default()
    }

    fn add(&self, token: Option<TokenId>, usage: Usage) {
        let now = Utc::now().timestamp_millis();
        let mut counted = self.lock();
        *counted.usage.entry((token, now / DAY_MS)).or_default() += usage;
        if let Some(id) = token {
            counted.used.insert(id, now);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Counted> {
        // Counters are whole at any time.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Access {
    /// Counts a request.
    pub fn count_request(&self, token: Option<TokenId>) {
        self.0.meter.add(token, Usage { requests: 1, ..Usage::default() });
    }

    /// Counts bytes of a body that have arrived.
    pub fn count_bytes(&self, token: Option<TokenId>, bytes: u64) {
        let bytes_in = i64::try_from(bytes).unwrap_or(i64::MAX);
        self.0.meter.add(token, Usage { bytes_in, ..Usage::default() });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_written_is_counted_on() {
        let meter = Meter::default();
        let id = TokenId(1);
        meter.add(Some(id), Usage { requests: 1, ..Usage::default() });
        meter.add(None, Usage { bytes_in: 5, ..Usage::default() });
        let taken = meter.take();
        assert!(!taken.is_empty() && meter.take().is_empty());
        let day = taken.usage.keys().next().unwrap().1;
        // Used again meanwhile: the later time stays.
        meter.add(Some(id), Usage { requests: 2, ..Usage::default() });
        let later = meter.lock().used[&id] + 7;
        meter.lock().used.insert(id, later);
        meter.give_back(taken);
        let taken = meter.take();
        let requests: i64 =
            taken.usage.iter().filter(|((token, _), _)| *token == Some(id)).map(|(_, used)| used.requests).sum();
        assert_eq!((requests, taken.usage[&(None, day)].bytes_in, taken.used[&id]), (3, 5, later));
    }
}
