//! The whole application and the server that runs it.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use poem::{Endpoint, IntoEndpoint, Route, Server, endpoint::BoxEndpoint};
use poem_openapi::{OpenApi, OpenApiService};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    State,
    connections::Connections,
    documented::Documented,
    edge::Edge,
    measured::Measured,
    native::{self, Context},
    pages,
    routes::Routes,
};
use crate::{
    config::AuthMode,
    error::{Code, Error, Result},
};

/// How long open requests may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// How long a connection may be silent.
const IDLE: Duration = Duration::from_secs(120);

/// The application: every route, below `server.base_path`.
pub fn app(state: State) -> impl Endpoint<Output = poem::Response> + 'static {
    application(state, CancellationToken::new())
}

/// Serves until `shutdown`, then takes no more connections and finishes what is open within a few seconds; live views and
/// waits end at once.
pub async fn serve(state: State, listener: TcpListener, shutdown: CancellationToken) -> Result<()> {
    let server = state.config.server.clone();
    let acceptor = Connections::new(listener, server.max_connections, server.head_timeout.0, IDLE)
        .map_err(|error| Error::new(Code::Io, "The listening socket cannot be used").with_source(error))?;
    let draining = Arc::clone(&state.draining);
    let app = application(state, shutdown.clone());
    let stopped = async move {
        shutdown.cancelled().await;
        draining.store(true, Ordering::Relaxed);
    };
    Server::new_with_acceptor(acceptor)
        .run_with_graceful_shutdown(app, stopped, Some(GRACE))
        .await
        .map_err(|error| Error::new(Code::Io, "The server has stopped").with_source(error))
}

/// The OpenAPI document as JSON: sorted and indented, so that two versions can be compared.
pub fn openapi() -> String {
    document(&service(native::Described, ""))
}

fn application(state: State, stop: CancellationToken) -> impl Endpoint<Output = poem::Response> + 'static {
    let base = state.config.server.base_path.clone();
    let local_only = state.config.auth.mode != AuthMode::Off;
    let service = service(native::all(Context { state, stop }), &base);
    let routes = Arc::new(routes_of(&service, &base));
    let (openapi, docs) = (document(&service), service.swagger_ui_html());
    let api: Arc<BoxEndpoint<'static>> = Arc::new(service.into_endpoint());
    let inner = pages::add(Route::new(), &base, openapi, docs);
    let inner = routes.heads().into_iter().fold(inner, |inner, head| inner.nest_no_strip(head, Arc::clone(&api)));
    let inner = if base.is_empty() { inner } else { Route::new().nest(&base, inner) };
    Measured { inner: Edge { inner, routes: Arc::clone(&routes), local_only }, routes }
}

fn routes_of<T: OpenApi>(_: &OpenApiService<T, ()>, base: &str) -> Routes {
    Routes::of::<T>(base, &pages::PATHS)
}

fn service<T: OpenApi>(api: T, base: &str) -> OpenApiService<Documented<T>, ()> {
    let server = if base.is_empty() { "/" } else { base };
    OpenApiService::new(Documented(api), "trawl", env!("CARGO_PKG_VERSION"))
        .description(
            "Paste a link, get the words: links and files become transcripts and subtitles.\n\n\
             粘贴链接，获得文字：链接与文件会变成文字稿与字幕。",
        )
        .server(server)
}

fn document<T: OpenApi>(service: &OpenApiService<T, ()>) -> String {
    let text = service.spec();
    match serde_json::from_str(&text) {
        Ok(value) => serde_json::to_string_pretty(&sorted(value)).unwrap_or(text),
        Err(_) => text,
    }
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<(String, Value)> =
                fields.into_iter().map(|(name, value)| (name, sorted(value))).collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(Map::from_iter(fields))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        plain => plain,
    }
}
