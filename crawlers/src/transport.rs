//! The only way to the network; the daemon implements it with its guarded client.

use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

/// How much of a media body is read with [`Request::stop_if_media`]: enough for magic bytes.
pub const MEDIA_HEAD_BYTES: usize = 4 * 1024;

/// The request methods that resolving needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Ask for the body.
    Get,
    /// Ask for the headers only.
    Head,
    /// Send a body and ask for one.
    Post,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Request {
    /// Get, head or post.
    pub method: Method,
    /// An `http` or `https` URL without user information. Otherwise untrusted: it may point anywhere.
    pub url: Url,
    /// Headers to send in addition to the transport's own; a name in this list wins.
    pub headers: Vec<(String, String)>,
    /// What to post.
    pub body: Bytes,
    /// Whether redirects are followed; otherwise a redirect is an answer like others.
    pub follow: bool,
    /// Stop reading the (decoded) body after this many bytes and set [`Response::truncated`]; not an error.
    pub max_bytes: usize,
    /// When the answer's `Content-Type` is media ([`is_media_type`]), read at most [`MEDIA_HEAD_BYTES`] of its body, so
    /// that looking at a link never pulls a whole film. [`Request::body_limit`] puts both limits together.
    pub stop_if_media: bool,
}

impl Request {
    /// A plain `GET`.
    pub fn get(url: Url, max_bytes: usize) -> Self {
        Self {
            method: Method::Get,
            url,
            headers: Vec::new(),
            body: Bytes::new(),
            follow: true,
            max_bytes,
            stop_if_media: false,
        }
    }

    /// A `POST` of `body`; name its type with a header.
    pub fn post(url: Url, body: impl Into<Bytes>, max_bytes: usize) -> Self {
        Self { method: Method::Post, body: body.into(), ..Self::get(url, max_bytes) }
    }

    /// The same request, but a redirect is an answer like others.
    pub fn no_redirects(mut self) -> Self {
        self.follow = false;
        self
    }

    /// The same request with one more header.
    pub fn header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// The same request, reading only the head of a body that is media.
    pub fn stop_if_media(mut self) -> Self {
        self.stop_if_media = true;
        self
    }

    /// How many bytes of the body to read, given the answer's `Content-Type`.
    pub fn body_limit(&self, content_type: Option<&str>) -> usize {
        if self.stop_if_media && content_type.is_some_and(is_media_type) {
            self.max_bytes.min(MEDIA_HEAD_BYTES)
        } else {
            self.max_bytes
        }
    }
}

/// One answer, after redirects.
#[derive(Debug, Clone)]
pub struct Response {
    /// Where the answer came from in the end.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The headers in order; values that are not UTF-8 are decoded as Latin-1.
    pub headers: Vec<(String, String)>,
    /// The body, content encodings undone, up to the limit.
    pub body: Bytes,
    /// Whether there was more of the body than was read.
    pub truncated: bool,
}

impl Response {
    /// The first header of that name, whatever its case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// How long the server asks us to wait: `Retry-After` in seconds or as a date.
    pub fn retry_after(&self) -> Option<Duration> {
        let value = self.header("retry-after")?.trim();
        if let Ok(seconds) = value.parse() {
            return Some(Duration::from_secs(seconds));
        }
        let until = chrono::DateTime::parse_from_rfc2822(value).ok()?;
        (until.to_utc() - chrono::Utc::now()).to_std().ok()
    }

    /// The value of a cookie that the answer sets, as it stands there.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let cookies = self.headers.iter().filter(|(key, _)| key.eq_ignore_ascii_case("set-cookie"));
        let pairs = cookies.filter_map(|(_, value)| value.split(';').next()?.split_once('='));
        pairs.map(|(key, value)| (key.trim(), value.trim())).find(|(key, _)| *key == name).map(|(_, value)| value)
    }
}

/// A request that got no answer: the implementer's own error, passed through unchanged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TransportError {
    /// The implementer's code.
    pub code: String,
    /// A sentence for people.
    pub message: String,
    /// Whether another try may succeed.
    pub retryable: bool,
    /// How long to wait before it.
    pub retry_after: Option<Duration>,
}

/// Fetches for the crawlers.
///
/// Whoever implements it guarantees: only `http` and `https`; the address rules hold for the first URL and for every
/// redirect; unless the request says no, redirects are followed up to a limit and [`Response::url`] is the last one; limits on time and size hold on
/// bytes received; an HTTP error status is an answer, not an error. Crawlers trust none of the URLs that they pass in.
#[async_trait]
pub trait Transport: Send + Sync {
    /// Sends one request and reads its answer.
    async fn fetch(&self, request: Request) -> Result<Response, TransportError>;
}

/// Whether a `Content-Type` announces media (or bytes of any kind) rather than text about media. Playlists are text,
/// although their types begin with `audio/`.
pub fn is_media_type(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if essence.contains("mpegurl") || essence.contains("scpls") {
        return false;
    }
    essence.starts_with("audio/")
        || essence.starts_with("video/")
        || matches!(
            essence.as_str(),
            "application/ogg" | "application/mp4" | "application/octet-stream" | "binary/octet-stream"
        )
}
