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
    Error::new(code, error.message.clone())
        .with_retry_after(error.retry_after)
        .with_attempts(attempts)
        .with_source(error)
}
