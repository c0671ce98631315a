//! An HTTP proxy between the daemon and one kind of server.

use reqwest::Proxy;
use url::Url;

use crate::error::{Code, Error, Result};

/// Reads the address of a proxy: `http://host:port`, or with https, a user name and a password. `key` is the name of the
/// setting; the address itself is not shown, because it may hold a password.
pub(super) fn parse(address: &str, key: &str) -> Result<(Url, Proxy)> {
    let wrong = || {
        Error::new(Code::Config, format!("`{key}` is no address of an HTTP proxy"))
            .with_hint("Write http://host:port, or http://user:password@host:port; leave it empty for no proxy.")
    };
    let url = Url::parse(address).map_err(|_| wrong())?;
    let is_plain = matches!(url.path(), "" | "/") && url.query().is_none() && url.fragment().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !is_plain {
        return Err(wrong());
    }
    let proxy = Proxy::all(url.clone()).map_err(|_| wrong())?;
    Ok((url, proxy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_checked_and_not_shown() {
        for good in ["http://127.0.0.1:3128", "https://proxy.example", "http://me:geheim@proxy.example:8080/"] {
            assert!(parse(good, "models.proxy").is_ok(), "{good}");
        }
        for bad in ["proxy:3128", "geheim", "socks5://geheim:1080", "http://proxy/geheim", "http://:geheim@", ""] {
            let error = parse(bad, "models.proxy").unwrap_err();
            assert_eq!(error.code, Code::Config, "{bad}");
            assert!(error.detail.contains("models.proxy") && !error.chain().contains("geheim"), "{}", error.chain());
        }
    }
}
