//! The guarded client as the crawlers' transport, and their errors in our words.

use async_trait::async_trait;
use crawlers::{CrawlError, ErrorClass, Request, Response, Transport, TransportError};

use crate::{
    error::{Code, Error},
    net::{Get, Net},
};

/// Lets crawlers fetch through [`Net`].
pub(super) struct Guarded<'a>(pub &'a Net);

#[async_trait]
impl Transport for Guarded<'_> {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        let get = Get {
            url: request.url.to_string(),
            headers: request.headers,
            max_bytes: request.max_bytes as u64,
            head_only: request.method == crawlers::Method::Head,
            stop_if_media: request.stop_if_media,
        };
        let reply = self.0.get(get).await.map_err(|error| TransportError {
            code: error.code.as_str().to_owned(),
            message: error.detail.clone(),
            retryable: error.is_retryable(),
            retry_after: error.retry_after,
        })?;
        Ok(Response {
            url: reply.url,
            status: reply.status,
            headers: reply.headers,
            body: reply.body,
            truncated: reply.truncated,
        })
    }
}

/// A crawler's error in the daemon's words.
pub(super) fn error(error: CrawlError) -> Error {
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
    Error::new(code, error.message.clone()).with_retry_after(error.retry_after).with_source(error)
}
