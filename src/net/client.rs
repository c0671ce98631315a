//! Building the HTTP clients. This is the only place that does.

use std::{sync::Arc, time::Duration};

use reqwest::{Client, Method, Proxy, RequestBuilder, header::HeaderMap, redirect::Policy};
use url::Url;

use super::{
    map::stand_in,
    resolve::{Guard, Lookup},
    rules::{Rules, Target},
};
use crate::{
    config::NetConfig,
    error::{Code, Error, Result},
};

/// Headers of one answer, all together.
const MAX_HEAD: usize = 64 * 1024;
const MAX_HEADERS: usize = 256;

/// One client for everybody, and one for the hosts which the operator exempts. They share no connections.
pub(super) struct Clients {
    guarded: Client,
    exempt: Option<Client>,
}

impl Clients {
    pub(super) fn new(config: &NetConfig, rules: &Arc<Rules>, lookup: &Arc<dyn Lookup>) -> Result<Self> {
        // Fails when a provider is installed already, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guarded = build(config, Guard { lookup: lookup.clone(), rules: Some(rules.clone()) }, None)?;
        let open = || build(config, Guard { lookup: lookup.clone(), rules: None }, None);
        let exempt = rules.has_exemptions().then(open).transpose()?;
        Ok(Self { guarded, exempt })
    }

    /// One client for everybody, through a proxy. The proxy looks hosts up; the only name that is looked up here is its
    /// own, and `rules` are for that: none for a name that comes from the operator.
    pub(super) fn through(
        proxy: Proxy,
        rules: Option<Arc<Rules>>,
        config: &NetConfig,
        lookup: &Arc<dyn Lookup>,
    ) -> Result<Self> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let guarded = build(config, Guard { lookup: lookup.clone(), rules }, Some(proxy))?;
        Ok(Self { guarded, exempt: None })
    }

    /// The client for everybody.
    pub(super) fn guarded(&self) -> Client {
        self.guarded.clone()
    }

    /// A request for a checked link, to the address that stands for its host where there is one.
    pub(super) fn request(&self, method: Method, url: &Url, target: &Target, mut headers: HeaderMap) -> RequestBuilder {
        let client = match &self.exempt {
            Some(client) if target.exempt => client,
            _ => &self.guarded,
        };
        let url = match &target.base {
            Some(base) => stand_in(url, base, &mut headers),
            None => url.clone(),
        };
        client.request(method, url).headers(headers)
    }
}

fn build(config: &NetConfig, guard: Guard, proxy: Option<Proxy>) -> Result<Client> {
    // None from the environment, whatever it says.
    let builder = Client::builder().no_proxy();
    let builder = match proxy {
        Some(proxy) => builder.proxy(proxy),
        None => builder,
    };
    builder
        .dns_resolver(guard)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        // Pages are unpacked in `get`, which counts; media are wanted as they are.
        .no_gzip()
        .user_agent(&config.user_agent)
        .connect_timeout(config.connect_timeout.0)
        .pool_max_idle_per_host(config.per_host)
        .pool_idle_timeout(Duration::from_secs(30))
        .http1_max_headers(MAX_HEADERS)
        .http2_max_header_list_size(MAX_HEAD as u32)
        .build()
        .map_err(|error| {
            Error::new(Code::Config, "The HTTP client cannot be built")
                .with_hint(
                    "Check `net.user_agent`, and that the system has root certificates (package ca-certificates).",
                )
                .with_source(error)
        })
}

/// Whether the headers of an answer are more than anybody needs.
pub(super) fn is_overlong(headers: &HeaderMap) -> bool {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() > MAX_HEAD
}
