//! Crawling: the platform modules behind the daemon's guard.
//!
//! Callers may rely on this: every request obeys the rules of [`Net`]; an identity is used by one link at a time, and its
//! cookie never gets into logs, errors or results; errors tell which ways were tried.

mod errors;
mod transport;
mod ytdlp;

use std::sync::Arc;

use crawlers::{Crawlers, External, ListRequest, Page, Real, Resolved, With};

pub use self::errors::told;
use self::{transport::Guarded, ytdlp::YtDlp};
use crate::{
    config::Config,
    error::{Code, Error, Result},
    net::Net,
};

/// Resolves links and lists sources. Clones share what was remembered and who has waited.
#[derive(Clone)]
pub struct Crawl {
    crawlers: Arc<Crawlers>,
    net: Net,
    external: Option<Arc<YtDlp>>,
}

impl Crawl {
    /// The platform modules with the configuration's settings.
    pub fn new(config: &Config, net: Net) -> Result<Self> {
        let crawlers = Crawlers::new(config.crawlers.clone()).map_err(|why| Error::new(Code::Config, why))?;
        let external = YtDlp::find(config, &net)?.map(Arc::new);
        Ok(Self { crawlers: Arc::new(crawlers), net, external })
    }

    /// Looks a link up without storing anything.
    pub async fn resolve(&self, link: &str) -> Result<Resolved> {
        let transport = Guarded(&self.net);
        let with = With { transport: &transport, identity: None, external: self.external(), chance: &Real, only: None };
        self.crawlers.resolve(link, with).await.map_err(errors::told)
    }

    /// One page of the list that a link stands for.
    pub async fn list(&self, link: &str, request: &ListRequest) -> Result<Page> {
        let transport = Guarded(&self.net);
        let with = With { transport: &transport, identity: None, external: self.external(), chance: &Real, only: None };
        self.crawlers.list(link, request, with).await.map_err(errors::told)
    }

    fn external(&self) -> Option<&dyn External> {
        self.external.as_deref().map(|external| external as &dyn External)
    }
}
