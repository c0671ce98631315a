//! Other sites' pages may not act in a visitor's name, nor reach an open daemon through a name of their own.

use poem::{
    Request,
    http::{Method, header},
};

use super::cors::Welcome;
use crate::error::{Code, Error, Result};

/// Refuses a request that changes something and whose page comes from elsewhere.
///
/// Browsers send `Origin` with every such request; programs send none and are let through, as are the pages of
/// `server.cors_origins`.
pub(super) fn check(request: &Request) -> Result<()> {
    // RFC 9112 §3.2: a proxy may have judged by the other one.
    if request.headers().get_all(header::HOST).iter().count() > 1 {
        return Err(Error::new(Code::InvalidRequest, "The request has more than one Host header"));
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    if request.data::<Welcome>().is_some() {
        return Ok(());
    }
    let host = request.header(header::HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let same = origin.to_str().ok().zip(host).is_some_and(|(origin, host)| is_same(origin, host));
    if same && origins.next().is_none() {
        return Ok(());
    }
    Err(Error::new(Code::CrossOrigin, "The request comes from another site's page").with_hint(
        "Call the API from its own address, or from outside a browser. Behind a proxy: have it pass the Host header on, or \
         name the page's origin in `server.cors_origins`.",
    ))
}

/// What proxies add to a request, and programs on this machine do not.
const OF_PROXIES: [&str; 5] = ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip", "via"];

/// Refuses a request to an open daemon on loopback that was sent to any other name than that of this machine, or that
/// came through a proxy.
///
/// A page whose name first leads to its own server and then to 127.0.0.1 (DNS rebinding) would otherwise be let in as
/// if it came from here, and so would everyone whom a proxy on this machine serves.
pub(super) fn check_host(request: &Request) -> Result<()> {
    let host = request.header(header::HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    if OF_PROXIES.iter().any(|name| request.headers().contains_key(*name)) {
        let detail = "The daemon is open to this machine only, and was called through a proxy";
        return Err(Error::new(Code::CrossOrigin, detail)
            .with_hint("Set `auth.mode` to \"on\", or to \"off\" if the proxy checks who calls."));
    }
    match host {
        // Every browser sends one.
        None => Ok(()),
        Some(host) if is_this_machine(host) => Ok(()),
        Some(_) => Err(Error::new(
            Code::CrossOrigin,
            "The daemon is open to this machine only, and was called by another name",
        )
        .with_hint(
            "Use 127.0.0.1 or localhost; for other names set `auth.mode` to \"on\", or to \"off\" behind a proxy that checks \
             who calls.",
        )),
    }
}

fn is_this_machine(host: &str) -> bool {
    // The name is all that a Host header holds; anything that would make it another part of a URL is none.
    if host.contains(['@', '/', '?', '#', '\\']) {
        return false;
    }
    let Ok(url) = url::Url::parse(&format!("http://{host}/")) else { return false };
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// Whether an `Origin` is that of the host which the request was sent to.
fn is_same(origin: &str, host: &str) -> bool {
    let Some((scheme, authority)) = origin.split_once("://") else { return false };
    let port = match scheme {
        "http" => ":80",
        "https" => ":443",
        _ => return false,
    };
    let plain = |name: &str| name.strip_suffix(port).unwrap_or(name).to_ascii_lowercase();
    !authority.is_empty() && plain(authority) == plain(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_own_origin_is_the_same() {
        for (origin, host, same) in [
            ("http://127.0.0.1:8000", "127.0.0.1:8000", true),
            ("https://trawl.example", "trawl.example", true),
            ("https://trawl.example", "trawl.example:443", true),
            ("http://TRAWL.example:80", "trawl.example", true),
            ("http://[::1]:8000", "[::1]:8000", true),
            ("http://trawl.example", "trawl.example:8000", false),
            ("http://evil.example", "trawl.example", false),
            ("http://trawl.example.evil", "trawl.example", false),
            ("null", "trawl.example", false),
            ("file://", "", false),
            ("http://", "", false),
            ("", "", false),
        ] {
            assert_eq!(is_same(origin, host), same, "{origin} {host}");
        }
    }

    #[test]
    fn an_open_daemon_answers_to_this_machine_alone() {
        for (host, ours) in [
            ("127.0.0.1:8000", true),
            ("localhost:8000", true),
            ("[::1]:8000", true),
            ("127.9.9.9", true),
            ("evil.example:8000", false),
            ("127.0.0.1.evil.example", false),
            ("localhost.evil.example", false),
            ("10.0.0.1", false),
            ("x@127.0.0.1/..", false),
            ("", false),
        ] {
            assert_eq!(is_this_machine(host), ours, "{host}");
        }
    }

    #[test]
    fn reading_is_free_and_two_origins_are_none() {
        let request = |method: Method, origins: &[&str]| {
            let start = Request::builder().method(method).header("host", "a.example");
            origins.iter().fold(start, |request, origin| request.header("origin", *origin)).finish()
        };
        assert!(check(&request(Method::GET, &["http://b.example"])).is_ok());
        assert!(check(&request(Method::POST, &[])).is_ok());
        assert!(check(&request(Method::POST, &["http://a.example"])).is_ok());
        assert_eq!(check(&request(Method::DELETE, &["http://b.example"])).unwrap_err().code, Code::CrossOrigin);
        assert!(check(&request(Method::POST, &["http://a.example", "http://a.example"])).is_err());
        let two = Request::builder().header("host", "a.example").header("host", "a.example").finish();
        assert_eq!(check(&two).unwrap_err().code, Code::InvalidRequest);
    }
}
