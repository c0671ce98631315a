//! The rules for links: scheme, user names, ports and addresses.

use std::net::{IpAddr, SocketAddr};

use url::{Host, Url};

use super::{address::is_public, allow::AllowList, map::HostMap};
use crate::{
    config::NetConfig,
    error::{Code, Error, Result},
};

/// Longer links are refused: none that people paste or sites sign comes near.
const MAX_LINK: usize = 8 * 1024;
const MAX_HOST: usize = 253;

/// What links must obey.
#[derive(Debug)]
pub(super) struct Rules {
    ports: Vec<u16>,
    allow: AllowList,
    map: HostMap,
}

/// Where a checked link leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// The host as it is shown and counted.
    pub(super) host: String,
    /// Whether the operator exempts it from the address rule.
    pub(super) exempt: bool,
    /// What stands for the host (`net.host_map`).
    pub(super) base: Option<Url>,
}

impl Rules {
    /// The rules of a configuration.
    pub(super) fn new(config: &NetConfig) -> Result<Self> {
        let (allow, map) = (AllowList::parse(&config.allow_hosts)?, HostMap::parse(&config.host_map)?);
        Ok(Self { ports: config.ports.clone(), allow, map })
    }

    /// Whether some links are exempt from the address rule.
    pub(super) fn has_exemptions(&self) -> bool {
        self.allow.any() || self.map.any()
    }

    /// Parses a link and checks it as far as that goes without looking its host up.
    pub(super) fn parse(&self, link: &str) -> Result<(Url, Target)> {
        sane(link)?;
        let url = Url::parse(link)
            .map_err(|error| Error::new(Code::InvalidLink, format!("The link cannot be read: {error}")))?;
        let target = self.check(&url)?;
        Ok((url, target))
    }

    /// Reads a redirect's target. What is no proper link, or goes back from https to http, is refused. The latter does
    /// not hold for hosts in `net.host_map`, where the link's scheme is not the connection's.
    pub(super) fn redirect(&self, from: &Url, location: &str) -> Result<(Url, Target)> {
        let refused = |why: &str| {
            let host = from.host_str().unwrap_or_default();
            Error::new(Code::RedirectRefused, format!("{host} redirects to {why}"))
        };
        sane(location).map_err(|_| refused("something that is no link"))?;
        let mut url = from.join(location).map_err(|_| refused("something that is no link"))?;
        url.set_fragment(None);
        let is_weaker = from.scheme() == "https" && url.scheme() == "http";
        match self.check(&url) {
            Ok(target) if target.base.is_some() => Ok((url, target)),
            _ if is_weaker => Err(refused("an unencrypted address")),
            Err(error) if error.code == Code::InvalidLink => Err(refused("something other than a web page")),
            Err(error) => Err(error),
            Ok(target) => Ok((url, target)),
        }
    }

    /// Checks a parsed link.
    pub(super) fn check(&self, url: &Url) -> Result<Target> {
        let invalid = |why: &str| Err(Error::new(Code::InvalidLink, why));
        if !matches!(url.scheme(), "http" | "https") {
            return invalid("The link is neither http nor https");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return invalid("The link holds a user name or a password");
        }
        let Some(host) = url.host() else { return invalid("The link names no host") };
        let shown = host.to_string();
        if shown.is_empty() || shown.len() > MAX_HOST {
            return invalid("The link's host is empty or too long");
        }
        if let Some(base) = self.map.base(&host) {
            return Ok(Target { host: shown, exempt: true, base: Some(base.clone()) });
        }
        let port = url.port_or_known_default().unwrap_or_default();
        if port == 0 {
            return Err(Error::new(Code::PortRefused, "Port 0 cannot be reached"));
        }
        if self.is_exempt(url)? {
            return Ok(Target { host: shown, exempt: true, base: None });
        }
        if !self.ports.contains(&port) {
            return Err(Error::new(Code::PortRefused, format!("{shown} is to be reached on port {port}")));
        }
        Ok(Target { host: shown, exempt: false, base: None })
    }

    /// Whether the operator exempts a host and its port from the address rule. One that is not exempt is refused when it
    /// is an address that is not public.
    pub(super) fn is_exempt(&self, url: &Url) -> Result<bool> {
        let Some(host) = url.host() else { return Ok(false) };
        if self.allow.covers(&host, url.port_or_known_default().unwrap_or_default()) {
            return Ok(true);
        }
        let shown = host.to_string();
        let local = match host {
            Host::Domain(name) => is_localhost(name),
            Host::Ipv4(address) => !is_public(address.into()),
            Host::Ipv6(address) => !is_public(address.into()),
        };
        if local { Err(refused(&shown)) } else { Ok(false) }
    }

    /// Whether a name's address may be used when the name itself is not exempt.
    pub(super) fn permits(&self, address: IpAddr) -> bool {
        is_public(address) || self.allow.covers_address(address)
    }

    /// Checks the address that was really connected to.
    pub(super) fn check_peer(&self, target: &Target, peer: Option<SocketAddr>) -> Result<()> {
        match peer {
            _ if target.exempt => Ok(()),
            Some(peer) if self.permits(peer.ip()) => Ok(()),
            _ => Err(refused(&target.host)),
        }
    }
}

/// The error for a host at an address that is not public.
pub(super) fn refused(host: &str) -> Error {
    Error::new(Code::AddressRefused, format!("{host} is at an address that is not public"))
}

/// `url` drops tabs and line ends silently; a link that holds them is no link.
fn sane(link: &str) -> Result<()> {
    if link.len() > MAX_LINK {
        return Err(Error::new(Code::InvalidLink, format!("The link is longer than {MAX_LINK} bytes")));
    }
    if link.chars().any(char::is_control) {
        return Err(Error::new(Code::InvalidLink, "The link holds control characters"));
    }
    Ok(())
}

fn is_localhost(name: &str) -> bool {
    let name = name.strip_suffix('.').unwrap_or(name);
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peer_is_checked_again() {
        let allow = AllowList::parse(&["10.0.0.0/8".to_owned()]).unwrap_or_default();
        let rules = Rules { ports: vec![80], allow, map: HostMap::default() };
        let target = |exempt| Target { host: "a.example".to_owned(), exempt, base: None };
        let peer = |text: &str| text.parse().ok();
        for (exempt, peer, expected) in [
            (false, peer("1.1.1.1:80"), true),
            (false, peer("10.0.0.1:80"), true),
            (false, peer("127.0.0.1:80"), false),
            (false, peer("[::ffff:192.168.0.1]:80"), false),
            (false, None, false),
            (true, peer("127.0.0.1:80"), true),
        ] {
            let checked = rules.check_peer(&target(exempt), peer);
            assert_eq!(checked.is_ok(), expected, "{exempt} {peer:?}");
            assert!(checked.is_ok() || checked.is_err_and(|error| error.code == Code::AddressRefused));
        }
    }
}
