//! How requests for pages look, and what their status means.

use url::Url;

use super::status;
use crate::{CrawlError, Request, Response, Rhythm, Visit};

/// Pages and feeds beyond this are cut off.
const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Fetches for one link.
pub(super) struct Session<'a> {
    visit: &'a Visit<'a>,
}

impl<'a> Session<'a> {
    pub(super) fn new(visit: &'a Visit<'a>) -> Self {
        Self { visit }
    }

    /// What is at `url`: the head of media, the whole of anything else. Errors of HTTP are errors here.
    pub(super) async fn look(&self, url: &Url) -> Result<Response, CrawlError> {
        self.send(request(url).stop_if_media()).await
    }

    /// The whole of what is at `url`, for text that was served as media.
    pub(super) async fn read(&self, url: &Url) -> Result<Response, CrawlError> {
        self.send(request(url)).await
    }

    async fn send(&self, request: Request) -> Result<Response, CrawlError> {
        let response = self.visit.fetch(Rhythm::Free, super::NAME, request).await?;
        status::check(&response)?;
        Ok(response)
    }
}

/// The User-Agent is the transport's: its operator chooses it.
fn request(url: &Url) -> Request {
    Request::get(url.clone(), MAX_BYTES).header("Accept", "*/*")
}
