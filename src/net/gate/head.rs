//! What a client asks of the gate. Pure.

use url::Url;

/// Headers at most.
const MAX_HEADERS: usize = 100;
/// Headers between the client and the gate.
const BETWEEN: [&str; 8] = [
    "connection",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "upgrade",
];

/// A request that may be looked into.
#[derive(Debug, PartialEq)]
pub(super) enum Asked {
    /// Bytes to and fro. The URL is made of host and port.
    Tunnel(Url),
    /// One request.
    Plain {
        url: Url,
        /// What to tell the server.
        head: Vec<u8>,
        /// Bytes that follow.
        body: u64,
    },
}

impl Asked {
    pub(super) fn url(&self) -> &Url {
        match self {
            Self::Tunnel(url) | Self::Plain { url, .. } => url,
        }
    }
}

/// Reads the head of a request; the error is a status.
pub(super) fn read(head: &[u8], password: &str) -> Result<Asked, u16> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    if !request.parse(head).is_ok_and(|status| status.is_complete()) {
        return Err(400);
    }
    let (Some(method), Some(target)) = (request.method, request.path) else { return Err(400) };
    let all = |name: &'static str| request.headers.iter().filter(move |one| one.name.eq_ignore_ascii_case(name));
    if !all("proxy-authorization").any(|one| one.value == password.as_bytes()) {
        return Err(407);
    }
    if method == "CONNECT" {
        let url = Url::parse(&format!("https://{target}/")).map_err(|_| 400_u16)?;
        let named = url.path() == "/" && url.query().is_none() && target.rsplit_once(':').is_some();
        return if named { Ok(Asked::Tunnel(url)) } else { Err(400) };
    }
    let url = Url::parse(target).map_err(|_| 400_u16)?;
    if url.scheme() != "http" || !matches!(method, "GET" | "HEAD" | "POST") {
        return Err(403);
    }
    // A body without its length would run on into a request that nobody looked at.
    if all("transfer-encoding").next().is_some() {
        return Err(411);
    }
    let mut lengths = all("content-length").map(|one| std::str::from_utf8(one.value).ok()?.parse::<u64>().ok());
    let body = match (lengths.next(), lengths.next()) {
        (None, _) => 0,
        (Some(Some(length)), None) => length,
        _ => return Err(400),
    };
    let host = url.host_str().ok_or(400_u16)?;
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut told =
        format!("{method} {}{query} HTTP/1.1\r\nHost: {host}{port}\r\nConnection: close\r\n", url.path()).into_bytes();
    for header in request.headers.iter().filter(|one| !BETWEEN.contains(&one.name.to_ascii_lowercase().as_str())) {
        told.extend([header.name.as_bytes(), b": ", header.value, b"\r\n"].concat());
    }
    told.extend(b"\r\n");
    Ok(Asked::Plain { url, head: told, body })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(lines: &str) -> Result<Asked, u16> {
        read(format!("{lines}\r\nProxy-Authorization: Basic x\r\n\r\n").as_bytes(), "Basic x")
    }

    #[test]
    fn requests_are_told_on_without_what_is_for_the_gate() {
        let found = asked(
            "POST http://a.example:81/p?q=1 HTTP/1.1\r\nHost: other\r\nConnection: keep-alive\r\nCookie: c\r\nContent-Length: 3",
        );
        let Ok(Asked::Plain { url, head, body }) = found else { panic!("{found:?}") };
        assert_eq!((url.as_str(), body), ("http://a.example:81/p?q=1", 3));
        assert_eq!(
            String::from_utf8(head).unwrap(),
            "POST /p?q=1 HTTP/1.1\r\nHost: a.example:81\r\nConnection: close\r\nCookie: c\r\nContent-Length: 3\r\n\r\n"
        );
        assert_eq!(asked("CONNECT a.example:443 HTTP/1.1").unwrap().url().as_str(), "https://a.example/");
        assert_eq!(asked("CONNECT [::1]:8443 HTTP/1.1").unwrap().url().as_str(), "https://[::1]:8443/");
    }

    #[test]
    fn everything_else_is_refused() {
        for (lines, status) in [
            ("GET / HTTP/1.1", 400),
            ("GET https://a.example/ HTTP/1.1", 403),
            ("GET ftp://a.example/ HTTP/1.1", 403),
            ("DELETE http://a.example/ HTTP/1.1", 403),
            ("CONNECT a.example HTTP/1.1", 400),
            ("CONNECT a.example:443/x HTTP/1.1", 400),
            ("POST http://a.example/ HTTP/1.1\r\nTransfer-Encoding: chunked", 411),
            ("POST http://a.example/ HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2", 400),
            ("POST http://a.example/ HTTP/1.1\r\nContent-Length: -1", 400),
            ("nonsense", 400),
        ] {
            assert_eq!(asked(lines), Err(status), "{lines}");
        }
        let stranger = "CONNECT a.example:443 HTTP/1.1\r\nProxy-Authorization: Basic y\r\n\r\n";
        assert_eq!(read(stranger.as_bytes(), "Basic x"), Err(407));
        assert_eq!(read(b"GET http://a.example/ HTTP/1.1\r\n\r\n", "Basic x"), Err(407));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(head in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&head, "Basic x");
        }

        #[test]
        fn nothing_slips_into_the_head(path in "[ -~]{0,30}", value in "[ -~]{0,20}") {
            if let Ok(Asked::Plain { head, .. }) = asked(&format!("GET http://a.example/{path} HTTP/1.1\r\nX: {value}")) {
                prop_assert!(String::from_utf8(head).unwrap().lines().count() == 5);
            }
        }
    }
}
