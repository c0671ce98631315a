//! Requests which a library has put together: sent under the same rules as ours, without redirects, the answer limited.

use std::io;

use bytes::Bytes;
use futures_util::StreamExt;
use reqwest::{
    Body, Request, Response,
    header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderValue, USER_AGENT},
};

use super::{
    FormReply, Net,
    client::is_overlong,
    failure::{broken, from_reqwest},
    headers::retry_after,
};
use crate::error::Result;

/// How much is read of an answer that says no, in bytes.
const MAX_REFUSAL: usize = 64 * 1024;

/// An answer to [`Net::execute`].
pub enum Executed {
    /// A status 2xx. Reading the body fails when it is longer than the limit.
    Accepted(Response),
    /// Any other status, redirects included, with the beginning of what it says.
    Refused(FormReply),
}

impl Net {
    /// A client for libraries to put requests together with. One that they send by themselves obeys the rules for names,
    /// but not those for what is written in a link: they are to leave by [`Net::execute`].
    pub fn library_client(&self) -> reqwest::Client {
        self.inner.clients.guarded()
    }

    /// Sends a library's request as it is, but for its User-Agent and its encodings. At most `limit` bytes of the answer
    /// are let through. How long all of it may take is the caller's business.
    pub async fn execute(&self, mut request: Request, limit: usize) -> Result<Executed> {
        let inner = &self.inner;
        let target = inner.rules.check(request.url())?;
        let mut headers = std::mem::take(request.headers_mut());
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        headers.insert(USER_AGENT, HeaderValue::from_static(concat!("trawl/", env!("CARGO_PKG_VERSION"))));
        // Not shown by anything that logs what is sent.
        if let Some(key) = headers.get_mut(AUTHORIZATION) {
            key.set_sensitive(true);
        }
        let mut sent = inner.clients.request(request.method().clone(), request.url(), &target, headers);
        if let Some(body) = request.body_mut().take() {
            sent = sent.body(body);
        }
        let response = sent.send().await.map_err(|error| from_reqwest(error, &target.host))?;
        inner.rules.check_peer(&target, response.remote_addr())?;
        if is_overlong(response.headers()) {
            return Err(broken(&target.host));
        }
        if response.status().is_success() {
            return Ok(Executed::Accepted(limited(response, limit)));
        }
        let (status, retry_after) = (response.status().as_u16(), retry_after(response.headers()));
        let body = beginning(response).await;
        Ok(Executed::Refused(FormReply { status, retry_after, body }))
    }
}

/// The same answer, whose body fails beyond the limit.
fn limited(response: Response, limit: usize) -> Response {
    let (status, headers) = (response.status(), response.headers().clone());
    let mut left = limit;
    let body = response.bytes_stream().map(move |chunk| {
        let chunk = chunk.map_err(io::Error::other)?;
        left = left.checked_sub(chunk.len()).ok_or(io::ErrorKind::FileTooLarge)?;
        Ok::<_, io::Error>(chunk)
    });
    let mut limited = http::Response::new(Body::wrap_stream(body));
    (*limited.status_mut(), *limited.headers_mut()) = (status, headers);
    limited.into()
}

/// What arrives of a refusal; the status is what counts, and it is here.
async fn beginning(mut response: Response) -> Bytes {
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = MAX_REFUSAL - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() >= room {
            break;
        }
    }
    body.into()
}
