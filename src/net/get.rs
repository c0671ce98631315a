//! Pages and what APIs answer: small bodies, unpacked and held in memory.

use std::{
    io::{self, Write},
    time::Duration,
};

use bytes::Bytes;
use flate2::write::MultiGzDecoder;
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderName, HeaderValue},
};
use url::Url;

use super::{
    Net,
    failure::{broken, from_status},
    headers::{content_type, retry_after, text},
    hops::{Answer, Call},
    sniff,
    transfer::Transfer,
};
use crate::error::{Code, Error, Result};

/// How much of a media file is read when only its kind is wanted.
const MEDIA_HEAD: usize = 4 * 1024;

/// A request for a page.
#[derive(Clone, Debug, Default)]
pub struct Get {
    /// The link.
    pub url: String,
    /// Headers to send. All but Accept, User-Agent and Referer are dropped when a redirect leaves the site.
    pub headers: Vec<(String, String)>,
    /// Bytes of the body at most, after decompression; never more than `net.max_page_bytes`.
    pub max_bytes: u64,
    /// Whether only the head is wanted: the method is HEAD.
    pub head_only: bool,
    /// What to send; with it the method is POST.
    pub body: Option<Bytes>,
    /// Whether a redirect is an answer like others instead of being followed.
    pub no_redirects: bool,
    /// Whether to stop after 4 KiB when the answer turns out to be a media file.
    pub stop_if_media: bool,
}

/// How much of an answer is wanted; see [`Get`].
pub(super) struct Wanted {
    pub(super) max_bytes: u64,
    pub(super) head_only: bool,
    pub(super) stop_if_media: bool,
}

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The link after redirects.
    pub url: Url,
    /// The HTTP status.
    pub status: u16,
    /// The headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, unpacked, as far as the limit lets it be read.
    pub body: Bytes,
    /// Whether there was more than that.
    pub truncated: bool,
}

impl Reply {
    /// The first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }

    /// How long the server asks us to wait, at most a day.
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after(&self.header_map())
    }

    /// An error unless the status is 2xx.
    pub fn check_status(&self) -> Result<()> {
        match StatusCode::from_u16(self.status) {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => Err(from_status(status, &self.header_map(), self.url.host_str().unwrap_or_default())),
            Err(_) => Err(broken(self.url.host_str().unwrap_or_default())),
        }
    }

    fn header_map(&self) -> HeaderMap {
        let pairs = self.headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
        });
        pairs.collect()
    }
}

impl Net {
    /// Gets a page. Any status is a [`Reply`]; an error means that there was no answer, or none that may be had.
    pub async fn get(&self, request: Get) -> Result<Reply> {
        let inner = &self.inner;
        let own = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        let call = Call {
            method: match request.body {
                Some(_) => Method::POST,
                None if request.head_only => Method::HEAD,
                None => Method::GET,
            },
            url: &request.url,
            headers: &request.headers,
            own,
            body: request.body.clone(),
            redirects: Some(inner.config.max_redirects).filter(|_| !request.no_redirects),
            total: inner.config.total_timeout.0,
            patience: None,
        };
        let answer = self.open(call, &inner.transfers).await?;
        let Get { max_bytes, head_only, stop_if_media, .. } = request;
        self.take(answer, Wanted { max_bytes, head_only, stop_if_media }).await
    }

    /// Reads an answer as far as it is wanted.
    pub(super) async fn take(&self, answer: Answer, wanted: Wanted) -> Result<Reply> {
        let inner = &self.inner;
        let (url, host, status) = (answer.url.clone(), answer.host.clone(), answer.response.status().as_u16());
        let head = answer.response.headers().clone();
        let lossy = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let headers = head.iter().map(|(name, value)| (name.as_str().to_owned(), lossy(value))).collect();
        let (body, truncated) = if wanted.head_only {
            (Bytes::new(), false)
        } else {
            let limit = wanted.max_bytes.min(inner.config.max_page_bytes);
            let sink = Limited::new(usize::try_from(limit).unwrap_or(usize::MAX));
            let kind = wanted.stop_if_media.then(|| content_type(&head).unwrap_or_default());
            read(Transfer::new(answer, &inner.config), Body::new(&head, sink, &host)?, kind, &host).await?
        };
        Ok(Reply { url, status, headers, body, truncated })
    }
}

async fn read(mut transfer: Transfer, mut body: Body, kind: Option<String>, host: &str) -> Result<(Bytes, bool)> {
    while let Some(chunk) = transfer.next().await? {
        body.push(&chunk, host)?;
        let sink = body.sink();
        let seen = sink.bytes.len();
        if let Some(kind) = &kind
            && seen >= sniff::HEAD
            && looks_like_media(Some(kind), &sink.bytes)
        {
            sink.limit = sink.limit.min(MEDIA_HEAD);
            sink.full |= seen > sink.limit;
        }
        if sink.full {
            break;
        }
    }
    let mut sink = body.finish(host)?;
    sink.bytes.truncate(sink.limit);
    Ok((sink.bytes.into(), sink.full))
}

fn looks_like_media(kind: Option<&str>, head: &[u8]) -> bool {
    if sniff::is_playlist(head) || sniff::is_page(head) {
        return false;
    }
    sniff::is_media(head) || kind.is_some_and(sniff::is_media_type)
}

/// A body as it arrives, unpacked where it is packed.
enum Body {
    Plain(Limited),
    Gzip(MultiGzDecoder<Limited>),
}

impl Body {
    fn new(headers: &HeaderMap, sink: Limited, host: &str) -> Result<Self> {
        match text(headers, CONTENT_ENCODING).unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "" | "identity" => Ok(Self::Plain(sink)),
            "gzip" | "x-gzip" => Ok(Self::Gzip(MultiGzDecoder::new(sink))),
            _ => Err(Error::new(Code::SourceError, format!("{host} packs its answer in a way that was not asked for"))),
        }
    }

    fn push(&mut self, chunk: &[u8], host: &str) -> Result<()> {
        let pushed = match self {
            Self::Plain(sink) => sink.write_all(chunk),
            Self::Gzip(decoder) => decoder.write_all(chunk),
        };
        match pushed {
            Err(error) if !self.sink().full => Err(broken(host).with_source(error)),
            _ => Ok(()),
        }
    }

    fn sink(&mut self) -> &mut Limited {
        match self {
            Self::Plain(sink) => sink,
            Self::Gzip(decoder) => decoder.get_mut(),
        }
    }

    fn finish(self, host: &str) -> Result<Limited> {
        match self {
            Self::Plain(sink) => Ok(sink),
            Self::Gzip(mut decoder) => {
                let finished = decoder.try_finish();
                let sink = std::mem::replace(decoder.get_mut(), Limited::new(0));
                match finished {
                    Err(error) if !sink.full && !sink.bytes.is_empty() => Err(broken(host).with_source(error)),
                    _ => Ok(sink),
                }
            }
        }
    }
}

/// Bytes up to a limit; one more is an error, so that a decoder stops at once.
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    full: bool,
}

impl Limited {
    fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), limit, full: false }
    }
}

impl Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = self.limit.saturating_sub(self.bytes.len()).min(bytes.len());
        self.bytes.extend_from_slice(&bytes[..room]);
        if room == 0 && !bytes.is_empty() {
            self.full = true;
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
