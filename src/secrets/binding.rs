//! Who may see a secret: `api.example.com`, `*.example.com`, `exec:<name>`. Never everybody.

use url::Host;

use crate::error::{Code, Error, Result};

/// The most of them for one secret.
const MOST: usize = 32;

/// Checks what a secret is to be bound to and writes it in the one way in which it is compared.
pub(super) fn read(hosts: &[String]) -> Result<Vec<String>> {
    if hosts.is_empty() || hosts.len() > MOST {
        return Err(wrong(format!("A secret is bound to 1 to {MOST} hosts")));
    }
    let mut read = hosts.iter().map(|host| one(host.trim())).collect::<Result<Vec<_>>>()?;
    read.sort();
    read.dedup();
    Ok(read)
}

/// Whether who is bound by `bound` is, or includes, `host`.
pub(super) fn covers(bound: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.').to_ascii_lowercase();
    match bound.strip_prefix('*') {
        // With its dot, so that `*.a.example` is not `evila.example`.
        Some(domain) => host.len() > domain.len() && host.ends_with(domain),
        None => host == bound,
    }
}

fn one(text: &str) -> Result<String> {
    if let Some(name) = text.strip_prefix("exec:") {
        let is_name = name.len() <= 63
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
        return if is_name { Ok(text.to_owned()) } else { Err(unknown(text)) };
    }
    let (star, name) = match text.strip_prefix("*.") {
        Some(name) => ("*.", name),
        None => ("", text),
    };
    let host = Host::parse(name.trim_end_matches('.')).map_err(|_| unknown(text))?;
    match &host {
        // All of `com`, `co.uk` or `github.io` is no one's.
        Host::Domain(domain) if !star.is_empty() && psl::domain_str(domain).is_none() => Err(unknown(text)),
        Host::Domain(domain) if domain.is_empty() || domain.contains('*') => Err(unknown(text)),
        Host::Ipv4(_) | Host::Ipv6(_) if !star.is_empty() => Err(unknown(text)),
        host => Ok(format!("{star}{host}")),
    }
}

fn unknown(text: &str) -> Error {
    wrong(format!("A secret cannot be bound to \"{}\"", text.escape_debug()))
}

fn wrong(detail: String) -> Error {
    Error::new(Code::InvalidValue, detail)
        .with_hint("Name hosts such as api.example.com or *.example.com, or programs such as exec:sentiment.")
        .with_field("hosts")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_meant_who_is_not_named() {
        for (bound, host, expected) in [
            ("api.example.com", "api.example.com", true),
            ("api.example.com", "API.example.com.", true),
            ("api.example.com", "example.com", false),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "evilexample.com", false),
            ("*.example.com", ".example.com", false),
            ("*.example.com", "example.com.evil.example", false),
            ("exec:a", "exec:a", true),
            ("exec:a", "exec:ab", false),
            ("127.0.0.1", "127.0.0.1", true),
            ("[::1]", "[::1]", true),
        ] {
            assert_eq!(covers(bound, host), expected, "{bound} {host}");
        }
    }

    #[test]
    fn hosts_are_written_in_one_way() {
        let given = ["*.Example.com", "exec:x-1", "api.Example.COM.", "0x7f.1", "api.example.com"].map(str::to_owned);
        assert_eq!(read(&given).unwrap(), ["*.example.com", "127.0.0.1", "api.example.com", "exec:x-1"]);
        for bad in
            ["", "*", "*.com", "*.co.uk", "*.10.0.0.1", "a.example:443", "https://a.example", "exec:", "exec:X", "a*"]
        {
            assert_eq!(read(&[bad.to_owned()]).unwrap_err().code, Code::InvalidValue, "{bad}");
        }
        assert!(read(&[]).is_err());
    }
}
