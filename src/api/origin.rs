//! Other sites' pages may not act in a visitor's name.

use poem::{
    Request,
    http::{Method, header},
};

use crate::error::{Code, Error, Result};

/// Refuses a request that changes something and whose page comes from elsewhere.
///
/// Browsers send `Origin` with every such request; programs send none and are let through.
pub(super) fn check(request: &Request) -> Result<()> {
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let mut origins = request.headers().get_all(header::ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(()) };
    let host = request.header(header::HOST).or_else(|| request.uri().authority().map(|authority| authority.as_str()));
    let same = origin.to_str().ok().zip(host).is_some_and(|(origin, host)| is_same(origin, host));
    if same && origins.next().is_none() {
        return Ok(());
    }
    Err(Error::new(Code::CrossOrigin, "The request comes from another site's page"))
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
    }
}
