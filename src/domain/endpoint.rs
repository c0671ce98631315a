//! Receivers of callbacks: what is limited, watched and switched off as one. Pure.

use sha2::{Digest, Sha256};
use url::Url;

use super::EndpointState;

/// A receiver of callbacks: a URL's scheme, host, port and path. What differs in its query only is the same receiver.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// 32 hex digits that stand for the address.
    pub id: String,
    /// Such as `https://hooks.example.org/trawl`.
    pub address: String,
}

impl Endpoint {
    /// The receiver that a URL leads to. What is no URL is a receiver of its own.
    pub fn of(url: &str) -> Self {
        let address = Url::parse(url).map_or_else(
            |_| url.to_owned(),
            |mut url| {
                url.set_query(None);
                url.set_fragment(None);
                // Refused for URLs that have no host, and then there is nothing to hide.
                let _ = url.set_username("");
                let _ = url.set_password(None);
                url.into()
            },
        );
        let id = Sha256::digest(&address)[..16].iter().map(|byte| format!("{byte:02x}")).collect();
        Self { id, address }
    }
}

/// How a receiver fares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EndpointHealth {
    /// Whether it is sent anything.
    pub state: EndpointState,
    /// Failures since it last took something.
    pub failures: i64,
    /// The time of the first one of them, in milliseconds since 1970.
    pub failing_since: Option<i64>,
}

/// What an attempt says of a receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It took the message.
    Taken,
    /// It did not.
    Failed,
    /// It wants no more messages: 410.
    Gone,
}

impl EndpointHealth {
    /// How one fares that nothing is known of.
    pub const NEW: Self = Self { state: EndpointState::On, failures: 0, failing_since: None };

    /// How it fares after an attempt at `now`. It is switched off by a 410, and by a failure when there were nothing but
    /// failures for `patience`, both in milliseconds; nothing switches it on again but a person.
    pub fn after(self, heard: Heard, now: i64, patience: i64) -> Self {
        if heard == Heard::Taken {
            return Self { failures: 0, failing_since: None, ..self };
        }
        // A clock that was put back makes no receiver look worse.
        let since = self.failing_since.map_or(now, |since| since.min(now));
        let state = match self.state {
            EndpointState::On if heard == Heard::Gone => EndpointState::Gone,
            EndpointState::On if now - since >= patience => EndpointState::Failed,
            state => state,
        };
        Self { state, failures: self.failures + 1, failing_since: Some(since) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_receiver_is_an_address_without_what_changes() {
        for (url, address) in [
            ("https://Hooks.Example.org:443/a?task=1#x", "https://hooks.example.org/a"),
            ("https://hooks.example.org/a", "https://hooks.example.org/a"),
            ("http://hooks.example.org", "http://hooks.example.org/"),
            ("https://me:word@hooks.example.org:8443/a/", "https://hooks.example.org:8443/a/"),
            ("no url", "no url"),
        ] {
            assert_eq!(Endpoint::of(url).address, address);
        }
        let ids: std::collections::HashSet<_> =
            ["https://a.example/", "https://a.example/b", "http://a.example/", "https://a.example:8443/", ""]
                .map(|url| Endpoint::of(url).id)
                .into();
        assert!(ids.len() == 5 && ids.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn five_days_of_failures_alone_or_a_410_switch_it_off() {
        let patience = 120 * HOUR;
        let first = EndpointHealth::NEW.after(Heard::Failed, 0, patience);
        let late = first.after(Heard::Failed, patience - 1, patience);
        assert_eq!((late.state, late.failures, late.failing_since), (EndpointState::On, 2, Some(0)));
        assert_eq!(late.after(Heard::Failed, patience, patience).state, EndpointState::Failed);
        let well = late.after(Heard::Taken, patience, patience);
        assert_eq!(well, EndpointHealth::NEW);
        assert_eq!(well.after(Heard::Failed, 2 * patience, patience).state, EndpointState::On);
        assert_eq!(well.after(Heard::Gone, 2 * patience, patience).state, EndpointState::Gone);
    }

    proptest! {
        #[test]
        fn it_goes_off_for_a_reason_and_stays_off(
            heard in proptest::collection::vec((0..3_u8, 0..50 * HOUR), 1..60),
        ) {
            let patience = 120 * HOUR;
            let (mut now, mut health, mut first_failure) = (0, EndpointHealth::NEW, None);
            for (heard, step) in heard {
                now += step;
                let heard = [Heard::Taken, Heard::Failed, Heard::Gone][usize::from(heard)];
                first_failure = if heard == Heard::Taken { None } else { first_failure.or(Some(now)) };
                let next = health.after(heard, now, patience);
                let lasted = first_failure.is_some_and(|first| now - first >= patience);
                let expected = match (health.state, heard) {
                    (EndpointState::On, Heard::Gone) => EndpointState::Gone,
                    (EndpointState::On, Heard::Failed) if lasted => EndpointState::Failed,
                    (state, _) => state,
                };
                prop_assert_eq!((next.state, next.failing_since), (expected, first_failure));
                health = next;
            }
        }
    }
}
