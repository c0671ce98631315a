//! Where a request was sent and what stood behind the question mark, as envelopes tell it.

use poem::{
    Request,
    http::{Method, header},
};
use serde_json::{Map, Value};

use crate::api::access::secure;

/// The parameter that holds somebody's key.
const SECRET: &str = "chatgpt_api_key";

/// What an envelope tells of its request.
#[derive(Clone, Debug)]
pub(in crate::api) struct Asked {
    /// Scheme and host.
    origin: String,
    /// The path.
    pub path: String,
    /// The whole address.
    pub router: String,
    /// Whether it may have a body.
    pub has_body: bool,
    /// The parameters of the query.
    pub params: Map<String, Value>,
}

impl Asked {
    /// Of a request.
    pub(in crate::api) fn of(request: &Request) -> Self {
        let uri = request.original_uri();
        let host = request.header(header::HOST).or_else(|| uri.authority().map(|authority| authority.as_str()));
        let scheme = if secure(request.headers()) { "https" } else { "http" };
        let origin = format!("{scheme}://{}", host.unwrap_or("localhost"));
        // What is told to nobody is not told to its sender either: answers are shown to others.
        let is_told = |pair: &&str| !pair.starts_with(SECRET);
        let query: Vec<&str> = uri.query().unwrap_or_default().split('&').filter(is_told).collect();
        let query = query.join("&");
        let mark = if query.is_empty() { "" } else { "?" };
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Self {
            router: format!("{origin}{}{mark}{query}", uri.path()),
            path: uri.path().to_owned(),
            has_body: *request.method() == Method::POST,
            params: pairs.map(|(name, value)| (name.into_owned(), value.into_owned().into())).collect(),
            origin,
        }
    }

    /// The address that the daemon was called at, up to and with `base_path`.
    pub(in crate::api) fn base(&self, base_path: &str) -> String {
        format!("{}{base_path}", self.origin)
    }
}
