use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

use super::*;
use crate::{
    Chance, CrawlError, ErrorClass, Identity, Outcome, Request, Settings, Visit, With,
    memory::Memory,
    stub::{Stub, hasty, said},
};

/// Whether it is this one's turn at once.
fn is_ready(future: impl Future) -> bool {
    matches!(pin!(future).poll(&mut Context::from_waker(Waker::noop())), Poll::Ready(_))
}

fn settings() -> PaceSettings {
    let mut settings = Settings::shipped().pace;
    (settings.post_every, settings.post_burst) = (Duration::from_secs(3600), 2);
    (settings.breaker_failures, settings.breaker_rest) = (3, Duration::from_secs(600));
    settings
}

#[test]
fn each_identity_and_endpoint_has_a_rhythm_of_its_own() {
    let pace = Pace::new(&settings());
    let turn = |rhythm, endpoint, identity| is_ready(pace.wait(rhythm, endpoint, identity));
    assert!(turn(Rhythm::Post, "a.detail", "") && turn(Rhythm::Post, "a.detail", ""));
    assert!(!turn(Rhythm::Post, "a.detail", ""), "after the burst comes the pause");
    assert!(turn(Rhythm::Post, "a.detail", "me") && turn(Rhythm::Post, "a.page", ""));
    assert!(turn(Rhythm::List, "a.detail", "") && (0..99).all(|_| turn(Rhythm::Free, "a.detail", "")));
}

#[tokio::test]
async fn only_what_the_platform_did_counts_against_a_way() {
    let stub = Stub::new(|_: &Request| said(429, &[("Retry-After", "60")], ""));
    let (settings, memory) =
        (Settings { pace: PaceSettings { breaker_failures: 1, ..hasty().pace }, ..hasty() }, Memory::default());
    let failed = |class| Outcome::Failed(CrawlError::new(class, "No."));
    let rests = |outcome: &Outcome, withheld: bool| {
        let pace = Pace::new(&settings.pace);
        let visit = Visit::new(stub.with(), &settings, &memory, &pace);
        if withheld {
            pace.hold("a.detail", "a.example", "", Duration::from_secs(60), stub.with().chance.now_ms());
            let request = Request::get("https://a.example/".parse().unwrap(), 1_000);
            assert!(is_ready(visit.fetch(Rhythm::Free, "a.detail", request)));
        }
        visit.note("a", "page", outcome);
        visit.resting("a", "page").is_some()
    };
    assert!(rests(&failed(ErrorClass::Blocked), false) && rests(&failed(ErrorClass::Credentials), false));
    assert!(!rests(&failed(ErrorClass::RateLimited), true), "it was not asked at all");
    assert!(!rests(&failed(ErrorClass::NoMediaFound), false));
    assert!(!rests(&Outcome::Doubt(CrawlError::new(ErrorClass::Blocked, "It exists.")), false));
}

#[tokio::test]
async fn who_waited_for_a_turn_is_told_of_what_was_asked_meanwhile() {
    let stub = Stub::new(|_: &Request| said(200, &[], ""));
    let pace_settings = PaceSettings { post_every: Duration::from_millis(20), post_burst: 1, ..settings() };
    let (settings, memory) = (hasty(), Memory::default());
    let pace = Pace::new(&pace_settings);
    let visit = Visit::new(stub.with(), &settings, &memory, &pace);
    let ask = || visit.fetch(Rhythm::Post, "a.detail", Request::get("https://a.example/".parse().unwrap(), 1_000));
    ask().await.unwrap();
    let mut second = pin!(ask());
    assert!(second.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    pace.hold("a.detail", "a.example", "", Duration::from_secs(60), stub.with().chance.now_ms());
    assert_eq!(second.await.unwrap_err().class, ErrorClass::RateLimited);
    assert_eq!(stub.requests().len(), 1);
    let elsewhere = Request::get("https://b.example/".parse().unwrap(), 1_000);
    assert!(is_ready(visit.fetch(Rhythm::Post, "a.detail", elsewhere)), "another host is another matter");
}

#[test]
fn who_has_rested_is_forgotten() {
    let pace = Pace::new(&PaceSettings { post_every: Duration::from_nanos(1), ..settings() });
    for number in 0..2 * MANY {
        assert!(is_ready(pace.wait(Rhythm::Post, "a.detail", &number.to_string())));
    }
    assert!(pace.posts.unwrap().len() <= MANY + 1);
}

#[test]
fn a_strategy_rests_and_then_one_try_decides() {
    let breakers = Breakers::new(&settings());
    let resting = |now| breakers.resting("a", "page", now);
    for _ in 0..2 {
        breakers.note("a", "page", Some(ErrorClass::Captcha), 0);
        assert_eq!(resting(1), None);
    }
    breakers.note("a", "page", Some(ErrorClass::Captcha), 0);
    let why = resting(1).unwrap().why();
    assert_eq!(why, "It has failed 3 times in a row, the last time as captcha, and rests for 10 min.");
    assert!(resting(599_001).unwrap().why().ends_with("rests for 1 s."));
    assert_eq!(breakers.resting("b", "page", 1), None);
    // After the rest one may try, and the others wait for how that ends.
    assert_eq!(resting(600_000), None);
    assert!(resting(600_000).is_some());
    breakers.note("a", "page", Some(ErrorClass::Captcha), 600_100);
    assert!(resting(1_200_000).is_some());
    assert_eq!(resting(1_200_100), None);
    // One that was broken off does not close the way for ever.
    assert!(resting(1_200_101).is_some());
    assert_eq!(resting(1_200_100 + 120_000), None);
    breakers.note("a", "page", None, 1_400_000);
    assert!((0..9).all(|_| resting(1_400_000).is_none()));
}

/// A clock that tests set.
struct Clock(std::sync::atomic::AtomicU64);

impl Chance for Clock {
    fn now_ms(&self) -> u64 {
        self.0.load(std::sync::atomic::Ordering::Relaxed)
    }

    fn below(&self, _: u64) -> u64 {
        0
    }
}

#[tokio::test]
async fn who_asks_for_patience_gets_it() {
    let stub = Stub::new(|request: &Request| match request.url.path() {
        "/busy" => said(429, &[("Retry-After", "60")], ""),
        "/mute" => said(429, &[], ""),
        "/down" => said(503, &[("Retry-After", "999999999")], ""),
        _ => said(200, &[("Retry-After", "60")], ""),
    });
    let clock = Clock(1_000.into());
    let (settings, memory) = (hasty(), Memory::default());
    let pace = Pace::new(&settings.pace);
    let me = Identity { id: "me".into(), platform: "a".into(), cookie: "x=1".into(), user_agent: String::new() };
    let ask = async |endpoint: &str, url: &str, identity| {
        let with = With { identity, chance: &clock, ..stub.with() };
        let visit = Visit::new(with, &settings, &memory, &pace);
        visit.fetch(Rhythm::Free, endpoint, Request::get(url.parse().unwrap(), 1_000)).await
    };
    assert_eq!(ask("a.detail", "https://a.example/busy", None).await.unwrap().status, 429);
    let error = ask("a.detail", "https://a.example/", None).await.unwrap_err();
    assert_eq!((error.class, error.retry_after), (ErrorClass::RateLimited, Some(Duration::from_secs(60))));
    assert_eq!(stub.requests().len(), 1, "nothing was sent");
    // Another endpoint, another host and another visitor were not meant.
    assert!(ask("a.page", "https://a.example/", None).await.is_ok());
    assert!(ask("a.detail", "https://b.example/", None).await.is_ok());
    assert!(ask("a.detail", "https://a.example/", Some(&me)).await.is_ok());
    clock.0.store(60_999, std::sync::atomic::Ordering::Relaxed);
    assert!(ask("a.detail", "https://a.example/", None).await.is_err());
    clock.0.store(61_000, std::sync::atomic::Ordering::Relaxed);
    assert!(ask("a.detail", "https://a.example/mute", None).await.is_ok());
    assert!(ask("a.detail", "https://a.example/down", None).await.is_ok());
    let wait = ask("a.detail", "https://a.example/", None).await.unwrap_err().retry_after;
    assert_eq!(wait, Some(LONGEST_HOLD));
}
