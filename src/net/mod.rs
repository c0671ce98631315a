//! The one door to the network.
//!
//! Every request of the daemon goes through [`Net`]: pages, media, callbacks, files for other servers. Callers may rely on this: only http and
//! https on the configured ports are spoken; the address connected to is public, or the operator exempts it
//! (`net.allow_hosts`, `net.host_map`); that holds for every redirect, too; nothing reads more than its limit or waits longer than its
//! time; proxies from the environment are ignored; and errors never hold links or what a server sent. Through a proxy of
//! the operator's ([`Net::through`]) all of that holds but one thing: the proxy looks names up, so only addresses that
//! stand in links are checked.

mod address;
mod allow;
mod client;
mod download;
mod execute;
mod failure;
mod form;
mod gate;
mod get;
mod headers;
mod hops;
mod hosts;
mod map;
mod part;
mod post;
mod proxy;
mod resolve;
mod rules;
mod send;
mod site;
mod sniff;
#[cfg(test)]
pub(crate) mod tests;
mod transfer;

use std::sync::Arc;

use tokio::sync::Semaphore;
use url::Url;

pub use self::{
    address::is_public,
    download::{Download, Downloaded, Progress},
    execute::Executed,
    form::{FilePart, Form, FormReply},
    gate::Gate,
    get::{Get, Reply},
    part::is_complete,
    post::{Post, PostReply},
    send::Request,
    site::headers_for,
};
use self::{
    client::Clients,
    hosts::Hosts,
    resolve::{Lookup, System},
    rules::Rules,
};
use crate::{config::NetConfig, error::Result};

/// The guarded client. Clones share connections and limits.
#[derive(Clone)]
pub struct Net {
    inner: Arc<Inner>,
}

struct Inner {
    config: NetConfig,
    rules: Arc<Rules>,
    clients: Clients,
    /// For what passes through a gate.
    lookup: Arc<dyn Lookup>,
    /// Whether the other end of a connection is a proxy.
    proxied: bool,
    /// Places for transfers; and for callbacks, as many as are asked for.
    transfers: Hosts,
    posts: Hosts,
}

impl Net {
    /// Builds the client. Fails when `net.allow_hosts` or `net.host_map` makes no sense or the system has no root certificates.
    pub fn new(config: &NetConfig) -> Result<Self> {
        Self::with_lookup(config, Arc::new(System))
    }

    /// A client whose every request goes through the HTTP proxy at `address`, the value of the setting `key`; an empty
    /// one means no proxy.
    pub fn through(address: &str, key: &str, config: &NetConfig) -> Result<Self> {
        if address.is_empty() {
            return Self::new(config);
        }
        let (_, proxy) = proxy::parse(address, key)?;
        Self::with_proxy(proxy, false, config)
    }

    /// The same with a proxy that is not the operator's choice: its own address must be public, or exempt by
    /// `net.allow_hosts`. Errors do not show it.
    pub fn through_given(address: &str, key: &str, config: &NetConfig) -> Result<Self> {
        let (url, proxy) = proxy::parse(address, key)?;
        let is_exempt = Rules::new(config)?.is_exempt(&url).map_err(|_| rules::refused("The proxy"))?;
        Self::with_proxy(proxy, !is_exempt, config)
    }

    fn with_proxy(proxy: reqwest::Proxy, is_guarded: bool, config: &NetConfig) -> Result<Self> {
        let lookup: Arc<dyn Lookup> = Arc::new(System);
        let rules = Arc::new(Rules::new(config)?);
        let clients = Clients::through(proxy, is_guarded.then(|| rules.clone()), config, &lookup)?;
        Ok(Self::with_clients(config, rules, clients, lookup, true))
    }

    fn with_lookup(config: &NetConfig, lookup: Arc<dyn Lookup>) -> Result<Self> {
        let rules = Arc::new(Rules::new(config)?);
        let clients = Clients::new(config, &rules, &lookup)?;
        Ok(Self::with_clients(config, rules, clients, lookup, false))
    }

    fn with_clients(
        config: &NetConfig,
        rules: Arc<Rules>,
        clients: Clients,
        lookup: Arc<dyn Lookup>,
        proxied: bool,
    ) -> Self {
        // Who posts knows how many a receiver may have; a second limit here would let one path of a host wait for another.
        let (transfers, posts) = (Hosts::new(config.per_host), Hosts::new(Semaphore::MAX_PERMITS));
        Self { inner: Arc::new(Inner { config: config.clone(), rules, clients, lookup, proxied, transfers, posts }) }
    }

    /// Checks a link as far as that goes without looking its host up: syntax, scheme, user name, port, and the address
    /// when the link holds one. Every request does this by itself; call it when a link is only stored.
    pub fn check_url(&self, url: &str) -> Result<Url> {
        self.inner.rules.parse(url).map(|(url, _)| url)
    }

    /// The largest media file that may be downloaded, in bytes.
    pub fn max_media_bytes(&self) -> u64 {
        self.inner.config.max_media_bytes
    }
}

impl std::fmt::Debug for Net {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Net").field("rules", &self.inner.rules).finish_non_exhaustive()
    }
}
