//! The requests made for one link: how they look, and how many there may be.

use url::Url;

use super::status;
use crate::{CrawlError, ErrorClass, Request, Response, Transport};

/// Pages and feeds beyond this are cut off.
const MAX_BYTES: usize = 8 * 1024 * 1024;
/// No link is worth more requests than this; also what ends every loop.
const MAX_REQUESTS: u8 = 12;

/// Fetches for one link.
pub(super) struct Session<'a> {
    transport: &'a dyn Transport,
    left: u8,
}

impl<'a> Session<'a> {
    pub(super) fn new(transport: &'a dyn Transport) -> Self {
        Self { transport, left: MAX_REQUESTS }
    }

    /// What is at `url`: the head of media, the whole of anything else. Errors of HTTP are errors here.
    pub(super) async fn look(&mut self, url: &Url) -> Result<Response, CrawlError> {
        self.send(request(url).stop_if_media()).await
    }

    /// The whole of what is at `url`, for text that was served as media.
    pub(super) async fn read(&mut self, url: &Url) -> Result<Response, CrawlError> {
        self.send(request(url)).await
    }

    async fn send(&mut self, request: Request) -> Result<Response, CrawlError> {
        self.left = self.left.checked_sub(1).ok_or_else(|| {
            CrawlError::new(ErrorClass::NoMediaFound, "The link leads on and on without coming to any media.")
        })?;
        let response = self.transport.fetch(request).await?;
        status::check(&response)?;
        Ok(response)
    }
}

/// The User-Agent is the transport's: its operator chooses it.
fn request(url: &Url) -> Request {
    Request::get(url.clone(), MAX_BYTES).header("Accept", "*/*")
}
