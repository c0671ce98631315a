//! What hosts' names stand for: `net.host_map`.

use std::collections::BTreeMap;

use reqwest::header::{HOST, HeaderMap, HeaderValue};
use url::{Host, Url};

use super::allow::normalise;
use crate::error::{Code, Error, Result};

/// The parsed `net.host_map`: a host, and the base URL that stands for it.
///
/// A link to such a host is shown, counted and answered under its own name; only the connection goes elsewhere.
#[derive(Debug, Default)]
pub(super) struct HostMap {
    hosts: Vec<(Host<String>, Url)>,
}

impl HostMap {
    /// Reads the entries. One that is no host, or whose base URL is more than a scheme, a host and a port, stops the
    /// start.
    pub(super) fn parse(entries: &BTreeMap<String, String>) -> Result<Self> {
        let mut hosts = Vec::new();
        for (name, base) in entries {
            let wrong = |what: &str| {
                let text = format!("`net.host_map` holds \"{}\", {what}", name.escape_debug());
                Error::new(Code::Config, text).with_hint(r#"Write "www.example.com" = "http://127.0.0.1:9"."#)
            };
            let host = Host::parse(name.trim()).map_err(|_| wrong("which is no host"))?;
            hosts.push((normalise(&host), base_url(base).ok_or_else(|| wrong("whose base URL is none"))?));
        }
        Ok(Self { hosts })
    }

    /// What stands for this host.
    pub(super) fn base(&self, host: &Host<&str>) -> Option<&Url> {
        if self.hosts.is_empty() {
            return None;
        }
        let host = normalise(&host.to_owned());
        self.hosts.iter().find(|(name, _)| *name == host).map(|(_, base)| base)
    }

    /// Whether anything stands here.
    pub(super) fn any(&self) -> bool {
        !self.hosts.is_empty()
    }
}

/// A base URL: `http` or `https`, a host, perhaps a port, and nothing else.
fn base_url(text: &str) -> Option<Url> {
    let url = Url::parse(text.trim()).ok()?;
    let is_web = matches!(url.scheme(), "http" | "https") && url.has_host() && url.port() != Some(0);
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_open = url.username().is_empty() && url.password().is_none();
    (is_web && is_bare && is_open).then_some(url)
}

/// The link as it is asked for at `base`, which keeps path and query; the name that it had goes into `Host`.
pub(super) fn stand_in(url: &Url, base: &Url, headers: &mut HeaderMap) -> Url {
    let host = url.host_str().unwrap_or_default();
    let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
    // A host that was parsed consists of characters that a header can hold.
    if let Ok(authority) = HeaderValue::from_str(&authority) {
        headers.insert(HOST, authority);
    }
    let mut address = base.clone();
    address.set_path(url.path());
    address.set_query(url.query());
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(name: &str, base: &str) -> Result<HostMap> {
        HostMap::parse(&BTreeMap::from([(name.to_owned(), base.to_owned())]))
    }

    #[test]
    fn names_are_compared_like_hosts() {
        let map = map("WWW.Example.com", "http://127.0.0.1:9").unwrap();
        for (host, expected) in [("www.example.com", true), ("www.example.com.", true), ("example.com", false)] {
            assert_eq!(map.base(&Host::Domain(host)).is_some(), expected, "{host}");
        }
        assert!(!HostMap::default().any());
    }

    #[test]
    fn nonsense_stops_the_start() {
        for (name, base) in [
            ("a b", "http://127.0.0.1:9"),
            ("", "http://127.0.0.1:9"),
            ("http://a.example/", "http://127.0.0.1:9"),
            ("a.example:80", "http://127.0.0.1:9"),
            ("a.example", ""),
            ("a.example", "127.0.0.1:9"),
            ("a.example", "ftp://127.0.0.1"),
            ("a.example", "http://127.0.0.1:0"),
            ("a.example", "http://127.0.0.1:9/path"),
            ("a.example", "http://127.0.0.1:9/?a"),
            ("a.example", "http://127.0.0.1:9/#a"),
            ("a.example", "http://me@127.0.0.1:9"),
        ] {
            assert_eq!(map(name, base).unwrap_err().code, Code::Config, "{name} {base}");
        }
        assert!(map("a.example", " https://b.example ").unwrap().any());
    }

    #[test]
    fn only_the_address_changes() {
        let ask = |link: &str| {
            let mut headers = HeaderMap::new();
            let base = Url::parse("http://127.0.0.1:9").unwrap();
            let url = stand_in(&Url::parse(link).unwrap(), &base, &mut headers);
            (url.to_string(), headers[HOST].to_str().unwrap().to_owned())
        };
        let expected = |url: &str, host: &str| (url.to_owned(), host.to_owned());
        assert_eq!(
            ask("https://a.example/x%20y//z?q=1&q=%2F"),
            expected("http://127.0.0.1:9/x%20y//z?q=1&q=%2F", "a.example")
        );
        assert_eq!(ask("https://a.example:8443/"), expected("http://127.0.0.1:9/", "a.example:8443"));
    }
}
