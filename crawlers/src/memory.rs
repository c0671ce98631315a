//! What is worth remembering between links: anonymous cookies, ids behind names.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

/// Entries at most; the ones that end first go first.
const CAPACITY: usize = 1_000;

/// Values that hold for a while.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    values: Mutex<HashMap<String, (String, u64)>>,
}

impl Memory {
    /// A value that still holds.
    pub(crate) fn recall(&self, key: &str, now_ms: u64) -> Option<String> {
        let values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        values.get(key).filter(|(_, until)| *until > now_ms).map(|(value, _)| value.clone())
    }

    /// Keeps a value until then.
    pub(crate) fn keep(&self, key: &str, value: &str, until_ms: u64) {
        let mut values = self.values.lock().unwrap_or_else(PoisonError::into_inner);
        if values.len() >= CAPACITY
            && let Some(oldest) = values.iter().min_by_key(|(_, (_, until))| *until).map(|(key, _)| key.clone())
        {
            values.remove(&oldest);
        }
        values.insert(key.to_owned(), (value.to_owned(), until_ms));
    }

    /// Forgets a value that has turned out to be wrong.
    pub(crate) fn forget(&self, key: &str) {
        self.values.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}
