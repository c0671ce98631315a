//! Platform modules that turn a pasted link into media.
//!
//! A crawler *resolves*: it says which media a link stands for and where its bytes are. It never downloads them, and it
//! reaches the network only through the [`Transport`] that it is given, so every rule about addresses, redirects, sizes
//! and times lives with whoever implements that trait. How to add a platform: `README.md`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on should say where"))]

mod error;
pub mod feed;
mod generic;
pub mod hls;
mod key;
mod link;
mod media;
mod platform;
mod transport;

pub use error::{CrawlError, ErrorClass};
pub use feed::{FeedItem, feed_items};
pub use link::{extract_links, find_link};
pub use media::{Candidate, Delivery, HasAudio, MediaKind, Resolved, Subtitle};
pub use platform::Crawler;
pub use transport::{MEDIA_HEAD_BYTES, Method, Request, Response, Transport, TransportError, is_media_type};

/// Every platform, in the order in which they are asked; the generic web module claims whatever is left.
pub fn crawlers() -> Vec<Box<dyn Crawler>> {
    vec![Box::new(generic::Web)]
}

/// Finds the link in what was pasted and asks the first crawler which claims it.
pub async fn resolve(pasted: &str, transport: &dyn Transport) -> Result<Resolved, CrawlError> {
    let link = find_link(pasted)?;
    for crawler in crawlers() {
        if crawler.claims(&link) {
            tracing::debug!(platform = crawler.name(), host = link.host_str(), "resolving a link");
            return crawler.resolve(&link, transport).await;
        }
    }
    Err(CrawlError::new(ErrorClass::InvalidLink, "No crawler knows what to do with this link."))
}
