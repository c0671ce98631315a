//! Callbacks: one request, no redirects, and as little of the answer as needed.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method,
    header::{ACCEPT_ENCODING, HeaderMap, HeaderValue, USER_AGENT},
};

use super::{Net, headers::retry_after, hops::Call, transfer::Transfer};
use crate::error::Result;

/// How much of the answer is read before the connection is closed.
const MAX_REPLY: usize = 16 * 1024;

/// A callback.
#[derive(Clone, Debug)]
pub struct Post {
    /// Where to.
    pub url: String,
    /// Headers to send.
    pub headers: Vec<(String, String)>,
    /// The body, sent as it is.
    pub body: Bytes,
    /// From the first connection to the end of the answer.
    pub timeout: Duration,
}

/// The receiver's answer, whatever its status.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostReply {
    /// The HTTP status.
    pub status: u16,
    /// How long the receiver asks us to wait, at most a day.
    pub retry_after: Option<Duration>,
}

impl Net {
    /// Sends a callback. Any status is a [`PostReply`], redirects included, which are not followed.
    pub async fn post(&self, request: Post) -> Result<PostReply> {
        let inner = &self.inner;
        let mut own = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        if !request.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("user-agent")) {
            own.insert(USER_AGENT, HeaderValue::from_static(concat!("trawl/", env!("CARGO_PKG_VERSION"))));
        }
        let call = Call {
            method: Method::POST,
            url: &request.url,
            headers: &request.headers,
            own,
            body: Some(request.body.clone()),
            redirects: None,
            total: request.timeout,
            patience: None,
        };
        let answer = self.open(call, &inner.posts).await?;
        let status = answer.response.status().as_u16();
        let retry_after = retry_after(answer.response.headers());
        let mut transfer = Transfer::new(answer, &inner.config);
        let mut read = 0;
        while read < MAX_REPLY {
            match transfer.next().await {
                Ok(Some(chunk)) => read += chunk.len(),
                // The status is what counts, and it is here: whatever happens to the rest is no reason to send again.
                Ok(None) | Err(_) => break,
            }
        }
        Ok(PostReply { status, retry_after })
    }
}
