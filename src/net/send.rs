//! What workflows send to servers: any method, a small body, a small answer.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT},
};

use super::{Net, Reply, get::Wanted, hops::Call};
use crate::error::{Code, Error, Result};

/// A request.
#[derive(Clone)]
pub struct Request {
    /// The method, in any case.
    pub method: String,
    /// The link.
    pub url: String,
    /// Headers to send. All but Accept, User-Agent and Referer are dropped when a redirect leaves the site.
    pub headers: Vec<(String, String)>,
    /// The body, sent as it is.
    pub body: Option<Bytes>,
    /// From the first connection to the end of the answer.
    pub timeout: Duration,
    /// Bytes of the answer's body at most, after decompression; never more than `net.max_page_bytes`.
    pub max_bytes: u64,
}

impl Net {
    /// Sends a request. Any status is a [`Reply`]. Redirects are followed for GET and HEAD; for other methods they are
    /// answers like others, because what was sent once should not be sent somewhere else.
    pub async fn send(&self, request: Request) -> Result<Reply> {
        let inner = &self.inner;
        let method = Method::from_bytes(request.method.to_ascii_uppercase().as_bytes())
            .map_err(|_| Error::new(Code::InvalidRequest, "There is no such HTTP method"))?;
        let mut own = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("gzip"))]);
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
            own.insert(USER_AGENT, HeaderValue::from_static(concat!("trawl/", env!("CARGO_PKG_VERSION"))));
        }
        let is_safe = matches!(method, Method::GET | Method::HEAD);
        let head_only = method == Method::HEAD;
        let call = Call {
            method,
            url: &request.url,
            headers: &request.headers,
            own,
            body: request.body.clone(),
            redirects: Some(inner.config.max_redirects).filter(|_| is_safe),
            total: request.timeout,
            patience: Some(request.timeout),
        };
        let answer = self.open(call, &inner.transfers).await?;
        self.take(answer, Wanted { max_bytes: request.max_bytes, head_only, stop_if_media: false }).await
    }
}
