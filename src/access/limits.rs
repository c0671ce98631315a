//! How often: failed logins by address, submissions by token.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock, DefaultClock},
};

use crate::{
    config::AuthConfig,
    domain::TokenId,
    error::{Code, Error, Result},
};

/// The limits; none where nobody is told apart.
pub(super) struct Limits {
    logins: Option<DefaultKeyedRateLimiter<IpAddr>>,
    submits: Option<DefaultKeyedRateLimiter<Submitter>>,
}

/// Whose submissions are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Submitter {
    Token(TokenId),
    Address(IpAddr),
}

impl Limits {
    /// Those of the configuration; 0 is none.
    pub(super) fn new(config: &AuthConfig) -> Self {
        Self { logins: per_minute(config.failed_logins_per_minute), submits: per_minute(config.submits_per_minute) }
    }

    /// None.
    pub(super) fn none() -> Self {
        Self { logins: None, submits: None }
    }

    /// Counts a login that failed.
    ///
    /// # Errors
    /// `too_many_requests` when there were too many from there.
    pub(super) fn failed(&self, address: Option<IpAddr>) -> Result<()> {
        check(self.logins.as_ref(), &network(address), "logins that failed")
    }

    /// Counts a submission.
    ///
    /// # Errors
    /// `too_many_requests` when there were too many.
    pub(super) fn submit(&self, token: Option<TokenId>, address: Option<IpAddr>) -> Result<()> {
        let who = token.map_or_else(|| Submitter::Address(network(address)), Submitter::Token);
        check(self.submits.as_ref(), &who, "submissions")
    }

    /// Forgets whoever has come back to the full measure.
    pub(super) fn forget_old(&self) {
        if let Some(logins) = &self.logins {
            logins.retain_recent();
            logins.shrink_to_fit();
        }
        if let Some(submits) = &self.submits {
            submits.retain_recent();
            submits.shrink_to_fit();
        }
    }
}

fn per_minute<K: Hash + Eq + Clone>(most: u32) -> Option<DefaultKeyedRateLimiter<K>> {
    NonZeroU32::new(most).map(|most| RateLimiter::keyed(Quota::per_minute(most)))
}

fn check<K: Hash + Eq + Clone>(limiter: Option<&DefaultKeyedRateLimiter<K>>, who: &K, what: &str) -> Result<()> {
    let Some(limiter) = limiter else { return Ok(()) };
    limiter.check_key(who).map_err(|until| {
        let wait = until.wait_time_from(DefaultClock::default().now());
        let wait = wait.max(Duration::from_secs(1));
        Error::new(Code::TooManyRequests, format!("There were too many {what} in a minute"))
            .with_retry_after(Some(wait))
    })
}

/// Whom an address belongs to: of IPv6 a customer has a whole network.
fn network(address: Option<IpAddr>) -> IpAddr {
    match address.map(|address| address.to_canonical()) {
        Some(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
        Some(address) => address,
        None => Ipv4Addr::UNSPECIFIED.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_is_counted_as_one() {
        let of = |text: &str| network(Some(text.parse().unwrap())).to_string();
        assert_eq!((of("10.1.2.3"), of("::ffff:10.1.2.3")), ("10.1.2.3".to_owned(), "10.1.2.3".to_owned()));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    #[test]
    fn each_has_a_measure_of_its_own() {
        let mut config = crate::config::Config::defaults().auth;
        (config.failed_logins_per_minute, config.submits_per_minute) = (2, 1);
        let limits = Limits::new(&config);
        let at = |last: u8| Some(IpAddr::from([10, 0, 0, last]));
        assert!(limits.failed(at(1)).is_ok() && limits.failed(at(1)).is_ok());
        let error = limits.failed(at(1)).unwrap_err();
        assert_eq!(error.code, Code::TooManyRequests);
        assert!((1..=30).contains(&error.retry_after.unwrap().as_secs()), "{error:?}");
        assert!(limits.failed(at(2)).is_ok());
        assert!(limits.submit(Some(TokenId(1)), at(1)).is_ok() && limits.submit(Some(TokenId(2)), at(1)).is_ok());
        assert!(limits.submit(Some(TokenId(1)), at(2)).is_err());
        assert!(limits.submit(None, at(1)).is_ok() && limits.submit(None, at(1)).is_err());
        assert!((0..100).all(|_| Limits::none().failed(at(1)).is_ok()));
    }
}
