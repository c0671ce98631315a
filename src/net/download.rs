//! Media: streamed to the disk, resumed where they broke off.

use std::{future::Future, path::PathBuf, time::Duration};

use reqwest::{
    Method, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue, IF_RANGE, RANGE},
};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{
    Net,
    failure::{broken, from_status, pause, too_large, too_small},
    headers::{ContentRange, content_range, content_type, text},
    hops::{Answer, Call},
    part::{Meta, Part},
    sniff,
    transfer::Transfer,
};
use crate::{
    error::{Code, Error, Result},
    metrics,
};

/// How often one call goes on with a transfer that broke off.
const RESUMES: u32 = 3;

/// A request for a file.
#[derive(Clone, Debug)]
pub struct Download {
    /// The link.
    pub url: String,
    /// Headers to send. All but Accept, User-Agent and Referer are dropped when a redirect leaves the site.
    pub headers: Vec<(String, String)>,
    /// The part file: continued when it exists, created otherwise. Its folder must exist.
    pub path: PathBuf,
    /// Only these bytes: the first and the last one, both included, as in the HTTP header.
    pub range: Option<(u64, u64)>,
    /// The smallest size accepted: less is some other answer, such as that of a gateway which wants a login.
    pub min_bytes: u64,
    /// The largest size accepted, counted on what arrives.
    pub max_bytes: u64,
    /// Whether the part stays when the disk is full or the server sends something else: it is large, and needed anyway.
    pub keep: bool,
}

/// A file that is completely here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Its size in bytes.
    pub size: u64,
}

/// How far a download is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// Bytes here, those of earlier calls included.
    pub received: u64,
    /// Bytes in all, when the server says.
    pub total: Option<u64>,
}

/// Why one attempt ended.
enum Failure {
    /// Going on from here can help at once.
    Broken(Error),
    /// It cannot.
    Final(Error),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Final(error)
    }
}

impl Net {
    /// Downloads a file to `request.path` and makes it durable there.
    ///
    /// After an error the part file stays, for the next call to continue, unless it is of no use; `request.keep` says
    /// what happens when the disk is full.
    /// `progress` is called for every piece. Cancelling ends it with `cancelled` at the next moment and keeps the part.
    pub async fn download(
        &self,
        request: Download,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Downloaded> {
        if request.range.is_some_and(|(first, last)| first > last) {
            return Err(Error::new(Code::InvalidRequest, "The byte range to download ends before it begins"));
        }
        self.check_url(&request.url)?;
        let mut part = Part::open(&request.path).await?;
        let ended = self.attempts(&request, &mut part, progress, cancel).await;
        metrics::download(ended.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok"));
        match ended {
            Ok(downloaded) => Ok(downloaded),
            Err(error) => Err(part.leave(error, request.keep).await),
        }
    }

    /// Asks for the file, and for the rest of it where a transfer broke off.
    async fn attempts(
        &self,
        request: &Download,
        part: &mut Part,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Downloaded> {
        let end = Instant::now() + self.inner.config.total_timeout.0;
        let mut attempt = 0;
        loop {
            part.prepare(request).await?;
            let left = end.saturating_duration_since(Instant::now());
            let outcome = self.attempt(request, part, left, progress, cancel).await;
            match outcome {
                Ok(downloaded) => return Ok(downloaded),
                Err(Failure::Broken(_)) if attempt < RESUMES => {
                    attempt += 1;
                    part.flush().await?;
                    until(cancel, tokio::time::sleep(pause(attempt))).await?;
                }
                Err(Failure::Broken(error) | Failure::Final(error)) => return Err(error),
            }
        }
    }

    async fn attempt(
        &self,
        request: &Download,
        part: &mut Part,
        left: Duration,
        progress: &(dyn Fn(Progress) + Send + Sync),
        cancel: &CancellationToken,
    ) -> Result<Downloaded, Failure> {
        let inner = &self.inner;
        let call = Call {
            method: Method::GET,
            url: &request.url,
            headers: &request.headers,
            own: own_headers(request, part),
            body: None,
            redirects: Some(inner.config.max_redirects),
            total: left,
            patience: None,
        };
        let answer = match until(cancel, self.open(call, &inner.transfers)).await? {
            Err(error) if error.code == Code::SourceError => return Err(Failure::Broken(error)),
            answer => answer?,
        };
        let host = answer.host.clone();
        let complete = accept(request, part, &answer).await?;
        let report = |part: &Part| progress(Progress { received: part.len, total: part.meta.size });
        report(part);
        if !complete {
            let mut transfer = Transfer::new(answer, &inner.config);
            let mut head = Head { bytes: Vec::new(), wanted: part.len == 0 };
            loop {
                let chunk = match until(cancel, transfer.next()).await? {
                    Ok(Some(chunk)) => chunk,
                    Ok(None) => break,
                    Err(error) if error.code == Code::SourceError => return Err(Failure::Broken(error)),
                    Err(error) => return Err(error.into()),
                };
                let fits = part.len + chunk.len() as u64 <= request.max_bytes;
                let judged = head.check(&chunk, &host);
                if let Err(error) = judged.and(if fits { Ok(()) } else { Err(too_large(&host, request.max_bytes)) }) {
                    part.restart().await?;
                    return Err(error.into());
                }
                metrics::received(chunk.len());
                part.write(&chunk).await?;
                report(part);
            }
            if let Err(error) = head.close(&host) {
                part.restart().await?;
                return Err(error.into());
            }
        }
        match part.meta.size {
            Some(size) if part.len > size => {
                part.restart().await?;
                return Err(Failure::Broken(broken(&host)));
            }
            Some(size) if part.len < size => return Err(Failure::Broken(broken(&host))),
            _ if part.len == 0 => {
                return Err(Error::new(Code::EmptyMedia, format!("The file at {host} has zero bytes")).into());
            }
            None if part.len < request.min_bytes => {
                let error = too_small(&host, part.len);
                part.restart().await?;
                return Err(error.into());
            }
            _ => {}
        }
        part.finish().await?;
        Ok(Downloaded { size: part.len })
    }
}

/// The headers that ask for the rest of the file.
fn own_headers(request: &Download, part: &Part) -> HeaderMap {
    let mut own = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    let range = match request.range {
        // A complete part is asked for once more with its last byte, so that there is an answer to look at.
        Some((first, last)) => Some(format!("bytes={}-{last}", (first + part.len).min(last))),
        None if part.len > 0 => Some(format!("bytes={}-", part.len)),
        None => None,
    };
    if let Some(range) = range.and_then(|range| HeaderValue::from_str(&range).ok()) {
        own.insert(RANGE, range);
        if part.len > 0
            && let Some(validator) = part.meta.validator()
        {
            own.insert(IF_RANGE, validator);
        }
    }
    own
}

/// Looks at the head of an answer and makes the part ready for its body. True when there is nothing more to come. An
/// answer that is something else leaves the part as it is.
async fn accept(request: &Download, part: &mut Part, answer: &Answer) -> Result<bool, Failure> {
    let (headers, host) = (answer.response.headers(), &answer.host);
    let range = content_range(headers);
    let (status, base) = (answer.response.status(), request.range.map_or(0, |(first, _)| first));
    if status.is_success() {
        judge(request, answer, range.and_then(|range| range.total))?;
    }
    let size = match status {
        StatusCode::OK if request.range.is_none() => {
            if part.len > 0 {
                part.restart().await?;
            }
            answer.response.content_length()
        }
        StatusCode::OK => return Err(no_parts(host).into()),
        StatusCode::PARTIAL_CONTENT => {
            let Some(ContentRange { span: Some((first, _)), total }) = range else { return Err(no_parts(host).into()) };
            let meta = Meta::new(request, headers, expected(request.range, total));
            if part.meta.size == Some(part.len) && request.range.is_some() && !part.meta.contradicts(&meta) {
                return Ok(true);
            }
            if first != base + part.len || (part.len > 0 && part.meta.contradicts(&meta)) {
                part.restart().await?;
                return Err(Failure::Broken(broken(host)));
            }
            meta.size
        }
        StatusCode::RANGE_NOT_SATISFIABLE if part.len > 0 => {
            if request.range.is_none() && range.and_then(|range| range.total) == Some(part.len) {
                part.meta.size = Some(part.len);
                return Ok(true);
            }
            part.restart().await?;
            return Err(Failure::Broken(broken(host)));
        }
        status => return Err(from_status(status, headers, host).into()),
    };
    part.describe(Meta::new(request, headers, size)).await?;
    Ok(false)
}

/// Refuses an answer which cannot be the file, by its type, packing and size.
fn judge(request: &Download, answer: &Answer, total: Option<u64>) -> Result<()> {
    let (headers, host) = (answer.response.headers(), &answer.host);
    if content_type(headers).as_deref().is_some_and(sniff::is_page_type) {
        return Err(page(host));
    }
    let packed = text(headers, CONTENT_ENCODING).is_some_and(|how| !how.trim().eq_ignore_ascii_case("identity"));
    if packed {
        let text = format!("{host} packs its answer in a way that was not asked for");
        return Err(Error::new(Code::SourceError, text));
    }
    let size = match answer.response.status() {
        StatusCode::PARTIAL_CONTENT => expected(request.range, total),
        _ => answer.response.content_length(),
    };
    match size {
        Some(size) if size > request.max_bytes => Err(too_large(host, request.max_bytes)),
        // What is empty is told so at the end.
        Some(size) if size > 0 && size < request.min_bytes => Err(too_small(host, size)),
        _ => Ok(()),
    }
}

/// The size of the part when complete.
fn expected(range: Option<(u64, u64)>, total: Option<u64>) -> Option<u64> {
    match range {
        None => total,
        Some((first, last)) => {
            let last = total.map_or(last, |total| last.min(total.saturating_sub(1)));
            Some(last.saturating_sub(first) + 1)
        }
    }
}

/// The first bytes of a file, looked at once there are enough.
struct Head {
    bytes: Vec<u8>,
    wanted: bool,
}

impl Head {
    fn check(&mut self, chunk: &[u8], host: &str) -> Result<()> {
        if self.wanted {
            self.bytes.extend_from_slice(&chunk[..chunk.len().min(sniff::HEAD - self.bytes.len())]);
            if self.bytes.len() == sniff::HEAD {
                return self.close(host);
            }
        }
        Ok(())
    }

    fn close(&mut self, host: &str) -> Result<()> {
        let is_page = self.wanted && sniff::is_page(&self.bytes);
        self.wanted = false;
        if is_page { Err(page(host)) } else { Ok(()) }
    }
}

fn page(host: &str) -> Error {
    Error::new(Code::NotMedia, format!("{host} sent a page instead of a media file")).with_hint(
        "The link may have expired, or the site wants a login: paste the page's address, or upload the file.",
    )
}

fn no_parts(host: &str) -> Error {
    Error::new(Code::SourceError, format!("{host} does not serve parts of the file"))
}

/// The future's result, or `cancelled` as soon as that is asked for.
async fn until<T>(cancel: &CancellationToken, future: impl Future<Output = T>) -> Result<T> {
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(Error::new(Code::Cancelled, "The download was cancelled")),
        value = future => Ok(value),
    }
}
