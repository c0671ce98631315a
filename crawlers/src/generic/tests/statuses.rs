//! Refusals, challenges and empty answers.

use std::time::Duration;

use super::*;

#[tokio::test]
async fn statuses_have_their_own_classes() {
    for (status, class, retryable) in [
        (404, ErrorClass::NotFound, false),
        (410, ErrorClass::NotFound, false),
        (401, ErrorClass::LoginRequired, false),
        (403, ErrorClass::Blocked, true),
        (451, ErrorClass::RegionBlocked, false),
        (429, ErrorClass::RateLimited, true),
        (503, ErrorClass::SiteError, true),
        (500, ErrorClass::SiteError, true),
        (418, ErrorClass::Unavailable, false),
        (304, ErrorClass::RedirectNotAllowed, false),
    ] {
        let site = Site::new([page("/x", HTML, "<video src=a.mp4>secret").status(status)]);
        let error = failure(&site, "/x").await;
        assert_eq!((error.class, error.retryable()), (class, retryable), "{status}");
        assert!(!error.message.contains("secret"));
    }
}

#[tokio::test]
async fn the_wait_that_a_site_asks_for_is_passed_on() {
    let site = Site::new([page("/x", HTML, "").status(429).header("Retry-After", "120")]);
    assert_eq!(failure(&site, "/x").await.retry_after, Some(Duration::from_secs(120)));
    let site = Site::new([page("/x", HTML, "").status(503).header("retry-after", "Wed, 01 Jan 2200 00:00:00 GMT")]);
    assert!(failure(&site, "/x").await.retry_after.unwrap() > Duration::from_secs(86_400));
}

#[tokio::test]
async fn challenges_logins_and_empty_answers_are_no_pages() {
    let challenge = "<html><title>Just a moment...</title>";
    let login = page("/x", HTML, "<form>").lands_at("/login?next=/x");
    for (answer, class, word) in [
        (page("/x", HTML, challenge), ErrorClass::Blocked, "human"),
        (page("/x", HTML, challenge).status(403), ErrorClass::Blocked, "human"),
        (page("/x", HTML, "<script src=/cdn-cgi/challenge-platform/x.js>").status(503), ErrorClass::Blocked, "human"),
        (page("/x", HTML, "<script src=/cdn-cgi/challenge-platform/x.js>"), ErrorClass::NoMediaFound, "No audio"),
        (page("/x", HTML, "").header("cf-mitigated", "challenge"), ErrorClass::Blocked, "human"),
        (login, ErrorClass::LoginRequired, "login page"),
        (page("/x", "audio/mpeg", ""), ErrorClass::EmptyMedia, "zero bytes"),
        (page("/x", HTML, " \n"), ErrorClass::Blocked, "nothing"),
    ] {
        let error = failure(&Site::new([answer]), "/x").await;
        assert_eq!(error.class, class);
        assert!(error.message.contains(word), "{}", error.message);
    }
}

#[tokio::test]
async fn a_page_where_a_file_was_promised_is_named() {
    let error = failure(&Site::new([page("/talk.mp3", HTML, "<p>Buy it")]), "/talk.mp3").await;
    assert!(error.message.contains(".mp3") && error.message.contains("web page"), "{}", error.message);
    let site = Site::new([page("/talk.mp3", HTML, "<audio src=/real.mp3>")]);
    assert_eq!(urls(&success(&site, "/talk.mp3").await), ["http://page.example/real.mp3"]);
}

#[tokio::test]
async fn the_transports_own_error_is_passed_through() {
    let error = failure(&Site::new([]), "/x").await;
    assert_eq!((error.class, error.retryable()), (ErrorClass::Transport, true));
    assert_eq!(error.transport.unwrap().code, "test.unexpected");
}
