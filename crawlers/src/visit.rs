//! What a platform module works with while it looks at one link.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};

use url::Url;

use crate::{
    Chance, CrawlError, Crawler, Dump, Dumped, ErrorClass, External, Identity, Request, Response, Settings, Transport,
    chain::Outcome,
    memory::Memory,
    pace::{Pace, Rest},
};

/// No link is worth more requests than this; also what ends every loop.
pub const MAX_REQUESTS: u8 = 12;

/// What the daemon gives with a link.
#[derive(Clone, Copy)]
pub struct With<'a> {
    /// The way to the network.
    pub transport: &'a dyn Transport,
    /// Who to be; none: an anonymous visitor.
    pub identity: Option<&'a Identity>,
    /// yt-dlp, where it is installed.
    pub external: Option<&'a dyn External>,
    /// Clock and dice.
    pub chance: &'a dyn Chance,
    /// The only strategy to try; none: those of the settings.
    pub only: Option<&'a str>,
}

/// Which rhythm a request follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rhythm {
    /// About one post.
    Post,
    /// A page of a list.
    List,
    /// Where a short link leads, what a page is: asked once for each link.
    Free,
}

/// The requests for one link.
pub struct Visit<'a> {
    with: With<'a>,
    pub(crate) settings: &'a Settings,
    pub(crate) memory: &'a Memory,
    pace: &'a Pace,
    platforms: &'a [Box<dyn Crawler>],
    left: AtomicU8,
    /// Whether the identity was asked for since the last [`Visit::begin`].
    known: AtomicBool,
    /// Whether a request was not sent, by our own rules, since then.
    withheld: AtomicBool,
}

impl<'a> Visit<'a> {
    pub(crate) fn new(with: With<'a>, settings: &'a Settings, memory: &'a Memory, pace: &'a Pace) -> Self {
        Self {
            with,
            settings,
            memory,
            pace,
            platforms: &[],
            left: AtomicU8::new(MAX_REQUESTS),
            known: AtomicBool::new(false),
            withheld: AtomicBool::new(false),
        }
    }

    /// The same visit, which knows the other platforms.
    pub(crate) fn among(mut self, platforms: &'a [Box<dyn Crawler>]) -> Self {
        self.platforms = platforms;
        self
    }

    /// The platform that a link found on the way belongs to, other than `own`.
    pub(crate) fn platform_of(&self, link: &Url, own: &str) -> Option<&'a dyn Crawler> {
        self.platforms.iter().map(AsRef::as_ref).find(|one| one.name() != own && one.claims(link))
    }

    /// Who to be on that platform; an identity of another platform is never used. The strategy that asks for it is taken
    /// to send its cookie: how it ends tells how the identity fares.
    pub fn identity(&self, platform: &str) -> Option<&'a Identity> {
        let identity = self.lent_identity(platform);
        self.known.fetch_or(identity.is_some(), Ordering::Relaxed);
        identity
    }

    /// The same for a program of others: how that ends tells nothing about the identity.
    pub(crate) fn lent_identity(&self, platform: &str) -> Option<&'a Identity> {
        self.with.identity.filter(|identity| identity.platform == platform)
    }

    /// yt-dlp, where it is installed and switched on.
    pub fn external(&self) -> Option<&'a dyn External> {
        self.with.external
    }

    /// Clock and dice.
    pub fn chance(&self) -> &'a dyn Chance {
        self.with.chance
    }

    /// Sends one request in its endpoint's rhythm: `endpoint` is a name such as `douyin.detail`. An HTTP error status is
    /// an answer. Fails when the link has cost too many requests already, and when the endpoint has asked to be left alone.
    pub async fn fetch(&self, rhythm: Rhythm, endpoint: &str, request: Request) -> Result<Response, CrawlError> {
        self.spend()?;
        let identity = self.with.identity.map_or("", |identity| identity.id.as_str());
        let host = request.url.host_str().unwrap_or_default().to_owned();
        self.check_held(endpoint, &host, identity)?;
        // Strangers' sites have the endpoint in common and nothing else.
        self.pace.wait(rhythm, &format!("{endpoint} {host}"), identity).await;
        // While we waited our turn somebody else may have been told.
        self.check_held(endpoint, &host, identity)?;
        let response = self.with.transport.fetch(request).await?;
        if matches!(response.status, 429 | 503)
            && let Some(wait) = response.retry_after()
        {
            self.pace.hold(endpoint, &host, identity, wait, self.with.chance.now_ms());
        }
        Ok(response)
    }

    /// Runs yt-dlp, in the rhythm of the link's host. Costs as much as one request.
    pub(crate) async fn dump(&self, rhythm: Rhythm, dump: Dump<'_>) -> Result<Dumped, CrawlError> {
        let external = self.with.external.ok_or_else(|| {
            CrawlError::new(ErrorClass::NoMediaFound, "yt-dlp, which may know this link, is not installed.")
        })?;
        self.spend()?;
        let endpoint = format!("ytdlp.{}", dump.link.host_str().unwrap_or_default());
        self.pace.wait(rhythm, &endpoint, dump.identity.map_or("", |identity| identity.id.as_str())).await;
        Ok(external.dump(dump).await?)
    }

    fn check_held(&self, endpoint: &str, host: &str, identity: &str) -> Result<(), CrawlError> {
        let Some(wait) = self.pace.held(endpoint, host, identity, self.with.chance.now_ms()) else { return Ok(()) };
        self.withheld.store(true, Ordering::Relaxed);
        let message = format!("{host} has asked us to wait; it will not be asked before that.");
        Err(CrawlError::new(ErrorClass::RateLimited, message).with_retry_after(Some(wait)))
    }

    fn spend(&self) -> Result<(), CrawlError> {
        let spend = |left: u8| left.checked_sub(1);
        let spent = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend);
        spent.map(drop).map_err(|_| {
            self.withheld.store(true, Ordering::Relaxed);
            CrawlError::new(ErrorClass::NoMediaFound, "The link leads on and on without coming to any media.")
        })
    }

    /// The strategies to try, by name.
    pub(crate) fn chosen<'b>(&'b self, order: &'b [String]) -> impl Iterator<Item = &'b str> {
        let only = self.with.only;
        let all = order.iter().map(String::as_str).filter(move |_| only.is_none());
        only.into_iter().chain(all)
    }

    /// A strategy's turn begins.
    pub(crate) fn begin(&self) {
        self.known.store(false, Ordering::Relaxed);
        self.withheld.store(false, Ordering::Relaxed);
    }

    /// Whether the strategy whose turn it is has used the identity.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Whether our own rules have kept a request back since the last [`Visit::begin`].
    pub(crate) fn is_withheld(&self) -> bool {
        self.withheld.load(Ordering::Relaxed)
    }

    /// Why a strategy rests, if it does. One that was asked for by name never does.
    pub(crate) fn resting(&self, platform: &str, strategy: &str) -> Option<Rest> {
        self.with
            .only
            .is_none()
            .then(|| self.pace.breakers.resting(platform, strategy, self.with.chance.now_ms()))
            .flatten()
    }

    /// Remembers how a strategy ended. What we did not send ourselves, and what hangs on the post, says nothing about it.
    pub(crate) fn note(&self, platform: &str, strategy: &str, outcome: &Outcome) {
        let failure = match outcome {
            Outcome::Found(_) | Outcome::Answer(_) | Outcome::Doubt(_) => None,
            Outcome::Failed(_) if self.is_withheld() => return,
            Outcome::Failed(error) if error.retryable() || error.class == ErrorClass::Credentials => Some(error.class),
            Outcome::Failed(_) => return,
        };
        self.pace.breakers.note(platform, strategy, failure, self.with.chance.now_ms());
    }
}
