//! Politeness: how often an endpoint is asked, and when a strategy that keeps failing is left alone.

use std::{
    collections::HashMap,
    num::NonZeroU32,
    sync::{Mutex, PoisonError},
};

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::{Rhythm, settings::PaceSettings};

/// One limit for each identity and endpoint; one breaker for each strategy.
pub(crate) struct Pace {
    posts: Option<DefaultKeyedRateLimiter<String>>,
    lists: Option<DefaultKeyedRateLimiter<String>>,
    settings: PaceSettings,
    /// Failures in a row, and when the strategy may be tried again.
    breakers: Mutex<HashMap<String, (u32, u64)>>,
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
            settings: settings.clone(),
            breakers: Mutex::default(),
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
            limiter.until_key_ready(&format!("{endpoint} {identity}")).await;
        }
    }

    /// Why a strategy is not to be tried now.
    pub(crate) fn resting(&self, platform: &str, strategy: &str, now_ms: u64) -> Option<String> {
        let breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        let (failures, until) = breakers.get(&key(platform, strategy))?;
        (*until > now_ms).then(|| {
            let minutes = (until - now_ms).div_ceil(60_000);
            format!("It has failed {failures} times in a row and rests for {minutes} more minutes.")
        })
    }

    /// Counts failures in a row.
    pub(crate) fn note(&self, platform: &str, strategy: &str, failed: bool, now_ms: u64) {
        let mut breakers = self.breakers.lock().unwrap_or_else(PoisonError::into_inner);
        if !failed {
            breakers.remove(&key(platform, strategy));
            return;
        }
        let (failures, until) = breakers.entry(key(platform, strategy)).or_default();
        *failures += 1;
        if *failures >= self.settings.breaker_failures {
            *until = now_ms + u64::try_from(self.settings.breaker_rest.as_millis()).unwrap_or(u64::MAX / 2);
        }
    }
}

fn key(platform: &str, strategy: &str) -> String {
    format!("{platform}.{strategy}")
}
