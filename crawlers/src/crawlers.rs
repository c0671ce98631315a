//! Every platform, and what they share.

use url::Url;

use crate::{
    CrawlError, Crawler, ErrorClass, Form, ListRequest, Page, Resolved, Settings, Visit, With, douyin, find_link,
    generic, memory::Memory, pace::Pace, signatures, tiktok,
};

/// The platforms with their settings, what they remember, and how often they may ask: one for a daemon.
pub struct Crawlers {
    all: Vec<Box<dyn Crawler>>,
    settings: Settings,
    memory: Memory,
    pace: Pace,
}

/// Every platform, in the order in which they are asked; the generic web module claims whatever is left.
fn platforms() -> Vec<Box<dyn Crawler>> {
    vec![Box::new(douyin::Douyin), Box::new(tiktok::TikTok), Box::new(generic::Web)]
}

impl Crawlers {
    /// The platforms with these settings. A strategy that no platform has is an error: a sentence that names it.
    pub fn new(settings: Settings) -> Result<Self, String> {
        Self::with(settings, platforms())
    }

    /// These platforms instead of trawl's own: what tests put together.
    pub fn with(settings: Settings, all: Vec<Box<dyn Crawler>>) -> Result<Self, String> {
        for (platform, of) in settings.platforms() {
            let strategies = &of.strategies;
            let Some(known) = all.iter().find(|one| one.name() == platform).map(|one| one.strategies()) else {
                continue;
            };
            if let Some(unknown) = strategies.iter().find(|name| !known.contains(&name.as_str())) {
                let known = known.join(", ");
                return Err(format!("`crawlers.{platform}.strategies` names \"{unknown}\"; there are: {known}"));
            }
        }
        let signature = &settings.douyin.signature;
        if signatures::Scheme::named(signature).is_none() {
            return Err(format!("`crawlers.douyin.signature` is \"{signature}\"; there are: a_bogus, none"));
        }
        let unused = &settings.tiktok;
        if !matches!(unused.signature.as_str(), "" | "none") || !unused.browser.is_empty() {
            return Err("`crawlers.tiktok.signature` and `crawlers.tiktok.browser` do nothing: leave them at \"none\" and \"\".".to_owned());
        }
        let pace = Pace::new(&settings.pace);
        Ok(Self { all, settings, memory: Memory::default(), pace })
    }

    /// The platforms in the order in which they are asked.
    pub fn all(&self) -> impl Iterator<Item = &dyn Crawler> {
        self.all.iter().map(AsRef::as_ref)
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The platform that a link belongs to. Short links belong to their platform, too.
    pub fn claimant(&self, link: &Url) -> Option<&dyn Crawler> {
        self.all().find(|crawler| crawler.claims(link))
    }

    /// The platform that a link belongs to, and how that reads it.
    pub fn read(&self, link: &Url) -> Option<(&dyn Crawler, Form)> {
        self.all().find_map(|crawler| Some((crawler, crawler.read(link)?)))
    }

    /// Finds the link in what was pasted and asks the platform that it belongs to.
    pub async fn resolve(&self, pasted: &str, with: With<'_>) -> Result<Resolved, CrawlError> {
        let link = find_link(pasted)?;
        let crawler = self.claimant(&link).ok_or_else(unclaimed)?;
        tracing::debug!(platform = crawler.name(), host = link.host_str(), "resolving a link");
        crawler.resolve(&link, &self.visit(with)).await
    }

    /// One page of the list that a link stands for.
    pub async fn list(&self, pasted: &str, request: &ListRequest, with: With<'_>) -> Result<Page, CrawlError> {
        let link = find_link(pasted)?;
        let crawler = self.claimant(&link).ok_or_else(unclaimed)?;
        tracing::debug!(platform = crawler.name(), host = link.host_str(), "listing a source");
        let visit = self.visit(with);
        let page = crawler.list(&link, request, &visit).await;
        page.map_err(|error| CrawlError { withheld: visit.is_withheld(), ..error })
    }

    pub(crate) fn visit<'a>(&'a self, with: With<'a>) -> Visit<'a> {
        Visit::new(with, &self.settings, &self.memory, &self.pace).among(&self.all)
    }
}

impl std::fmt::Debug for Crawlers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Crawlers").field("settings", &self.settings).finish_non_exhaustive()
    }
}

fn unclaimed() -> CrawlError {
    CrawlError::new(ErrorClass::InvalidLink, "No crawler knows what to do with this link.")
}
