//! Lists: which posts stand in them, and which of those are new.

mod read;
mod reading;

use async_trait::async_trait;
use crawlers::{ListRequest, Page};

#[cfg(test)]
pub(crate) use self::reading::{Next, Reading};
pub(crate) use self::{
    read::{Known, Read, Wanted, read},
    reading::{Key, key},
};
use super::{Crawl, Named};
use crate::error::Result;

/// Names lists and reads them page by page.
#[async_trait]
pub trait Lists: Send + Sync {
    /// Which list is meant by what was pasted, without asking anyone.
    fn name(&self, pasted: &str) -> Result<Named>;

    /// One page of it.
    async fn page(&self, link: &str, request: &ListRequest) -> Result<Page>;
}

#[async_trait]
impl Lists for Crawl {
    fn name(&self, pasted: &str) -> Result<Named> {
        Crawl::name(self, pasted)
    }

    async fn page(&self, link: &str, request: &ListRequest) -> Result<Page> {
        self.list(link, request).await
    }
}
