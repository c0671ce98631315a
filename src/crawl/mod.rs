//! Crawling: the platform modules behind the daemon's guard.
//!
//! Callers may rely on this: every request obeys the rules of [`Net`]; an identity is used by one link at a time, and its
//! cookie gets into no log and no error, and into results only as a header for downloads, which [`without_secrets`] hides
//! from whoever stores or shows them; errors tell which ways were tried.

mod errors;
mod identities;
pub(crate) mod lists;
mod secrets;
mod source;
mod transport;
mod ytdlp;

use std::sync::Arc;

use crawlers::{Attempt, Crawlers, ErrorClass, External, ListRequest, Page, Real, Resolved, With};

pub use self::{
    errors::told,
    identities::{Change, Identities, Listed, NewIdentity},
    lists::Lists,
    secrets::{is_hidden, without_secrets},
    source::Named,
    transport::Guarded,
};
use self::{identities::Taken, ytdlp::YtDlp};
use crate::{
    config::Config,
    domain::options::unknown,
    error::{Code, Error, Result},
    net::Net,
};

/// Who to be towards the platform of a link.
#[derive(Clone, Default)]
pub enum Who {
    /// The identity whose turn it is, or nobody where there is none.
    #[default]
    Anyone,
    /// Nobody.
    Nobody,
    /// The identity with this name or id.
    Named(String),
    /// Somebody who is not stored: a cookie as [`NewIdentity::cookie`] has it, and a user agent.
    Visitor {
        /// The cookie.
        cookie: String,
        /// The user agent; empty: the platform's usual one.
        user_agent: String,
    },
}

impl Who {
    /// The identity that is asked for by a name or an id; "none" asks for nobody.
    pub fn named(name: &str) -> Self {
        match name {
            "" => Self::Anyone,
            "none" => Self::Nobody,
            name => Self::Named(name.to_owned()),
        }
    }
}

/// A link to look at.
#[derive(Clone, Default)]
pub struct Ask {
    /// What was pasted.
    pub link: String,
    /// Who to be.
    pub who: Who,
    /// The only strategy to try; none: those of the configuration.
    pub only: Option<String>,
}

/// A platform with a link that should always work.
#[derive(Clone, Debug)]
pub struct Canary {
    /// The platform's name.
    pub platform: &'static str,
    /// The link; empty: none.
    pub link: String,
    /// The names of the strategies that are switched on, in their order.
    pub strategies: Vec<String>,
}

/// Resolves links and lists sources. Clones share what was remembered and who has waited.
#[derive(Clone)]
pub struct Crawl {
    crawlers: Arc<Crawlers>,
    net: Net,
    identities: Option<Identities>,
    external: Option<Arc<YtDlp>>,
}

impl Crawl {
    /// The platform modules with the configuration's settings; everybody is anonymous without `identities`.
    pub fn new(config: &Config, net: Net, identities: Option<Identities>) -> Result<Self> {
        let crawlers = Crawlers::new(config.crawlers.clone()).map_err(|why| Error::new(Code::Config, why))?;
        let external = YtDlp::find(config, &net)?.map(Arc::new);
        Ok(Self { crawlers: Arc::new(crawlers), net, identities, external })
    }

    /// Removes what a process that died has left in `paths.temp`, which must be the caller's alone.
    pub fn clear_leftovers(config: &Config) {
        ytdlp::clear(&config.paths.temp);
    }

    /// Looks a link up without storing anything.
    pub async fn resolve(&self, link: &str) -> Result<Resolved> {
        self.look_up(&Ask { link: link.to_owned(), ..Ask::default() }).await
    }

    /// Looks a link up as somebody, or one way only. Nothing but the identity's health is stored.
    pub async fn look_up(&self, ask: &Ask) -> Result<Resolved> {
        self.look_up_through(ask).await.map(|(resolved, _)| resolved)
    }

    /// The client through the proxy of an identity; none when it has no proxy, or is not here any more.
    pub async fn net_for(&self, identity: &str) -> Result<Option<Net>> {
        match &self.identities {
            Some(identities) => identities.net_for(identity).await,
            None => Ok(None),
        }
    }

    /// Looks a link up like [`Crawl::look_up`], and tells the id of the identity through whose proxy it went.
    pub async fn look_up_through(&self, ask: &Ask) -> Result<(Resolved, Option<String>)> {
        if let Some(strategy) = &ask.only {
            self.check_strategy(&ask.link, strategy)?;
        }
        let taken = self.take(&ask.link, &ask.who).await?;
        let transport = Guarded(taken.net().unwrap_or(&self.net));
        let outcome = self.crawlers.resolve(&ask.link, self.with(&transport, &taken, ask.only.as_deref())).await;
        match outcome {
            Ok(resolved) => {
                let through = taken.net().and(taken.visitor()).map(|visitor| visitor.id.clone());
                self.settle(taken, Some(&resolved.attempts), None).await;
                Ok((resolved, through))
            }
            Err(error) => {
                self.settle(taken, Some(&error.attempts), Some(error.class)).await;
                Err(told(error))
            }
        }
    }

    /// One page of the list that a link stands for.
    pub async fn list(&self, link: &str, request: &ListRequest) -> Result<Page> {
        let taken = self.take(link, &Who::Anyone).await?;
        let transport = Guarded(taken.net().unwrap_or(&self.net));
        match self.crawlers.list(link, request, self.with(&transport, &taken, None)).await {
            Ok(page) => {
                self.settle(taken, None, None).await;
                Ok(page)
            }
            Err(error) => {
                self.settle(taken, None, Some(error.class)).await;
                Err(told(error))
            }
        }
    }

    /// What to try each platform with.
    pub fn canaries(&self) -> Vec<Canary> {
        let platforms = self.crawlers.settings().platforms().into_iter();
        let canary = |(platform, of): (_, &crawlers::settings::Platform)| {
            let (link, strategies) = (of.canary.trim().to_owned(), of.strategies.clone());
            Canary { platform, link, strategies }
        };
        platforms.map(canary).collect()
    }

    fn with<'a>(&'a self, transport: &'a Guarded<'a>, taken: &'a Someone, only: Option<&'a str>) -> With<'a> {
        // yt-dlp's requests go through our own door: they would show an address that is not the identity's.
        let external = self.external.as_deref().filter(|_| taken.net().is_none()).map(|one| one as &dyn External);
        With { transport, identity: taken.visitor(), external, chance: &Real, only }
    }

    /// A strategy is one of its link's platform.
    fn check_strategy(&self, link: &str, strategy: &str) -> Result<()> {
        let url = crawlers::find_link(link).map_err(told)?;
        let known = self.crawlers.claimant(&url).map(|crawler| crawler.strategies()).unwrap_or_default();
        if known.contains(&strategy) {
            return Ok(());
        }
        let error = unknown("strategy", strategy, known.iter().copied()).with_field("strategy");
        Err(if known.is_empty() { error.with_hint("There is only one way to this link.") } else { error })
    }

    async fn take(&self, link: &str, who: &Who) -> Result<Someone> {
        let platform = match crawlers::find_link(link) {
            Ok(url) => self.crawlers.claimant(&url).map(|crawler| crawler.name()),
            // What is wrong with it is told by those who resolve it.
            Err(_) => None,
        };
        let Some(platform) = platform else { return Ok(Someone::Nobody) };
        let wanted = match who {
            Who::Nobody => return Ok(Someone::Nobody),
            Who::Anyone => None,
            Who::Named(name) => Some(name.as_str()),
            Who::Visitor { cookie, user_agent } => {
                let identities = self.identities.as_ref().ok_or_else(nowhere)?;
                let cookie = identities.cookie(platform, cookie)?;
                identities::check_agent(user_agent)?;
                let (id, platform) = ("given".to_owned(), platform.to_owned());
                let visitor = crawlers::Identity { id, platform, cookie, user_agent: user_agent.trim().to_owned() };
                return Ok(Someone::Visitor(visitor));
            }
        };
        match &self.identities {
            Some(identities) => {
                let taken = identities.take(platform, wanted).await?;
                Ok(taken.map_or(Someone::Nobody, |taken| Someone::Stored(Box::new(taken))))
            }
            None if wanted.is_some() => Err(nowhere()),
            None => Ok(Someone::Nobody),
        }
    }

    async fn settle(&self, taken: Someone, attempts: Option<&[Attempt]>, failure: Option<ErrorClass>) {
        if let (Someone::Stored(taken), Some(identities)) = (taken, &self.identities) {
            identities.settle(*taken, attempts, failure).await;
        }
    }
}

/// Who goes.
enum Someone {
    Nobody,
    Visitor(crawlers::Identity),
    Stored(Box<Taken>),
}

impl Someone {
    fn visitor(&self) -> Option<&crawlers::Identity> {
        match self {
            Self::Nobody => None,
            Self::Visitor(visitor) => Some(visitor),
            Self::Stored(taken) => Some(&taken.visitor),
        }
    }

    fn net(&self) -> Option<&Net> {
        match self {
            Self::Stored(taken) => taken.net.as_ref(),
            _ => None,
        }
    }
}

fn nowhere() -> Error {
    Error::new(Code::InvalidValue, "There are no identities here").with_field("identity")
}
