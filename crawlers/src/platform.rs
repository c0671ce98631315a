//! What a platform module is.

use async_trait::async_trait;
use url::Url;

use crate::{CrawlError, Resolved, Transport};

/// One platform: knows its own links and turns one of them into media.
#[async_trait]
pub trait Crawler: Send + Sync {
    /// The platform's name, as stored with the media; unique among [`crate::crawlers`].
    fn name(&self) -> &'static str;

    /// Whether this link is one of the platform's own. Answers from the link alone.
    fn claims(&self, link: &Url) -> bool;

    /// Says which media the link stands for and where its bytes are.
    async fn resolve(&self, link: &Url, transport: &dyn Transport) -> Result<Resolved, CrawlError>;
}
