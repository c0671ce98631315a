//! How much may be done with a token.

use std::{net::IpAddr, time::Duration};

use chrono::Utc;

use super::Access;
use crate::{
    domain::{Caller, Quota, Usage},
    error::{Code, Error, Result},
    store::DAY_MS,
};

/// For how long tasks are counted, in milliseconds.
const MINUTE_MS: i64 = 60_000;

impl Access {
    /// Counts a submission against the rate that everyone has.
    ///
    /// # Errors
    /// `too_many_requests`.
    pub fn limit(&self, caller: Caller, address: Option<IpAddr>) -> Result<()> {
        self.0.limits.submit(caller.token, address)
    }

    /// Refuses what is more than a token's quota: looked at before anything of a submission is stored. `bytes` is how long
    /// its body says that it is. What runs already is finished, so that the day's audio may end up somewhat over.
    ///
    /// # Errors
    /// `quota_exceeded`, with how long to wait.
    pub async fn admit(&self, caller: Caller, bytes: u64) -> Result<()> {
        self.within(caller, bytes, |quota| quota).await
    }

    /// Refuses a body that is more than a token's quota of bytes.
    ///
    /// # Errors
    /// `quota_exceeded`, with how long to wait.
    pub async fn admit_bytes(&self, caller: Caller, bytes: u64) -> Result<()> {
        self.within(caller, bytes, |quota| Quota { bytes: quota.bytes, ..Quota::default() }).await
    }

    async fn within(&self, caller: Caller, bytes: u64, part: fn(Quota) -> Quota) -> Result<()> {
        let Some(id) = caller.token else { return Ok(()) };
        let store = &self.0.store;
        let Some(quota) = store.token(id).await?.map(|token| part(token.quota)).filter(Quota::is_any) else {
            return Ok(());
        };
        let now = Utc::now().timestamp_millis();
        let today = now / DAY_MS;
        let mut used = self.0.meter.of(Some(id), today);
        let rows = store.usage(Some(id), today).await?;
        rows.iter().for_each(|row| used += row.usage);
        let tasks = match quota.tasks.and_then(|most| u64::try_from(most).ok()) {
            Some(most) => i64::try_from(store.tasks_since(id, now - MINUTE_MS, most).await?).unwrap_or(i64::MAX),
            None => 0,
        };
        check(&quota, &used, tasks, i64::try_from(bytes).unwrap_or(i64::MAX), now)
    }
}

fn check(quota: &Quota, used: &Usage, tasks: i64, bytes: i64, now: i64) -> Result<()> {
    let exceeded = |what: String, wait_ms: i64| {
        let wait = Duration::from_millis(wait_ms.unsigned_abs());
        let error = Error::new(Code::QuotaExceeded, format!("The access token may be used for {what}, and was"));
        Err(error.with_retry_after(Some(wait)))
    };
    let tomorrow = DAY_MS - now.rem_euclid(DAY_MS);
    if let Some(most) = quota.audio_seconds
        && used.audio_ms >= most.saturating_mul(1000)
    {
        return exceeded(format!("{most} seconds of audio a day"), tomorrow);
    }
    if let Some(most) = quota.bytes
        && used.bytes_in.saturating_add(bytes) > most
    {
        return exceeded(format!("{most} bytes a day"), tomorrow);
    }
    if let Some(most) = quota.tasks
        && tasks >= most
    {
        return exceeded(format!("{most} tasks a minute"), MINUTE_MS);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_up_is_told_with_the_wait() {
        let quota = Quota { audio_seconds: Some(60), bytes: Some(1000), tasks: Some(2) };
        let used = |audio_ms, bytes_in| Usage { audio_ms, bytes_in, ..Usage::default() };
        let evening = DAY_MS - 5_000;
        let wait = |usage: Usage, tasks, bytes| {
            check(&quota, &usage, tasks, bytes, evening).err().map(|error| error.retry_after.unwrap().as_secs())
        };
        assert_eq!(wait(used(59_999, 500), 1, 500), None);
        assert_eq!(wait(used(60_000, 0), 0, 0), Some(5));
        assert_eq!(wait(used(0, 500), 0, 501), Some(5));
        assert_eq!(wait(used(0, 0), 2, 0), Some(60));
        assert!(check(&Quota::default(), &used(i64::MAX, i64::MAX), i64::MAX, i64::MAX, evening).is_ok());
        // Nothing at all may be done.
        assert!(check(&Quota { tasks: Some(0), ..Quota::default() }, &used(0, 0), 0, 0, 0).is_err());
    }
}
