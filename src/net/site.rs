//! Which headers may go where.
//!
//! Headers are meant for the link that they came with. Its own site may have all of them; any other gets what tells it
//! nothing: what we accept, who we say we are, and where we say we come from.

use reqwest::header::{ACCEPT, HeaderName, REFERER, USER_AGENT};
use url::{Host, Url};

/// Headers that every site may see.
const PUBLIC: [HeaderName; 3] = [ACCEPT, USER_AGENT, REFERER];

/// Whether any site may see a header.
pub(super) fn is_public(name: &HeaderName) -> bool {
    PUBLIC.contains(name)
}

/// The headers for `url` of those that were meant for `meant`: all of them when both are of the same site (one
/// owner's, by the Public Suffix List) and the way there is no less secret, else only those that any site may see.
pub fn headers_for(headers: &[(String, String)], meant: &Url, url: &Url) -> Vec<(String, String)> {
    let may_see = is_same_site(meant, url) && (meant.scheme() == url.scheme() || url.scheme() == "https");
    let is_fit = |name: &str| may_see || HeaderName::try_from(name).is_ok_and(|name| is_public(&name));
    headers.iter().filter(|(name, _)| is_fit(name)).cloned().collect()
}

/// Whether two links belong to one site: the same host, or names that the same owner has registered, by the Public
/// Suffix List (`v16.tiktok.com` and `www.tiktok.com`, but not `a.github.io` and `b.github.io`). Ports make no difference
/// among names, as with cookies; an address is its own site on each port.
fn is_same_site(one: &Url, other: &Url) -> bool {
    match (one.host(), other.host()) {
        (Some(Host::Domain(one)), Some(Host::Domain(other))) => {
            one == other || owner(one).is_some_and(|domain| owner(other) == Some(domain))
        }
        (one_host, other_host) => {
            one_host == other_host && one.port_or_known_default() == other.port_or_known_default()
        }
    }
}

/// The registrable domain of a name; none for a name that is itself a public suffix.
fn owner(name: &str) -> Option<&str> {
    psl::domain_str(name.strip_suffix('.').unwrap_or(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sites_are_what_one_owner_has() {
        for (one, other, expected) in [
            ("https://v16-webapp.tiktok.com/a", "https://www.tiktok.com/", true),
            ("https://v16.tiktokcdn.com/a", "https://www.tiktok.com/", false),
            ("https://tiktok.com.evil.example/", "https://www.tiktok.com/", false),
            ("https://a.github.io/", "https://b.github.io/", false),
            ("https://a.co.uk/", "https://b.co.uk/", false),
            ("https://x.a.co.uk/", "https://a.co.uk:8443/", true),
            ("https://co.uk/", "https://co.uk/", true),
            ("http://10.0.0.1/", "http://10.0.0.1/x", true),
            ("http://10.0.0.1/", "http://10.0.0.1:81/", false),
            ("http://10.0.0.1/", "http://10.0.0.2/", false),
        ] {
            let [a, b] = [one, other].map(|url| Url::parse(url).unwrap());
            assert_eq!((is_same_site(&a, &b), is_same_site(&b, &a)), (expected, expected), "{one} {other}");
        }
    }

    #[test]
    fn secrets_stay_on_their_site_and_out_of_plain_sight() {
        let headers = [("Cookie", "a"), ("referer", "r"), ("User-Agent", "u"), ("X-Key", "k"), ("bad name", "x")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let names = |meant: &str, url: &str| -> Vec<String> {
            let [meant, url] = [meant, url].map(|url| Url::parse(url).unwrap());
            headers_for(&headers, &meant, &url).into_iter().map(|(name, _)| name).collect()
        };
        let public = ["referer", "User-Agent"];
        assert_eq!(names("https://v1.tiktok.com/", "https://v2.tiktok.com/").len(), headers.len());
        assert_eq!(names("http://v1.tiktok.com/", "https://v2.tiktok.com/").len(), headers.len());
        assert_eq!(names("https://v1.tiktok.com/", "http://v1.tiktok.com/"), public);
        assert_eq!(names("https://v1.tiktok.com/", "https://v1.tiktokcdn.com/"), public);
    }
}
