//! Politeness: how often an endpoint is asked, when it asked to be left alone, and when a strategy that keeps failing is.

mod breaker;
#[cfg(test)]
mod tests;

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

pub(crate) use self::breaker::{Breakers, Rest, span};
use crate::{Rhythm, settings::PaceSettings};

/// Keys of a limiter from which on those that have had their rest are forgotten.
const MANY: usize = 256;
/// No answer makes us wait longer.
const LONGEST_HOLD: Duration = Duration::from_secs(6 * 3600);

/// One limit for each identity, endpoint and host; one breaker for each strategy.
pub(crate) struct Pace {
    posts: Option<DefaultKeyedRateLimiter<String>>,
    lists: Option<DefaultKeyedRateLimiter<String>>,
    /// Until when an endpoint is not to be asked, in milliseconds since 1970.
    holds: Mutex<HashMap<String, u64>>,
    pub(crate) breakers: Breakers,
}

impl Pace {
    pub(crate) fn new(settings: &PaceSettings) -> Self {
        let limiter = |every, burst| {
            let burst = NonZeroU32::new(burst).unwrap_or(NonZeroU32::MIN);
            Quota::with_period(every).map(|quota| RateLimiter::keyed(quota.allow_burst(burst)))
        };
        Self {
            posts: limiter(settings.post_every, settings.post_burst),
            lists: limiter(settings.list_every, settings.list_burst),
            holds: Mutex::default(),
            breakers: Breakers::new(settings),
        }
    }

    /// Waits for the endpoint's turn.
    pub(crate) async fn wait(&self, rhythm: Rhythm, endpoint: &str, identity: &str) {
        let limiter = match rhythm {
            Rhythm::Post => self.posts.as_ref(),
            Rhythm::List => self.lists.as_ref(),
            Rhythm::Free => None,
        };
        if let Some(limiter) = limiter {
            if limiter.len() > MANY {
                limiter.retain_recent();
                limiter.shrink_to_fit();
            }
            limiter.until_key_ready(&format!("{endpoint} {identity}")).await;
        }
    }

    /// Leaves an endpoint at a host alone for a while, because it has asked for that.
    pub(crate) fn hold(&self, endpoint: &str, host: &str, identity: &str, wait: Duration, now_ms: u64) {
        let until = now_ms.saturating_add(ms(wait.min(LONGEST_HOLD)));
        let mut holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        holds.retain(|_, until| *until > now_ms);
        holds.insert(format!("{endpoint} {host} {identity}"), until);
    }

    /// How long an endpoint at a host is still to be left alone.
    pub(crate) fn held(&self, endpoint: &str, host: &str, identity: &str, now_ms: u64) -> Option<Duration> {
        let holds = self.holds.lock().unwrap_or_else(PoisonError::into_inner);
        let until = holds.get(&format!("{endpoint} {host} {identity}"))?;
        until.checked_sub(now_ms).filter(|left| *left > 0).map(Duration::from_millis)
    }
}

fn ms(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX / 2)
}
