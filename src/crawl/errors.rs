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
    // Only platforms with several ways to a post have identities.
    let wants_identity = error.class == ErrorClass::LoginRequired && !error.attempts.is_empty();
    let attempts = error.attempts.iter().map(|attempt| json!(attempt)).collect();
    let told = Error::new(code, error.message.clone()).with_retry_after(error.retry_after).with_attempts(attempts);
    let told = match wants_identity {
        true => {
            told.with_hint("Add the cookie of a browser that is logged in (POST /api/identities), or upload the file.")
        }
        false => told,
    };
    told.with_source(error)
}
