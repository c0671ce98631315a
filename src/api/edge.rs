//! The outermost layer: other origins, panics, paths that do not exist, and the headers of every answer.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;
use poem::{
    Endpoint, IntoResponse, Request, Response,
    error::{MethodNotAllowedError, NotFoundError},
    http::{HeaderName, HeaderValue, Method, StatusCode, header},
};

use super::{
    compat::services::{self, Asked},
    native::resumable,
    openai, origin,
    pages::{self, Home},
    problem,
    routes::Routes,
    shape::Shape,
};
use crate::error::{Code, Error};

/// What pages and data may load: only what comes from here.
const POLICY: &str =
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/// The path as the client wrote it, for whoever sees only a part of it.
#[derive(Clone, Debug)]
pub(super) struct AskedPath(pub String);

/// An endpoint behind the outermost layer.
pub(super) struct Edge<E> {
    /// What lies behind it.
    pub inner: E,
    /// Which paths there are.
    pub routes: Arc<Routes>,
    /// The web page, where there is one.
    pub home: Option<Arc<Home>>,
    /// Whether only this machine may call.
    pub local_only: bool,
}

impl<E: Endpoint> Endpoint for Edge<E> {
    type Output = Response;

    async fn call(&self, mut request: Request) -> poem::Result<Response> {
        if !pages::is_wanted(&request)
            && let Some(uri) = openai::versioned(request.uri(), self.routes.below(request.uri().path()))
        {
            *request.uri_mut() = uri;
        }
        let path = request.uri().path().to_owned();
        let shape = Shape::of(self.routes.below(&path));
        let is_person = pages::is_wanted(&request) && matches!(*request.method(), Method::GET | Method::HEAD);
        let asked = (shape == Shape::Services).then(|| Asked::of(&request));
        request.set_data(AskedPath(path.clone()));
        resumable::unwrap(self.routes.below(&path), &mut request);
        let host = if self.local_only { origin::check_host(&request) } else { Ok(()) };
        let answer = match host.and_then(|()| origin::check(&request)) {
            Ok(()) => AssertUnwindSafe(self.inner.call(request)).catch_unwind().await,
            Err(error) => Ok(Err(error.into())),
        };
        let mut response = match answer {
            Ok(Ok(answer)) => answer.into_response(),
            Ok(Err(error)) if error.is::<NotFoundError>() || error.is::<MethodNotAllowedError>() => {
                match self.home.as_ref().filter(|_| is_person && self.routes.is_free(&path)) {
                    Some(home) => home.lost(&path),
                    None => self.bare(error.status(), &path),
                }
            }
            Ok(Err(error)) => problem::answer(&problem::from_poem(error, &[]), Some(&path)),
            Err(panic) => problem::answer(&panicked(panic.as_ref()), Some(&path)),
        };
        let status = response.status();
        if (status.is_client_error() || status.is_server_error()) && !problem::is_problem(&response) {
            response = self.bare(status, &path);
        }
        let mut response = match asked {
            Some(asked) => services::reshape(response, &asked),
            None => shape.reshape(response),
        };
        protect(&mut response);
        resumable::stamp(self.routes.below(&path), &mut response);
        Ok(response)
    }
}

impl<E> Edge<E> {
    /// The problem for an answer that the router made.
    fn bare(&self, status: StatusCode, path: &str) -> Response {
        // The router answers 404 for a page's path with another method.
        let is_known = status == StatusCode::NOT_FOUND && self.routes.allow(path).is_some();
        let status = if is_known { StatusCode::METHOD_NOT_ALLOWED } else { status };
        if status == StatusCode::NOT_FOUND {
            return problem::answer(&self.routes.not_found(path), Some(path));
        }
        let mut error = problem::from_status(status, status.canonical_reason().unwrap_or("The request was refused"));
        let allow = (status == StatusCode::METHOD_NOT_ALLOWED).then(|| self.routes.allow(path)).flatten();
        if let Some(allow) = &allow {
            error = error.with_hint(format!("This path takes {allow}."));
        }
        let mut response = problem::answer(&error, Some(path));
        if let Some(allow) = allow.and_then(|allow| HeaderValue::from_str(&allow).ok()) {
            response.headers_mut().insert(header::ALLOW, allow);
        }
        response
    }
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied();
    let text = text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("a panic without words");
    Error::new(Code::Internal, "The request could not be answered").with_source(format!("panicked: {text}"))
}

/// Sets the headers that every answer has, unless it has its own.
fn protect(response: &mut Response) {
    let defaults: [(HeaderName, &'static str); 4] = [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::CACHE_CONTROL, "no-store"),
    ];
    for (name, value) in defaults {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
}
