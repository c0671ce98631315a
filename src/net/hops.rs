//! One request with its redirects, each hop checked like the first.

use std::time::Duration;

use bytes::Bytes;
use reqwest::{
    Method, Response,
    header::{HeaderMap, HeaderName, HeaderValue, LOCATION},
};
use tokio::time::{Instant, timeout_at};
use url::Url;

use super::{
    Net,
    client::is_overlong,
    failure::{broken, from_reqwest, too_slow},
    hosts::{Hosts, Permit},
    site::is_public,
};
use crate::error::{Code, Error, Result};

/// Headers that are ours to set, or would confuse the connection.
const OURS: [&str; 13] = [
    "host",
    "connection",
    "content-length",
    "transfer-encoding",
    "te",
    "trailer",
    "upgrade",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "accept-encoding",
    "range",
    "if-range",
];

/// What to ask for.
pub(super) struct Call<'a> {
    pub(super) method: Method,
    pub(super) url: &'a str,
    /// The caller's headers.
    pub(super) headers: &'a [(String, String)],
    /// Headers sent on every hop.
    pub(super) own: HeaderMap,
    pub(super) body: Option<Bytes>,
    /// Redirects followed at most; none: a redirect is an answer like others.
    pub(super) redirects: Option<usize>,
    /// From the first connection to the last byte.
    pub(super) total: Duration,
    /// Until the head of an answer is here; none: as the configuration says.
    pub(super) patience: Option<Duration>,
}

/// The head of an answer; its place at the host is held until it is dropped.
pub(super) struct Answer {
    pub(super) response: Response,
    pub(super) url: Url,
    pub(super) host: String,
    pub(super) deadline: Instant,
    pub(super) permit: Permit,
}

impl Net {
    pub(super) async fn open(&self, call: Call<'_>, hosts: &Hosts) -> Result<Answer> {
        let inner = &self.inner;
        let (mut url, mut target) = inner.rules.parse(call.url)?;
        let mut headers = header_map(call.headers)?;
        let usual = inner.config.connect_timeout.0 + inner.config.first_byte_timeout.0;
        let patience = call.patience.unwrap_or(usual);
        let mut deadline = None;
        let mut hops = 0;
        loop {
            let permit = hosts.enter(&target.host).await;
            // Waiting for a place is not the server's fault, so the time begins here.
            let deadline = *deadline.get_or_insert_with(|| Instant::now() + call.total);
            let mut all = headers.clone();
            all.extend(call.own.clone());
            let mut request = inner.clients.request(call.method.clone(), &url, &target, all);
            if let Some(body) = &call.body {
                request = request.body(body.clone());
            }
            let response = timeout_at(deadline.min(Instant::now() + patience), request.send())
                .await
                .map_err(|_| too_slow(&target.host))?
                .map_err(|error| from_reqwest(error, &target.host))
                .map_err(|error| if inner.proxied { behind_proxy(error, &target.host) } else { error })?;
            if !inner.proxied {
                inner.rules.check_peer(&target, response.remote_addr())?;
            }
            if is_overlong(response.headers()) {
                return Err(broken(&target.host));
            }
            let (Some(limit), Some(location)) = (call.redirects, location(&response)) else {
                return Ok(Answer { response, url, host: target.host, deadline, permit });
            };
            if hops >= limit {
                let text = format!("{} leads to more than {limit} redirects", target.host);
                return Err(Error::new(Code::TooManyRedirects, text));
            }
            hops += 1;
            let (next, next_target) = inner.rules.redirect(&url, &location)?;
            if next.origin() != url.origin() {
                headers = public(&headers);
            }
            (url, target) = (next, next_target);
        }
    }
}

/// A proxy that cannot be reached, or does not let us through, looks like a host that cannot be reached.
fn behind_proxy(error: Error, host: &str) -> Error {
    match error.code {
        Code::ConnectFailed | Code::HostNotFound => {
            Error::new(Code::ConnectFailed, format!("{host} cannot be reached through the proxy"))
                .with_hint("Check the proxy's address, and whether it lets this host through.")
                .with_source(error)
        }
        _ => error,
    }
}

/// Where a redirect leads.
fn location(response: &Response) -> Option<String> {
    let is_redirect = matches!(response.status().as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(LOCATION).filter(|_| is_redirect)?;
    // Sites with Chinese paths send them raw.
    Some(String::from_utf8_lossy(location.as_bytes()).into_owned())
}

/// The caller's headers, without those that are ours.
fn header_map(headers: &[(String, String)]) -> Result<HeaderMap> {
    let invalid = |_| Error::new(Code::InvalidRequest, "A header for the request holds characters that it cannot");
    let mut map = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid(()))?;
        let mut value = HeaderValue::from_str(value).map_err(|_| invalid(()))?;
        // Not shown by anything that logs what is sent.
        value.set_sensitive(matches!(name.as_str(), "cookie" | "authorization"));
        if !OURS.contains(&name.as_str()) {
            map.append(name, value);
        }
    }
    Ok(map)
}

/// The headers that another site may see, too: no cookies, no keys.
fn public(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| is_public(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
