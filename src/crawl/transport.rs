//! The guarded client as the crawlers' transport.

use async_trait::async_trait;
use crawlers::{Request, Response, Transport, TransportError};

use crate::{
    error::Error,
    net::{Get, Net},
};

/// Lets crawlers fetch through [`Net`].
pub struct Guarded<'a>(pub &'a Net);

#[async_trait]
impl Transport for Guarded<'_> {
    async fn fetch(&self, request: Request) -> Result<Response, TransportError> {
        let get = Get {
            url: request.url.to_string(),
            headers: request.headers,
            max_bytes: request.max_bytes as u64,
            head_only: request.method == crawlers::Method::Head,
            stop_if_media: request.stop_if_media,
            body: (request.method == crawlers::Method::Post).then_some(request.body),
            no_redirects: !request.follow,
        };
        let reply = self.0.get(get).await.map_err(|error| untold(&error))?;
        Ok(Response {
            url: reply.url,
            status: reply.status,
            headers: reply.headers,
            body: reply.body,
            truncated: reply.truncated,
        })
    }
}

/// The daemon's error in the crawlers' words; [`super::told`] turns it back.
pub(super) fn untold(error: &Error) -> TransportError {
    TransportError {
        code: error.code.as_str().to_owned(),
        message: error.detail.clone(),
        retryable: error.is_retryable(),
        retry_after: error.retry_after,
    }
}
