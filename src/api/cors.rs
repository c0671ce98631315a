//! Pages of other sites that may call: none, unless the configuration names them.

use poem::{
    Request, Response,
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
};

/// The methods that a page may use.
const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/// What a page may read besides the body.
const EXPOSED: &str = "Location, Retry-After, X-Request-Id, X-Task-Id, X-Should-Retry, Asr-Engine, Content-Disposition, ETag, Tus-Resumable, \
     Tus-Version, Tus-Extension, Tus-Max-Size, Upload-Offset, Upload-Length, Upload-Expires, Upload-Metadata";

/// How long a browser may remember the answer, in seconds.
const MAX_AGE: &str = "600";

/// A request's page is one of those that may call.
#[derive(Clone, Copy, Debug)]
pub(super) struct Welcome;

/// Which pages may call.
#[derive(Clone, Debug)]
pub(super) struct Cors {
    origins: Vec<String>,
}

impl Cors {
    /// Lets pages of these origins call, or of all for `*`.
    pub(super) fn new(origins: &[String]) -> Self {
        Self { origins: origins.iter().map(|origin| origin.trim_end_matches('/').to_ascii_lowercase()).collect() }
    }

    /// The origin of a request's page, if that page may call.
    pub(super) fn welcome(&self, request: &Request) -> Option<HeaderValue> {
        let origin = request.headers().get(header::ORIGIN)?;
        let text = origin.to_str().ok()?.to_ascii_lowercase();
        self.origins.iter().any(|known| known == "*" || *known == text).then(|| origin.clone())
    }

    /// Says on an answer that its page may read it.
    pub(super) fn allow(&self, origin: Option<HeaderValue>, headers: &mut HeaderMap) {
        if self.origins.is_empty() {
            return;
        }
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
        if let Some(origin) = origin {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(EXPOSED));
        }
    }
}

/// The answer to a browser that asks whether its page may send what it wants to send.
pub(super) fn preflight(request: &Request) -> Option<Response> {
    if *request.method() != Method::OPTIONS {
        return None;
    }
    request.headers().get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut response = Response::builder().status(StatusCode::NO_CONTENT).finish();
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, HeaderValue::from_static(METHODS));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
    if let Some(wanted) = request.headers().get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, wanted.clone());
    }
    Some(response)
}
