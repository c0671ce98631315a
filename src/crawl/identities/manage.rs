//! Adding, looking at, changing and removing identities.

use chrono::{DateTime, Utc};

use super::{Identities, Secret, cookie};
use crate::{
    domain::{Health, Identity},
    error::{Code, Error, Result},
    net::Net,
    store::StoredIdentity,
};

/// The longest name, in characters.
const MAX_NAME: usize = 64;

/// What somebody wants to add.
#[derive(Clone, Default)]
pub struct NewIdentity {
    /// The platform's name.
    pub platform: String,
    /// What to call it.
    pub name: String,
    /// A `Cookie` header, or the text of a Netscape cookie file.
    pub cookie: String,
    /// The user agent of the browser that the cookie comes from.
    pub user_agent: String,
    /// An HTTP proxy that it goes through; empty: none.
    pub proxy: String,
}

/// What somebody wants to change; none leaves a thing as it is.
#[derive(Clone, Default)]
pub struct Change {
    /// What to call it.
    pub name: Option<String>,
    /// Another cookie; its health begins anew.
    pub cookie: Option<String>,
    /// Another user agent.
    pub user_agent: Option<String>,
    /// Another proxy; empty: none.
    pub proxy: Option<String>,
    /// Whether its health begins anew.
    pub reset: bool,
}

/// What may be shown of an identity.
#[derive(Clone, Debug)]
pub struct Listed {
    /// All but its secret.
    pub identity: Identity,
    /// The names of its cookies.
    pub cookies: Vec<String>,
    /// Whether it goes through a proxy of its own.
    pub proxied: bool,
    /// Why its secret cannot be read; then nothing is known about its cookies.
    pub problem: Option<String>,
}

impl Identities {
    /// Every identity, by platform and name.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        let stored = self.inner.store.identities().await?;
        Ok(stored.into_iter().map(|one| self.listed(one)).collect())
    }

    /// One identity.
    pub async fn get(&self, id: &str) -> Result<Listed> {
        let mut all = self.list().await?;
        all.retain(|one| one.identity.id == id);
        all.pop().ok_or_else(gone)
    }

    /// Adds an identity.
    pub async fn add(&self, new: NewIdentity) -> Result<Listed> {
        let site = self.site(&new.platform)?;
        let cookie = cookie::parse(&new.cookie, site, Utc::now())?;
        cookie::check_agent(&new.user_agent)?;
        let secret = Secret { cookie, proxy: self.proxy(&new.proxy)? };
        let id = uuid::Uuid::now_v7().to_string();
        let stored = StoredIdentity {
            secret: self.close(&id, &secret)?,
            identity: Identity {
                id,
                name: name(&new.name)?,
                platform: new.platform,
                user_agent: new.user_agent.trim().to_owned(),
                health: Health::default(),
                last_used_at: None,
                // The transaction has the time that counts.
                created_at: DateTime::default(),
            },
        };
        let tx = self.inner.store.begin().await?;
        tx.insert_identity(&stored).await?;
        tx.commit().await?;
        tracing::info!(identity = %stored.identity.id, platform = %stored.identity.platform, "identity added");
        self.get(&stored.identity.id).await
    }

    /// Changes an identity.
    pub async fn change(&self, id: &str, change: Change) -> Result<Listed> {
        let tx = self.inner.store.begin().await?;
        let mut stored = tx.identity(id).await?.ok_or_else(gone)?;
        if let Some(wanted) = &change.name {
            stored.identity.name = name(wanted)?;
        }
        if let Some(agent) = &change.user_agent {
            cookie::check_agent(agent)?;
            stored.identity.user_agent = agent.trim().to_owned();
        }
        if change.cookie.is_some() || change.proxy.is_some() {
            let cookie = change
                .cookie
                .as_deref()
                .map(|text| cookie::parse(text, self.site(&stored.identity.platform)?, Utc::now()));
            let secret = match (cookie.transpose()?, &change.proxy) {
                // With both of them new nothing of the old secret is needed, so its key may be lost.
                (Some(cookie), Some(proxy)) => Secret { cookie, proxy: self.proxy(proxy)? },
                (Some(cookie), None) => Secret { cookie, proxy: self.old_proxy(&stored)? },
                (None, proxy) => {
                    let proxy = self.proxy(proxy.as_deref().unwrap_or_default())?;
                    Secret { cookie: self.open(&stored)?.cookie, proxy }
                }
            };
            stored.secret = self.close(id, &secret)?;
        }
        if change.reset || change.cookie.is_some() {
            stored.identity.health = Health::default();
        }
        tx.update_identity(&stored).await?;
        tx.commit().await?;
        self.get(id).await
    }

    /// Removes an identity.
    pub async fn remove(&self, id: &str) -> Result<()> {
        let tx = self.inner.store.begin().await?;
        if !tx.delete_identity(id).await? {
            return Err(gone());
        }
        tx.commit().await?;
        self.net_of(id, "")?;
        tracing::info!(identity = id, "identity removed");
        Ok(())
    }

    fn listed(&self, stored: StoredIdentity) -> Listed {
        let (cookies, proxied, problem) = match self.open(&stored) {
            Ok(secret) => (cookie::names(&secret.cookie), !secret.proxy.is_empty(), None),
            Err(error) => (Vec::new(), false, Some(error.detail)),
        };
        Listed { identity: stored.identity, cookies, proxied, problem }
    }

    /// The proxy of a secret that is replaced. Where that does not open any more somebody has to say it: the identity must
    /// not lose its proxy unseen.
    fn old_proxy(&self, stored: &StoredIdentity) -> Result<String> {
        self.open(stored).map(|secret| secret.proxy).map_err(|_| {
            Error::new(Code::InvalidValue, "Whether the identity has a proxy cannot be read any more")
                .with_hint("Send `proxy` together with the cookie; leave it empty for no proxy.")
                .with_field("proxy")
        })
    }

    /// Checks a proxy's address, which is not shown in errors.
    fn proxy(&self, address: &str) -> Result<String> {
        let address = address.trim();
        if address.len() > 1024 || address.chars().any(char::is_control) {
            return Err(wrong_proxy());
        }
        if !address.is_empty() {
            Net::through_given(address, "proxy", &self.inner.net).map_err(|error| match error.code {
                Code::AddressRefused => error.with_field("proxy"),
                _ => wrong_proxy(),
            })?;
        }
        Ok(address.to_owned())
    }
}

fn name(text: &str) -> Result<String> {
    let text = text.trim();
    // "none" stands for no identity where one is named.
    if text.is_empty() || text == "none" || text.chars().count() > MAX_NAME || text.chars().any(char::is_control) {
        let detail = format!("The name must have 1 to {MAX_NAME} printable characters, and not be \"none\"");
        return Err(Error::new(Code::InvalidValue, detail).with_hint("Choose another name.").with_field("name"));
    }
    Ok(text.to_owned())
}

fn wrong_proxy() -> Error {
    Error::new(Code::InvalidValue, "The proxy is no address of an HTTP proxy")
        .with_hint("Write http://host:port, or http://user:password@host:port; leave it empty for no proxy.")
        .with_field("proxy")
}

fn gone() -> Error {
    Error::new(Code::NotFound, "There is no such identity").with_hint("See GET /api/identities.")
}
