//! The platforms on loopback: one server for all of their hosts, which answers as strictly as they do.

use std::sync::{Arc, Mutex};

use poem::{Endpoint, Request, Response, Result, Server, http::HeaderMap, http::StatusCode, listener::TcpAcceptor};
use tokio::{net::TcpListener, task::JoinHandle};

use crate::support::root;

/// The host of the captures' media.
pub const MEDIA: &str = "media.example";

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Asked {
    pub host: String,
    pub path: String,
    pub query: String,
    headers: HeaderMap,
}

impl Asked {
    /// A header; empty when it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// A cookie; empty when it is missing.
    pub fn cookie(&self, name: &str) -> &str {
        let pairs = self.header("cookie").split(';').filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map_or("", |(_, value)| value)
    }
}

/// The server. Dropping it stops it.
pub struct World {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    hosts: &'static [&'static str],
    asked: Arc<Mutex<Vec<Asked>>>,
    server: JoinHandle<()>,
}

type Answers = Box<dyn Fn(&Asked) -> Response + Send + Sync>;

impl World {
    /// Starts one that stands for these hosts, and for that of the media.
    pub async fn start(
        hosts: &'static [&'static str],
        answers: impl Fn(&Asked) -> Response + Send + Sync + 'static,
    ) -> Self {
        Self::at("127.0.0.1:0", hosts, answers).await
    }

    /// Starts one at an address.
    pub async fn at(
        address: &str,
        hosts: &'static [&'static str],
        answers: impl Fn(&Asked) -> Response + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<Asked>>>::default();
        let handler = Handler { asked: Arc::clone(&asked), answers: Box::new(answers) };
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(handler).await;
        });
        Self { url, hosts, asked, server }
    }

    /// The settings of a daemon for which this is the world.
    pub fn settings(&self) -> String {
        let entries =
            self.hosts.iter().chain([&MEDIA]).map(|host| format!("net.host_map.\"{host}\" = \"{}\"", self.url));
        let usual = ["crawlers.ytdlp.program = \"\"".to_owned(), "crawlers.pace.post_every = \"1ms\"".to_owned()];
        entries.chain(usual).collect::<Vec<_>>().join("\n")
    }

    /// What a host was asked for, in order.
    pub fn asked(&self, host: &str) -> Vec<Asked> {
        self.asked.lock().unwrap().iter().filter(|asked| asked.host == host).cloned().collect()
    }

    /// The paths that were asked for, in order, with their hosts.
    pub fn places(&self) -> Vec<String> {
        self.asked.lock().unwrap().iter().map(|asked| format!("{}{}", asked.host, asked.path)).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Handler {
    asked: Arc<Mutex<Vec<Asked>>>,
    answers: Answers,
}

impl Endpoint for Handler {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let asked = Asked {
            host: request.header("host").unwrap_or_default().to_owned(),
            path: request.uri().path().to_owned(),
            query: request.uri().query().unwrap_or_default().to_owned(),
            headers: request.headers().clone(),
        };
        let answer = (self.answers)(&asked);
        self.asked.lock().unwrap().push(asked);
        Ok(answer)
    }
}

/// A body.
pub fn body(content_type: &str, body: impl Into<Vec<u8>>) -> Response {
    Response::builder().content_type(content_type).body(body.into())
}

/// A page.
pub fn page(html: impl Into<Vec<u8>>) -> Response {
    body("text/html; charset=utf-8", html)
}

/// An answer of an interface.
pub fn json(json: impl Into<Vec<u8>>) -> Response {
    body("application/json; charset=utf-8", json)
}

/// A redirect.
pub fn to(location: &str) -> Response {
    Response::builder().status(StatusCode::FOUND).header("location", location).finish()
}

/// A refusal.
pub fn forbidden() -> Response {
    StatusCode::FORBIDDEN.into()
}

/// Nothing is there.
pub fn missing() -> Response {
    StatusCode::NOT_FOUND.into()
}

/// The answer with a cookie.
pub fn with_cookie(mut answer: Response, cookie: &str) -> Response {
    answer.headers_mut().append("set-cookie", cookie.parse().unwrap());
    answer
}

/// A capture whose media are at [`MEDIA`] and never expire.
pub fn capture(name: &str) -> String {
    let text = std::fs::read_to_string(root().join("crawlers/fixtures").join(name)).unwrap();
    text.replace("MEDIA_HOST", MEDIA).replace("1793690000", "4000000000")
}
