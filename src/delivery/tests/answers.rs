//! What receivers may do to us.

use std::time::Duration;

use chrono::TimeDelta;

use super::{Bench, span};
use crate::{
    domain::DeliveryState::{self, Dead, Pending},
    net::tests::server::{Act, Server, head, redirect, reply},
    store::Delivery,
};

/// A courier that waits for half a second.
async fn bench() -> Bench {
    Bench::with(|config| {
        config.net.allow_hosts = vec!["127.0.0.0/8".to_owned()];
        config.callbacks.timeout = span("500ms");
    })
    .await
}

/// State, status, error code, and how many seconds after the attempt it is tried again.
fn fate(delivery: &Delivery) -> (DeliveryState, Option<u16>, Option<&str>, i64) {
    let attempt = delivery.attempts.last().unwrap();
    let code = attempt.error.as_ref().map(|error| error.code.as_str());
    let ended = attempt.started_at + TimeDelta::milliseconds(attempt.took_ms);
    (delivery.state, attempt.status, code, (delivery.next_at - ended).num_seconds())
}

#[tokio::test]
async fn receivers_that_do_not_take_it() {
    let canary = Server::canary().await;
    let to = canary.url("/");
    let receiver = Server::start(move |asked| match asked.path() {
        "/hang" => vec![Act::Hang],
        "/reset" => vec![Act::Reset],
        "/half" => vec![Act::Send(b"HTTP/1.1 20".to_vec()), Act::Reset],
        // A head that never ends.
        "/drip" => vec![Act::Send(b"HTTP/1.1 200 X\r\nx-slow: ".to_vec()), Act::Drip(b'x', Duration::from_millis(20))],
        "/moved" => redirect(308, &to),
        "/busy" => reply(429, "", b""),
        "/later" => reply(503, "Retry-After: 7\r\n", b""),
        "/much-later" => reply(503, "Retry-After: 86400\r\n", b""),
        _ => reply(410, "", b""),
    })
    .await;
    let bench = bench().await;
    for (path, state, status, code, waits) in [
        ("/hang", Pending, None, "source_timeout", 60..=60),
        ("/reset", Pending, None, "source_error", 4..=6),
        ("/half", Pending, None, "source_error", 4..=6),
        ("/drip", Pending, None, "source_timeout", 60..=60),
        ("/moved", Pending, Some(308), "callback_refused", 4..=6),
        ("/busy", Pending, Some(429), "callback_refused", 60..=60),
        // Up to twice of what it would be by itself.
        ("/later", Pending, Some(503), "callback_refused", 7..=7),
        ("/much-later", Pending, Some(503), "callback_refused", 8..=12),
        ("/gone", Dead, Some(410), "callback_refused", i64::MIN..=0),
    ] {
        let delivery = bench.attempt(&receiver.url(path)).await;
        let (state_now, status_now, code_now, wait) = fate(&delivery);
        assert_eq!((state_now, status_now), (state, status), "{path}");
        assert!(code_now == Some(code), "{path}: {code_now:?}");
        assert!(waits.contains(&wait), "{path}: {wait} s");
        let attempts = &delivery.attempts;
        assert!(attempts.len() == 1 && attempts[0].took_ms < 10_000, "{path}: {attempts:?}");
    }
    assert_eq!(canary.connections(), 0);
}

#[tokio::test]
async fn what_follows_a_good_status_is_not_waited_for() {
    let receiver = Server::start(|asked| match asked.path() {
        "/gigabyte" => vec![head(200, "Content-Length: 1073741824\r\n"), Act::Forever(vec![b'x'; 65_536])],
        "/drip" => vec![head(200, ""), Act::Drip(b'x', Duration::from_millis(20))],
        _ => vec![head(200, "Content-Length: 9\r\n"), Act::Send(b"half".to_vec()), Act::Reset],
    })
    .await;
    let bench = bench().await;
    for path in ["/gigabyte", "/drip", "/reset"] {
        let delivery = bench.attempt(&receiver.url(path)).await;
        let (state, status, code, _) = fate(&delivery);
        assert_eq!((state, status, code), (DeliveryState::Delivered, Some(200), None), "{path}");
        assert!(delivery.attempts[0].took_ms < 10_000, "{path}: {delivery:?}");
    }
    assert!(receiver.sent() < 1 << 26, "{} bytes were taken", receiver.sent());
}

#[tokio::test]
async fn an_address_that_is_refused_is_refused_at_each_attempt() {
    let canary = Server::canary().await;
    // It was taken in when it was allowed, or its name led elsewhere.
    let bench = Bench::with(|_| ()).await;
    for url in [canary.url("/"), format!("http://localhost:{}/", canary.address.port())] {
        let delivery = bench.attempt(&url).await;
        let (state, status, code, _) = fate(&delivery);
        assert_eq!((state, status), (DeliveryState::Pending, None), "{url}");
        assert!(matches!(code, Some("address_refused" | "port_refused")), "{url}: {code:?}");
    }
    assert_eq!(canary.connections(), 0);
}
