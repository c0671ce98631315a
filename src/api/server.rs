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
    access::Gate,
    connections::{Connections, Limits},
    cors::Cors,
    documented::Documented,
    edge::Edge,
    measured::Measured,
    native::{self, Context},
    outside::Outside,
    pages::{self, Home},
    peers::{Peers, QUIET},
    routes::Routes,
};
use crate::error::{Code, Error, Result};

/// How long open requests may go on after the server was told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// Files that are kept for everything but connections: the database, media, engines.
const OTHER_FILES: usize = 256;

/// The application: every route, below `server.base_path`.
pub fn app(state: State) -> impl Endpoint<Output = poem::Response> + 'static {
    let peers = Peers::new(0, QUIET);
    application(state, CancellationToken::new(), peers)
}

/// Serves until `shutdown`, then takes no more connections and finishes what is open within a few seconds; live views and
/// waits end at once.
pub async fn serve(state: State, listener: TcpListener, shutdown: CancellationToken) -> Result<()> {
    let server = state.config.server.clone();
    let peers = Peers::new(server.max_connections_per_address, QUIET);
    let limits =
        Limits { most: affordable(server.max_connections), head: server.head_timeout.0, idle: server.idle_timeout.0 };
    let acceptor = Connections::new(listener, limits, peers.clone())
        .map_err(|error| Error::new(Code::Io, "The listening socket cannot be used").with_source(error))?;
    let draining = Arc::clone(&state.draining);
    let app = application(state, shutdown.clone(), peers);
    let stopped = async move {
        shutdown.cancelled().await;
        draining.store(true, Ordering::Relaxed);
    };
    Server::new_with_acceptor(acceptor)
        .run_with_graceful_shutdown(app, stopped, Some(GRACE))
        .await
        .map_err(|error| Error::new(Code::Io, "The server has stopped").with_source(error))
}

/// As many connections as are wished, or as the files that this process may open leave room for.
fn affordable(wished: usize) -> usize {
    let Ok((files, _)) = rlimit::getrlimit(rlimit::Resource::NOFILE) else { return wished };
    let room = usize::try_from(files).unwrap_or(usize::MAX).saturating_sub(OTHER_FILES).max(OTHER_FILES);
    if room < wished {
        tracing::warn!(
            files,
            "`server.max_connections` is {wished}, but there is room for {room}: raise the limit of open files"
        );
    }
    wished.min(room)
}

/// The OpenAPI document as JSON: sorted and indented, so that two versions can be compared.
pub fn openapi() -> String {
    document(&service(native::Described, None, ""))
}

fn application(
    state: State,
    stop: CancellationToken,
    peers: Peers,
) -> impl Endpoint<Output = poem::Response> + 'static {
    let base = state.config.server.base_path.clone();
    let cors = Cors::new(&state.config.server.cors_origins);
    let local_only = state.config.is_local_only();
    let gate = Gate { access: state.access.clone(), queue: state.queue.clone() };
    let is_asked = state.config.is_asked();
    let service = service(native::all(Context { state, stop }), Some(gate), &base);
    let routes = Arc::new(routes_of(&service, &base, is_asked));
    let (openapi, docs) = (document(&service), service.swagger_ui_html());
    let api: Arc<BoxEndpoint<'static>> = Arc::new(service.into_endpoint());
    let home = is_asked.then(|| Arc::new(Home::new(&base)));
    let inner = match &home {
        Some(home) => pages::add(Route::new(), home, openapi, docs),
        None => Route::new(),
    };
    let inner = routes.heads().into_iter().fold(inner, |inner, head| inner.nest_no_strip(head, Arc::clone(&api)));
    let inner = if base.is_empty() { inner } else { Route::new().nest(&base, inner) };
    let edge = Measured { inner: Edge { inner, routes: Arc::clone(&routes), home, local_only }, routes };
    Outside { inner: edge, cors, peers }
}

fn routes_of<T: OpenApi>(_: &OpenApiService<T, ()>, base: &str, is_asked: bool) -> Routes {
    if is_asked { Routes::of::<T>(base, &pages::PATHS) } else { Routes::of_health::<T>(base) }
}

fn service<T: OpenApi>(api: T, gate: Option<Gate>, base: &str) -> OpenApiService<Documented<T>, ()> {
    let server = if base.is_empty() { "/" } else { base };
    OpenApiService::new(Documented(api, gate), "trawl", env!("CARGO_PKG_VERSION"))
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
