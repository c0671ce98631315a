//! What is around every request: its id, the pages of other sites, a packed answer, and that its connection is at work.

use futures_util::{Stream, StreamExt};
use poem::{
    Body, Endpoint, Request, Response,
    http::{HeaderValue, header},
};
use tracing::Instrument;

use super::{
    cors::{Cors, Welcome, preflight},
    packed,
    peers::{Peers, Work},
    rest::Rest,
};

/// Under which a request is found in the log.
const REQUEST_ID: &str = "x-request-id";

/// The longest id that is taken from a client, in bytes.
const MAX_ID: usize = 64;

/// An endpoint with what is around it.
pub(super) struct Outside<E> {
    /// What lies inside.
    pub inner: E,
    /// Which pages may call.
    pub cors: Cors,
    /// Who is connected.
    pub peers: Peers,
}

impl<E: Endpoint<Output = Response>> Endpoint for Outside<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        let work = self.peers.work(request.remote_addr().as_socket_addr());
        let id = request_id(&request);
        let welcome = self.cors.welcome(&request);
        let may_pack = packed::is_wanted(&request);
        let asked = welcome.as_ref().and_then(|_| preflight(&request));
        if welcome.is_some() {
            request.set_data(Welcome);
        }
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let span = tracing::error_span!("request", id = id.to_str().unwrap_or_default());
        let rest = Rest::of(&mut request);
        let mut response = match asked {
            Some(response) => response,
            None => self.inner.call(request).instrument(span.clone()).await?,
        };
        span.in_scope(|| tracing::debug!(%method, path, status = response.status().as_u16(), "answered"));
        if let Some(rest) = rest.filter(|_| response.status().is_client_error()) {
            rest.skip().await;
        }
        if may_pack {
            response = packed::pack(response);
        }
        let headers = response.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
        headers.insert(REQUEST_ID, id);
        self.cors.allow(welcome, headers);
        if response.content_type().is_some_and(|kind| kind.starts_with("text/event-stream")) {
            let body = response.take_body();
            response.set_body(Body::from_bytes_stream(held(body.into_bytes_stream(), work)));
        }
        Ok(response)
    }
}

/// The id that the client gave, when it is one that a log can hold; a new one otherwise.
fn request_id(request: &Request) -> HeaderValue {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let given = request.headers().get(REQUEST_ID);
    let given = given.filter(|id| (1..=MAX_ID).contains(&id.len()) && id.as_bytes().iter().copied().all(is_plain));
    let made = || HeaderValue::from_str(&uuid::Uuid::new_v4().simple().to_string());
    given.cloned().or_else(|| made().ok()).unwrap_or(HeaderValue::from_static("none"))
}

/// A live view is work until its end.
fn held<T>(stream: impl Stream<Item = T>, work: Work) -> impl Stream<Item = T> {
    stream.map(move |item| {
        let _ = &work;
        item
    })
}
