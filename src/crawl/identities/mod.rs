//! Cookie identities: a pool for each platform, kept encrypted, used by one link at a time.

mod cookie;
mod health;
mod manage;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use chrono::Utc;
use crawlers::{Attempt, ErrorClass};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::{Mutex as Turn, Notify},
    time::{Instant, timeout_at},
};

pub(super) use self::cookie::check_agent;
use self::health::{Next, after, judge, next};
pub use self::manage::{Change, Listed, NewIdentity};
use crate::{
    config::{Config, NetConfig},
    domain::Identity,
    error::{Code, Error, Result},
    net::Net,
    seal::Seal,
    store::{Store, StoredIdentity, date},
};

/// How long a link waits for an identity that another link uses.
const PATIENCE: Duration = Duration::from_secs(60);
/// The cookies of somebody who is logged in, with every platform that has identities.
const SESSIONS: [&str; 2] = ["sessionid", "sessionid_ss"];

/// The identities of every platform. Cheap to clone.
#[derive(Clone)]
pub struct Identities {
    inner: Arc<Inner>,
}

struct Inner {
    store: Arc<Store>,
    seal: Seal,
    net: NetConfig,
    /// The platforms that have identities, each with its domain.
    sites: Vec<(&'static str, String)>,
    /// The ids of those on their way.
    busy: Mutex<HashSet<String>>,
    freed: Notify,
    /// Those who wait for the same stand in line: one lock for each platform, and for each identity that is named.
    lines: Mutex<HashMap<(String, String), Line>>,
    /// For each identity with a proxy: the proxy and the client that goes through it.
    nets: Mutex<HashMap<String, (String, Net)>>,
}

/// Those who wait for the same; the lock is fair.
type Line = Arc<Turn<()>>;

/// What is encrypted.
#[derive(Serialize, Deserialize)]
struct Secret {
    /// The `Cookie` header.
    cookie: String,
    /// An HTTP proxy's address; empty: none.
    proxy: String,
}

/// An identity on its way. Nobody else gets it before this is dropped.
pub(super) struct Taken {
    /// What the platform sees.
    pub(super) visitor: crawlers::Identity,
    /// The client through its proxy, when it has one.
    pub(super) net: Option<Net>,
    stored: StoredIdentity,
    _place: Place,
}

/// A place among those on their way.
struct Place {
    inner: Arc<Inner>,
    id: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        self.inner.freed.notify_waiters();
    }
}

impl Identities {
    /// The identities in a store, encrypted with `key`.
    pub fn new(store: Arc<Store>, key: &[u8; 32], config: &Config) -> Self {
        let sites = config.crawlers.platforms().map(|(name, settings)| (name, site(settings.hosts.get("web"))));
        let inner = Inner {
            store,
            seal: Seal::new(key),
            net: config.net.clone(),
            sites: sites.into(),
            busy: Mutex::default(),
            freed: Notify::new(),
            lines: Mutex::default(),
            nets: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Takes the identity that is to be used next on a platform, or the one with this name or id, whatever its health;
    /// waits while it is in use. None when there is nobody to be.
    pub(super) async fn take(&self, platform: &str, wanted: Option<&str>) -> Result<Option<Taken>> {
        if wanted.is_none() && self.site(platform).is_err() {
            return Ok(None);
        }
        let deadline = Instant::now() + PATIENCE;
        let line = self.line(platform, wanted);
        let Ok(_turn) = timeout_at(deadline, line.lock()).await else { return Err(in_use()) };
        let mut unreadable = HashSet::new();
        loop {
            // Listened for before it is looked at, so that no place that is given up goes unseen.
            let mut freed = std::pin::pin!(self.inner.freed.notified());
            freed.as_mut().enable();
            let mut all = self.inner.store.identities().await?;
            all.retain(|one| one.identity.platform == platform && !unreadable.contains(&one.identity.id));
            match self.pick(&all, wanted) {
                Ok((stored, place)) => match self.ready(stored, place) {
                    Ok(taken) => {
                        self.note_use(&taken.visitor.id).await;
                        return Ok(Some(taken));
                    }
                    Err(error) if wanted.is_some() => return Err(error),
                    Err(error) => {
                        tracing::warn!(identity = %stored.identity.id, error = %error.chain(), "an identity is not used");
                        unreadable.insert(stored.identity.id.clone());
                    }
                },
                Err(Next::Wait) => {
                    if timeout_at(deadline, freed).await.is_err() {
                        return Err(in_use());
                    }
                }
                Err(_) => {
                    return match wanted {
                        None => Ok(None),
                        Some(name) => Err(self.unknown(platform, name)),
                    };
                }
            }
        }
    }

    /// The line in which to wait; nobody is overtaken there.
    fn line(&self, platform: &str, wanted: Option<&str>) -> Line {
        let mut lines = self.inner.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|_, line| Arc::strong_count(line) > 1);
        let key = (platform.to_owned(), wanted.unwrap_or_default().to_owned());
        Arc::clone(lines.entry(key).or_default())
    }

    /// Writes down that an identity is on its way, so that it counts as used even if nobody waits for the end.
    async fn note_use(&self, id: &str) {
        let written = async {
            let tx = self.inner.store.begin().await?;
            let Some(mut stored) = tx.identity(id).await? else { return Ok(()) };
            stored.identity.last_used_at = Some(date(tx.now()));
            tx.update_identity(&stored).await?;
            tx.commit().await
        };
        let written: Result<()> = written.await;
        if let Err(error) = written {
            tracing::warn!(error = %error.chain(), "the use of an identity cannot be written down");
        }
    }

    /// The client through the proxy of an identity; none when it has no proxy, or is not here any more.
    pub(super) async fn net_for(&self, id: &str) -> Result<Option<Net>> {
        let all = self.inner.store.identities().await?;
        let Some(stored) = all.iter().find(|one| one.identity.id == id) else { return Ok(None) };
        self.net_of(id, &self.open(stored)?.proxy)
    }

    /// Finds who goes next and takes its place; or says why nobody does.
    fn pick<'a>(
        &self,
        all: &'a [StoredIdentity],
        wanted: Option<&str>,
    ) -> Result<(&'a StoredIdentity, Place), Next<'static>> {
        let mut busy = self.inner.busy.lock().unwrap_or_else(PoisonError::into_inner);
        let id = match wanted {
            Some(wanted) => {
                let is_wanted = |one: &&StoredIdentity| one.identity.id == wanted || one.identity.name == wanted;
                match all.iter().find(is_wanted) {
                    Some(one) if busy.contains(&one.identity.id) => return Err(Next::Wait),
                    Some(one) => &one.identity.id,
                    None => return Err(Next::Nobody),
                }
            }
            None => match next(all.iter().map(|one| &one.identity), &busy, Utc::now()) {
                Next::Take(one) => &one.id,
                Next::Wait => return Err(Next::Wait),
                Next::Nobody => return Err(Next::Nobody),
            },
        };
        let stored = all.iter().find(|one| one.identity.id == *id).ok_or(Next::Nobody)?;
        busy.insert(id.clone());
        Ok((stored, Place { inner: Arc::clone(&self.inner), id: id.clone() }))
    }

    fn ready(&self, stored: &StoredIdentity, place: Place) -> Result<Taken> {
        let Identity { id, platform, user_agent, .. } = stored.identity.clone();
        let secret = self.open(stored)?;
        let net = self.net_of(&id, &secret.proxy)?;
        let visitor = crawlers::Identity { id, platform, cookie: secret.cookie, user_agent };
        Ok(Taken { visitor, net, stored: stored.clone(), _place: place })
    }

    /// The client for an identity's proxy; the same one as long as the proxy stays the same.
    fn net_of(&self, id: &str, proxy: &str) -> Result<Option<Net>> {
        let mut nets = self.inner.nets.lock().unwrap_or_else(PoisonError::into_inner);
        if proxy.is_empty() {
            nets.remove(id);
            return Ok(None);
        }
        if let Some((same, net)) = nets.get(id)
            && same == proxy
        {
            return Ok(Some(net.clone()));
        }
        let net = Net::through_given(proxy, "proxy", &self.inner.net)?;
        nets.insert(id.to_owned(), (proxy.to_owned(), net.clone()));
        Ok(Some(net))
    }

    /// Writes down how the platform took an identity: the attempts of a chain tell, or how a list has ended. One that was changed in the meantime is left as it is.
    pub(super) async fn settle(&self, taken: Taken, attempts: Option<&[Attempt]>, failure: Option<ErrorClass>) {
        let is_guest = SESSIONS.iter().all(|name| taken.visitor.cookie(name).is_none());
        let verdict = judge(attempts, failure, is_guest);
        let written = async {
            let tx = self.inner.store.begin().await?;
            let Some(mut stored) = tx.identity(&taken.stored.identity.id).await? else { return Ok(()) };
            if stored.secret != taken.stored.secret {
                return Ok(());
            }
            let now = date(tx.now());
            stored.identity.last_used_at = Some(now);
            stored.identity.health = after(&stored.identity.health, verdict, now);
            tx.update_identity(&stored).await?;
            tx.commit().await
        };
        let written: Result<()> = written.await;
        tracing::debug!(identity = %taken.visitor.id, ?verdict, "an identity was used");
        if let Err(error) = written {
            tracing::warn!(error = %error.chain(), "an identity's health cannot be written down");
        }
    }

    fn open(&self, stored: &StoredIdentity) -> Result<Secret> {
        let secret = self.inner.seal.open(&stored.identity.id, &stored.secret).ok_or_else(unreadable)?;
        serde_json::from_slice(&secret).map_err(|_| unreadable())
    }

    fn close(&self, id: &str, secret: &Secret) -> Result<Vec<u8>> {
        let plain = serde_json::to_vec(secret)
            .map_err(|_| Error::new(Code::Internal, "An identity's secret cannot be written as JSON"))?;
        self.inner.seal.close(id, &plain)
    }

    /// The `Cookie` header in a text that somebody has pasted for a platform.
    pub(super) fn cookie(&self, platform: &str, text: &str) -> Result<String> {
        let site = self.site(platform).map_err(|error| error.with_field("cookie"))?;
        cookie::parse(text, site, Utc::now())
    }

    /// The domain of a platform that has identities.
    fn site(&self, platform: &str) -> Result<&str> {
        let site = self.inner.sites.iter().find(|(name, _)| *name == platform).map(|(_, site)| site.as_str());
        site.ok_or_else(|| {
            let known: Vec<&str> = self.inner.sites.iter().map(|(name, _)| *name).collect();
            Error::new(Code::InvalidValue, format!("There are no identities for \"{}\"", platform.escape_debug()))
                .with_hint(format!("There are identities for: {}.", known.join(", ")))
                .with_field("platform")
        })
    }

    fn unknown(&self, platform: &str, name: &str) -> Error {
        let detail = format!("There is no identity \"{}\" for links of {platform}", name.escape_debug());
        Error::new(Code::InvalidValue, detail).with_hint("See GET /api/identities.").with_field("identity")
    }
}

impl std::fmt::Debug for Identities {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identities").field("sites", &self.inner.sites).finish_non_exhaustive()
    }
}

fn in_use() -> Error {
    Error::new(Code::RateLimited, "The platform's identities are in use by other links")
        .with_hint("It is tried again by itself; with another identity more links go at the same time.")
}

/// The domain of a platform: the last two labels of its host, or nothing when a machine of the operator's stands there.
fn site(host: Option<&String>) -> String {
    let host = host.map_or("", String::as_str);
    if host.contains("://") {
        return String::new();
    }
    let labels: Vec<&str> = host.split('.').collect();
    labels[labels.len().saturating_sub(2)..].join(".")
}

/// The error for a secret that does not open.
fn unreadable() -> Error {
    Error::new(Code::Config, "The cookie of an identity was encrypted with another key than the present one")
        .with_hint(
            "Put the old `identities.key` back (or the file in `paths.data`), or give the identity its cookie and its proxy again.",
        )
        .for_good()
}
