//! What an HTTP status says about a link, before its body is looked at.

use crate::{CrawlError, ErrorClass, Response};

/// Marks of pages that ask for proof of being human, in the first bytes of an answer.
const CHALLENGES: [&str; 3] = ["<title>just a moment", "captcha-delivery.com", "px-captcha"];
/// Marks that ordinary pages of protected sites carry too; they count only with a refusal.
const REFUSED_CHALLENGES: [&str; 3] = ["__ddg", "cf-chl-", "challenge-platform"];
/// How much of a body is looked at for them.
const LOOK: usize = 16 * 1024;
const CHALLENGED: &str =
    "The site asks visitors to prove that they are human. Try again later, or download the file and upload it.";

/// Turns an answer that is not a success into an error.
pub(super) fn check(response: &Response) -> Result<(), CrawlError> {
    let status = response.status;
    if response.header("cf-mitigated").is_some_and(|value| value.eq_ignore_ascii_case("challenge")) {
        return Err(CrawlError::new(ErrorClass::Blocked, CHALLENGED));
    }
    if (200..300).contains(&status) {
        return Ok(());
    }
    if matches!(status, 403 | 429 | 503) && has_mark(&response.body, CHALLENGES.iter().chain(&REFUSED_CHALLENGES)) {
        return Err(CrawlError::new(ErrorClass::Blocked, CHALLENGED).with_retry_after(response.retry_after()));
    }
    let (class, message) = match status {
        404 | 410 => (ErrorClass::NotFound, "There is nothing at this link (any more).".to_owned()),
        401 | 402 | 407 => (
            ErrorClass::LoginRequired,
            "The site shows this only to visitors who are logged in. Upload the file instead.".to_owned(),
        ),
        403 => (ErrorClass::Blocked, "The site refuses to give this to us (403). Upload the file instead.".to_owned()),
        451 => (ErrorClass::RegionBlocked, "The site may not show this here for legal reasons.".to_owned()),
        429 | 444 => (ErrorClass::RateLimited, "The site says that we ask too often. Try again later.".to_owned()),
        408 | 425 | 500..=599 => {
            (ErrorClass::SiteError, format!("The site has a problem at the moment (status {status}). Try again later."))
        }
        300..=399 => (ErrorClass::RedirectNotAllowed, "The link redirects to nowhere that can be followed.".to_owned()),
        _ => (ErrorClass::Unavailable, format!("The site refuses the link (status {status}).")),
    };
    Err(CrawlError::new(class, message).with_retry_after(response.retry_after()))
}

/// The error for a page without media that is really a challenge or a login form; those often come with status 200.
pub(super) fn disguised(response: &Response, asked: &url::Url) -> Option<CrawlError> {
    if has_mark(&response.body, CHALLENGES.iter()) {
        return Some(CrawlError::new(ErrorClass::Blocked, CHALLENGED));
    }
    let login = |url: &url::Url| {
        let path = url.path().to_ascii_lowercase();
        path.split('/').any(|part| matches!(part, "login" | "signin" | "sign-in" | "log-in"))
    };
    (login(&response.url) && !login(asked))
        .then(|| CrawlError::new(ErrorClass::LoginRequired, "The link leads to a login page. Upload the file instead."))
}

fn has_mark<'a>(body: &[u8], mut marks: impl Iterator<Item = &'a &'static str>) -> bool {
    let head = String::from_utf8_lossy(&body[..body.len().min(LOOK)]).to_ascii_lowercase();
    marks.any(|mark| head.contains(mark))
}
