//! The operator's exceptions: `net.allow_hosts`.

use std::net::IpAddr;

use ipnet::IpNet;
use url::Host;

use crate::error::{Code, Error, Result};

/// The parsed `net.allow_hosts`.
///
/// A host entry exempts links which name exactly that host (a name, or an address), with a port only on that port.
/// A CIDR entry exempts addresses: links to them on any port, and names that resolve to them (on the usual ports, as a
/// name's port is judged before anything is looked up). The daemon's own address is like any other: a link to it is asked
/// without a token, and whoever could send such a link to an open daemon may ask it anyway.
#[derive(Debug, Default)]
pub(super) struct AllowList {
    hosts: Vec<(Host<String>, Option<u16>)>,
    nets: Vec<IpNet>,
}

impl AllowList {
    /// Reads the entries; one that is none of the three kinds stops the start.
    pub(super) fn parse(entries: &[String]) -> Result<Self> {
        let mut list = Self::default();
        for entry in entries {
            let wrong = || {
                let text = format!("`net.allow_hosts` holds \"{}\"", entry.escape_debug());
                Error::new(Code::Config, text).with_hint("Write a host, a host:port, or a network such as 10.0.0.0/8.")
            };
            let entry = entry.trim();
            if let Ok(net) = entry.parse::<IpNet>() {
                list.nets.push(net);
            } else if let Ok(address) = entry.parse::<IpAddr>() {
                list.hosts.push((literal(address), None));
            } else {
                let (host, port) = match entry.rsplit_once(':') {
                    Some((host, port)) if !entry.ends_with(']') => {
                        (host, Some(port.parse().ok().filter(|port| *port != 0).ok_or_else(wrong)?))
                    }
                    _ => (entry, None),
                };
                list.hosts.push((normalise(&Host::parse(host).map_err(|_| wrong())?), port));
            }
        }
        Ok(list)
    }

    /// Whether links to this host and port are exempt.
    pub(super) fn covers(&self, host: &Host<&str>, port: u16) -> bool {
        let host = normalise(&host.to_owned());
        let named = self.hosts.iter().any(|(name, only)| *name == host && only.is_none_or(|only| only == port));
        named
            || match host {
                Host::Ipv4(address) => self.covers_address(address.into()),
                Host::Ipv6(address) => self.covers_address(address.into()),
                Host::Domain(_) => false,
            }
    }

    /// Whether an address is in an exempt network.
    pub(super) fn covers_address(&self, address: IpAddr) -> bool {
        self.nets.iter().any(|net| net.contains(&address) || net.contains(&address.to_canonical()))
    }

    /// Whether there is any exception.
    pub(super) fn any(&self) -> bool {
        !self.hosts.is_empty() || !self.nets.is_empty()
    }
}

fn literal(address: IpAddr) -> Host<String> {
    match address.to_canonical() {
        IpAddr::V4(address) => Host::Ipv4(address),
        IpAddr::V6(address) => Host::Ipv6(address),
    }
}

/// One spelling for a host: no final dot, IPv4 inside IPv6 as IPv4.
pub(super) fn normalise(host: &Host<String>) -> Host<String> {
    match host {
        Host::Domain(name) => Host::Domain(name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()),
        Host::Ipv4(address) => literal((*address).into()),
        Host::Ipv6(address) => literal((*address).into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(entries: &[&str]) -> AllowList {
        AllowList::parse(&entries.iter().map(ToString::to_string).collect::<Vec<_>>()).unwrap()
    }

    fn covers(list: &AllowList, host: &str, port: u16) -> bool {
        match Host::parse(host).unwrap() {
            Host::Domain(name) => list.covers(&Host::Domain(name.as_str()), port),
            Host::Ipv4(address) => list.covers(&Host::Ipv4(address), port),
            Host::Ipv6(address) => list.covers(&Host::Ipv6(address), port),
        }
    }

    #[test]
    fn entries_exempt_what_they_say() {
        let list = list(&["NAS.local", "ollama:11434", "127.0.0.1", "[::1]:9000", "fd00::5", "10.0.0.0/8"]);
        for (host, port, expected) in [
            ("nas.local", 1, true),
            ("nas.local.", 445, true),
            ("x.nas.local", 80, false),
            ("ollama", 11434, true),
            ("ollama", 80, false),
            ("127.0.0.1", 5, true),
            ("[::ffff:127.0.0.1]", 5, true),
            ("127.0.0.2", 80, false),
            ("[::1]", 9000, true),
            ("[::1]", 80, false),
            ("[fd00::5]", 80, true),
            ("10.1.2.3", 6379, true),
            ("11.1.2.3", 80, false),
        ] {
            assert_eq!(covers(&list, host, port), expected, "{host}:{port}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for entry in ["", "a b", "host:0", "host:99999", "host:", "10.0.0.0/99", "http://host/"] {
            let error = AllowList::parse(&[entry.to_owned()]).unwrap_err();
            assert_eq!(error.code, Code::Config, "{entry}");
        }
    }
}
