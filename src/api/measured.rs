//! Every request is counted, with its route and how long its answer took.

use std::{sync::Arc, time::Instant};

use poem::{Endpoint, Request, Response, http::Method};

use super::routes::Routes;
use crate::metrics;

/// What stands for a path that is none of ours, whatever it is.
const ELSEWHERE: &str = "other";

/// An endpoint whose requests are counted.
pub(super) struct Measured<E> {
    /// What lies behind it.
    pub inner: E,
    /// Which paths there are.
    pub routes: Arc<Routes>,
}

impl<E: Endpoint<Output = Response>> Endpoint for Measured<E> {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let (method, path, started) = (word(request.method()), request.uri().path().to_owned(), Instant::now());
        let response = self.inner.get_response(request).await;
        let route = self.routes.pattern(&path).unwrap_or(ELSEWHERE);
        metrics::request(method, route, response.status().as_u16(), started.elapsed());
        Ok(response)
    }
}

/// A client may make methods up.
fn word(method: &Method) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method.as_str()).unwrap_or(ELSEWHERE)
}
