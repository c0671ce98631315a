//! What follows from a receiver's answer. Pure.

use crate::{
    config::CallbacksConfig,
    domain::Heard,
    error::{Code, Error, Result},
    net::PostReply,
    store::{ClaimedDelivery, DeliveryEnd},
};

/// The receiver wants no more messages.
const GONE: u16 = 410;
/// After these answers a receiver is left alone for at least `callbacks.busy_wait`.
const BUSY: [u16; 3] = [429, 502, 504];

/// What came of one attempt.
pub(super) struct Verdict {
    pub(super) status: Option<u16>,
    pub(super) error: Option<Error>,
    pub(super) end: DeliveryEnd,
    /// What it says of the receiver; none when nothing was sent.
    pub(super) heard: Option<Heard>,
}

/// What follows from a receiver's reply. `spread` is the factor by which waits differ, 0.8 to 1.2.
pub(super) fn judge(
    reply: Result<PostReply>,
    delivery: &ClaimedDelivery,
    config: &CallbacksConfig,
    spread: f64,
) -> Verdict {
    let (status, error, asked) = match reply {
        Ok(reply) if (200..300).contains(&reply.status) => {
            let (end, heard) = (DeliveryEnd::Delivered, Some(Heard::Taken));
            return Verdict { status: Some(reply.status), error: None, end, heard };
        }
        Ok(reply) => {
            let error = Error::new(Code::CallbackRefused, format!("The receiver answered {}", reply.status));
            (Some(reply.status), error, reply.retry_after)
        }
        Err(error) => (None, error, None),
    };
    let is_gone = status == Some(GONE);
    let is_busy = status.is_some_and(|status| BUSY.contains(&status)) || error.code == Code::SourceTimeout;
    let next = usize::try_from(delivery.attempt).ok().and_then(|made| config.wait_before(made + 1));
    let end = match next.filter(|_| !is_gone && !delivery.manual) {
        None => DeliveryEnd::Dead,
        Some(wait) => {
            let wait = wait.mul_f64(spread);
            let wait = if is_busy { wait.max(config.busy_wait.0) } else { wait };
            // A receiver may ask for more patience, up to twice our own wait.
            let wait = asked.map_or(wait, |asked| asked.clamp(wait, wait * 2));
            DeliveryEnd::Again(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
        }
    };
    let heard = Some(if is_gone { Heard::Gone } else { Heard::Failed });
    Verdict { status, error: Some(error), end, heard }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::{config::Config, delivery::tests::delivery};

    fn config() -> CallbacksConfig {
        let schedule = ["0s", "5s", "5m"].map(|span| span.parse().unwrap()).to_vec();
        CallbacksConfig { schedule, ..Config::defaults().callbacks }
    }

    fn verdict(status: u16, retry_after: Option<u64>, attempt: i64) -> Verdict {
        let retry_after = retry_after.map(Duration::from_secs);
        judge(Ok(PostReply { status, retry_after }), &delivery("https://a.example/", attempt), &config(), 1.0)
    }

    fn end(status: u16, retry_after: Option<u64>, attempt: i64) -> DeliveryEnd {
        verdict(status, retry_after, attempt).end
    }

    #[test]
    fn any_2xx_is_success_and_nothing_else() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(end(status, None, 1), DeliveryEnd::Delivered);
        }
        for status in [301, 302, 308, 400, 404, 500] {
            assert_eq!(end(status, None, 1), DeliveryEnd::Again(5_000), "{status}");
        }
    }

    #[test]
    fn gone_and_the_last_attempt_end_it() {
        assert_eq!((end(410, None, 1), verdict(410, None, 1).heard), (DeliveryEnd::Dead, Some(Heard::Gone)));
        assert_eq!(end(500, None, 2), DeliveryEnd::Again(300_000));
        assert_eq!((end(500, None, 3), verdict(500, None, 3).heard), (DeliveryEnd::Dead, Some(Heard::Failed)));
    }

    #[test]
    fn busy_receivers_get_a_minute_and_may_ask_for_twice_the_wait() {
        assert_eq!(end(429, None, 1), DeliveryEnd::Again(60_000));
        assert_eq!(end(503, Some(7), 1), DeliveryEnd::Again(7_000));
        assert_eq!(end(503, Some(700), 1), DeliveryEnd::Again(10_000));
        assert_eq!(end(503, Some(1), 1), DeliveryEnd::Again(5_000));
        let slow = Err(Error::new(Code::SourceTimeout, "slow"));
        let slow = judge(slow, &delivery("https://a.example/", 1), &config(), 1.0);
        assert_eq!((slow.end, slow.status), (DeliveryEnd::Again(60_000), None));
    }

    #[test]
    fn what_a_person_asked_for_is_tried_once() {
        let manual = ClaimedDelivery { manual: true, ..delivery("https://a.example/", 2) };
        let judged = |status| judge(Ok(PostReply { status, retry_after: None }), &manual, &config(), 1.0).end;
        assert_eq!((judged(503), judged(200)), (DeliveryEnd::Dead, DeliveryEnd::Delivered));
    }

    proptest! {
        #[test]
        fn waits_are_those_of_the_schedule(
            attempt in 1..20_i64, status in 100..600_u16, asked in proptest::option::of(0..100_000_u64), spread in 0.8..1.2,
        ) {
            let config = Config::defaults().callbacks;
            let retry_after = asked.map(Duration::from_secs);
            let reply = Ok(PostReply { status, retry_after });
            let verdict = judge(reply, &delivery("https://a.example/", attempt), &config, spread);
            match verdict.end {
                DeliveryEnd::Delivered => prop_assert_eq!(status / 100, 2),
                DeliveryEnd::Dead => prop_assert!(attempt >= 10 || status == 410),
                DeliveryEnd::Again(ms) => {
                    let planned = config.schedule[usize::try_from(attempt).unwrap()].0.as_secs_f64() * 1000.0;
                    let least = if BUSY.contains(&status) { planned.max(60_000.0) } else { planned };
                    prop_assert!(ms as f64 >= planned * 0.8 - 1.0 && ms as f64 <= least * 1.2 * 2.0, "{}", ms);
                    prop_assert!(!BUSY.contains(&status) || ms >= 60_000, "{}", ms);
                    prop_assert!(attempt < 10 && status != 410);
                }
            }
        }
    }
}
