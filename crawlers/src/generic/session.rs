//! How requests for pages look, and what their status means.

use std::sync::atomic::{AtomicBool, Ordering};

use url::Url;

use super::status;
use crate::{CrawlError, ErrorClass, Request, Response, Rhythm, Visit};

/// Pages and feeds beyond this are cut off.
pub(super) const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Fetches for one link.
pub(super) struct Session<'a> {
    pub(super) visit: &'a Visit<'a>,
    /// Whether a page was read, and with it what it offers.
    has_read: AtomicBool,
    /// Whether something was handed over to somebody who knows more.
    has_asked: AtomicBool,
}

impl<'a> Session<'a> {
    pub(super) fn new(visit: &'a Visit<'a>) -> Self {
        Self { visit, has_read: AtomicBool::new(false), has_asked: AtomicBool::new(false) }
    }

    /// A page was read.
    pub(super) fn set_read(&self) {
        self.has_read.store(true, Ordering::Relaxed);
    }

    /// A player was handed over, so the page around it need not be.
    pub(super) fn set_asked(&self) {
        self.has_asked.store(true, Ordering::Relaxed);
    }

    /// Whether somebody who knows more sites may find what we did not: no definite answer, and nothing that is surely
    /// no media.
    pub(super) fn may_be_handed_over(&self, error: &CrawlError) -> bool {
        let page = self.has_read.load(Ordering::Relaxed) && !self.has_asked.load(Ordering::Relaxed);
        self.visit.external().is_some()
            && match error.class {
                ErrorClass::Blocked => true,
                ErrorClass::NoMediaFound => page,
                _ => false,
            }
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
