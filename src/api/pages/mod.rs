//! What a person sees in a browser: the web page and the documentation.
//!
//! Callers may rely on this: no page loads anything from elsewhere, and none needs to know under which address it is
//! reached. Where the web page was not built, a notice stands in its place.

mod embedded;
mod home;

use std::sync::Arc;

use poem::{
    Endpoint, Request, Response, Route,
    endpoint::make_sync,
    get,
    http::{StatusCode, header},
};

use self::embedded::Assets;
pub(super) use self::home::Home;
use crate::error::{Code, Error};

/// The paths of the pages; what stands at the addresses of the web page is the same everywhere, its script decides what it shows.
pub(super) const PATHS: [&str; 17] = [
    "/",
    "/docs",
    "/openapi.json",
    "/tasks/:id",
    "/tasks/:id/run",
    "/workflows",
    "/workflows/:name",
    "/workflows/:name/:tab",
    "/schedules",
    "/schedules/:id",
    "/sources",
    "/sources/:id",
    "/models",
    "/settings",
    "/settings/:tab",
    "/assets/:file",
    "/icon.svg",
];

/// Swagger UI brings its script and its style inside its page; nothing may come from anywhere else.
const DOCS_POLICY: &str = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src 'self' data:; \
     object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// Adds the pages.
pub(super) fn add(route: Route, home: &Arc<Home>, openapi: String, docs: String) -> Route {
    let route = PATHS.iter().filter(|path| is_home(path)).fold(route, |route, path| {
        let home = Arc::clone(home);
        route.at(*path, get(make_sync(move |request| home.answer(&request))))
    });
    route
        .at("/assets/:file", get(make_sync(|request| asset(&request))))
        .at("/icon.svg", get(make_sync(|request| asset(&request))))
        .at("/docs", get(page("text/html; charset=utf-8", docs, Some(DOCS_POLICY))))
        .at("/openapi.json", get(page("application/json", openapi, None)))
}

/// Whether a request comes from somebody who opens an address in a browser. Some addresses of the web page are taken by
/// programs, too.
pub(super) fn is_wanted(request: &Request) -> bool {
    request.header(header::ACCEPT).is_some_and(|kinds| kinds.contains("text/html"))
}

fn is_home(path: &str) -> bool {
    !matches!(path, "/docs" | "/openapi.json" | "/assets/:file" | "/icon.svg")
}

fn asset(request: &Request) -> poem::Result<Response> {
    let path = request.uri().path();
    let name = path.rfind("/assets/").map_or("icon.svg", |at| &path[at + 1..]);
    let gone = || {
        Error::new(Code::NotFound, "The page has no such file")
            .with_hint("Load the page anew: it may be another version now.")
    };
    embedded::answer::<Assets>(name, request.headers()).ok_or_else(|| gone().into())
}

fn page(kind: &'static str, text: String, policy: Option<&'static str>) -> impl Endpoint + 'static {
    let bytes = bytes::Bytes::from(text);
    make_sync(move |_| {
        let response = Response::builder().status(StatusCode::OK).content_type(kind);
        let response = match policy {
            Some(policy) => response.header(header::CONTENT_SECURITY_POLICY, policy),
            None => response,
        };
        response.header(header::CACHE_CONTROL, "no-cache").body(bytes.clone())
    })
}
