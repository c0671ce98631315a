//! A crawler's error in the daemon's words.

use crawlers::{CrawlError, ErrorClass};
use serde_json::json;

use crate::error::{Code, Error};

/// A crawler's error in the daemon's words.
pub fn told(error: CrawlError) -> Error {
    let code = match error.class {
        ErrorClass::InvalidLink => Code::InvalidLink,
        ErrorClass::Transport => error.transport.as_ref().map_or(Code::SourceError, |t| Code::from_word(&t.code)),
        ErrorClass::NotFound | ErrorClass::ShortLinkDead => Code::SourceNotFound,
        ErrorClass::Private => Code::PostPrivate,
        ErrorClass::LoginRequired | ErrorClass::Credentials => Code::SourceForbidden,
        ErrorClass::RegionBlocked => Code::RegionBlocked,
        ErrorClass::Unavailable | ErrorClass::NoMediaFound | ErrorClass::PagingLoop => Code::NoMediaFound,
        ErrorClass::Blocked | ErrorClass::Captcha | ErrorClass::SignatureRejected | ErrorClass::IdMismatch => {
            Code::SourceBlocked
        }
        ErrorClass::EmptyMedia => Code::EmptyMedia,
        ErrorClass::SiteError => Code::SourceError,
        ErrorClass::RateLimited => Code::RateLimited,
        ErrorClass::RedirectNotAllowed => Code::RedirectRefused,
        ErrorClass::LiveNotSupported => Code::LiveNotSupported,
    };
    let attempts = error.attempts.iter().map(|attempt| json!(attempt)).collect();
    let told = Error::new(code, error.message.clone()).with_retry_after(error.retry_after).with_attempts(attempts);
    let told = match hint(&error) {
        Some(hint) => told.with_hint(hint),
        None => told,
    };
    told.with_source(error)
}

/// What to do about it, where that of the code is about something else.
fn hint(error: &CrawlError) -> Option<&'static str> {
    Some(match error.class {
        // Only platforms with several ways to a post have identities.
        ErrorClass::LoginRequired if !error.attempts.is_empty() => {
            "Add the cookie of a browser that is logged in (POST /api/identities), or upload the file."
        }
        ErrorClass::Credentials => "Check `crawlers.tikhub.key` and what the account behind it has left.",
        ErrorClass::Unavailable => "Look at the link in a browser; what can be seen there can be uploaded.",
        ErrorClass::PagingLoop => "What was read before counts; the next poll tries again.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_a_code_and_a_hint_that_is_about_it() {
        for class in ErrorClass::ALL {
            let error = told(CrawlError::new(class, "It went wrong."));
            assert!(error.detail == "It went wrong." && !error.hint.is_empty(), "{class}");
            assert!(error.code != Code::Internal, "{class}");
        }
        let hint = |class| told(CrawlError::new(class, "x")).hint;
        assert!(hint(ErrorClass::Credentials).contains("crawlers.tikhub.key"));
        for class in [ErrorClass::Unavailable, ErrorClass::PagingLoop] {
            assert_ne!(hint(class), hint(ErrorClass::NoMediaFound), "{class}");
        }
    }
}
