use std::time::Duration;

use crate::{
    CrawlError, Crawlers, Ending, ErrorClass, Identity, ListRequest, Request, Settings, With,
    stub::{Stub, hasty, said},
    ytdlp::tests::program::Program,
};

const POST: &str = "https://www.douyin.com/video/7600000000000000101";

/// Settings with these ways, of which each rests after one failure.
fn tired(ways: &[&str]) -> Settings {
    let mut settings = hasty();
    settings.douyin.strategies = ways.iter().map(|way| (*way).to_owned()).collect();
    (settings.pace.breaker_failures, settings.pace.breaker_rest) = (1, Duration::from_secs(600));
    settings
}

fn endings(error: &CrawlError) -> Vec<(&str, Ending)> {
    error.attempts.iter().map(|one| (one.strategy.as_str(), one.ending)).collect()
}

#[tokio::test]
async fn when_every_way_rests_the_link_waits_for_the_first_of_them() {
    let stub = Stub::new(|_: &Request| said(200, &[], ""));
    let crawlers = Crawlers::new(tired(&["slidesinfo", "share_page", "tikhub"])).unwrap();
    let first = crawlers.resolve(POST, stub.with()).await.unwrap_err();
    assert_eq!((first.class, first.retry_after), (ErrorClass::Blocked, None));
    let asked = stub.asked().len();
    let second = crawlers.resolve(POST, stub.with()).await.unwrap_err();
    assert_eq!(stub.asked().len(), asked, "nobody was asked");
    assert_eq!((second.class, second.retryable()), (ErrorClass::Blocked, true));
    assert!(second.message.contains("rest; the first is tried again in 10 min"), "{second}");
    let wait = second.retry_after.unwrap();
    assert!(wait <= Duration::from_secs(600) && wait > Duration::from_secs(500), "{wait:?}");
    assert_eq!(endings(&second), ["slidesinfo", "share_page", "tikhub"].map(|way| (way, Ending::Skipped)));
    assert!(second.attempts[0].message.as_deref().unwrap().contains("the last time as blocked"), "{second:?}");
    // Who asks for one by name gets it.
    let only = With { only: Some("slidesinfo"), ..stub.with() };
    assert_eq!(endings(&crawlers.resolve(POST, only).await.unwrap_err()), [("slidesinfo", Ending::Failed)]);
}

#[tokio::test]
async fn what_yt_dlp_guesses_does_not_end_the_wait_of_those_who_rest() {
    let stub = Stub::new(|_: &Request| said(200, &[], ""));
    let program = Program::says(1, "", "ERROR: [Douyin] 1: Sign in to see this");
    let with = With { external: Some(&program), ..stub.with() };
    let crawlers = Crawlers::new(tired(&["slidesinfo", "ytdlp"])).unwrap();
    assert_eq!(crawlers.resolve(POST, with).await.unwrap_err().class, ErrorClass::Blocked);
    let error = crawlers.resolve(POST, with).await.unwrap_err();
    assert_eq!(endings(&error), [("slidesinfo", Ending::Skipped), ("ytdlp", Ending::Failed)]);
    assert!(error.class == ErrorClass::Blocked && error.retry_after.is_some(), "{error:?}");
    let alone = Crawlers::new(tired(&["ytdlp"])).unwrap();
    assert_eq!(alone.resolve(POST, with).await.unwrap_err().class, ErrorClass::LoginRequired);
}

#[tokio::test]
async fn where_no_way_is_at_hand_nothing_is_to_be_waited_for() {
    let stub = Stub::new(|request: &Request| panic!("{}", request.url));
    for ways in [&[][..], &["tikhub", "ytdlp"]] {
        let error = Crawlers::new(tired(ways)).unwrap().resolve(POST, stub.with()).await.unwrap_err();
        assert!(error.retry_after.is_none() && error.message.contains("switched on"), "{error}");
        assert_eq!(error.attempts.len(), ways.len());
    }
}

#[tokio::test]
async fn what_is_not_sent_is_nobodys_attempt() {
    let stub = Stub::new(|_: &Request| said(429, &[("Retry-After", "60")], ""));
    let cookie = "ttwid=x; sessionid=y".to_owned();
    let me = Identity { id: "me".into(), platform: "douyin".into(), cookie, user_agent: String::new() };
    let mut settings = tired(&["web_detail"]);
    settings.pace.breaker_failures = 9;
    let crawlers = Crawlers::new(settings).unwrap();
    for (is_sent, requests) in [(true, 1), (false, 1)] {
        let error = crawlers.resolve(POST, stub.as_whom(&me)).await.unwrap_err();
        assert_eq!((error.class, error.attempts[0].identity), (ErrorClass::RateLimited, is_sent));
        assert_eq!(stub.asked().len(), requests);
    }
    let list = "https://www.douyin.com/user/MS4wLjABAAAAx";
    for (is_withheld, requests) in [(false, 2), (true, 2)] {
        let error = crawlers.list(list, &ListRequest::default(), stub.as_whom(&me)).await.unwrap_err();
        assert_eq!((error.class, error.withheld), (ErrorClass::RateLimited, is_withheld));
        assert_eq!(stub.asked().len(), requests);
    }
}
