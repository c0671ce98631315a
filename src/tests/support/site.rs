//! The web outside: a server on loopback with pages and files at chosen paths.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use poem::{Endpoint, Request, Response, Result, Server, http::StatusCode, listener::TcpAcceptor};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// What a path answers.
#[derive(Clone)]
pub enum Reply {
    /// A body with its content type. Ranges are honoured.
    Body(&'static str, Vec<u8>),
    /// Another status with a body.
    Status(u16, &'static str),
    /// Goes elsewhere.
    Redirect(String),
    /// Whatever a function makes of the request.
    Made(Arc<dyn Fn(&Request) -> Response + Send + Sync>),
    /// Nothing until the gate opens, then the reply.
    Gated(watch::Receiver<bool>, Box<Reply>),
}

/// A server. Dropping it stops it.
pub struct Site {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    pages: Arc<Pages>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Pages {
    replies: Mutex<HashMap<String, Reply>>,
    seen: watch::Sender<Vec<String>>,
}

impl Site {
    /// Starts an empty site.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pages = Arc::new(Pages::default());
        let handler = Handler(Arc::clone(&pages));
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(handler).await;
        });
        Self { url, pages, server }
    }

    /// Sets what a path answers and returns its link.
    pub fn put(&self, path: &str, reply: Reply) -> String {
        self.pages.replies.lock().unwrap().insert(path.to_owned(), reply);
        format!("{}{path}", self.url)
    }

    /// A file with its content type; returns its link.
    pub fn file(&self, path: &str, content_type: &'static str, body: Vec<u8>) -> String {
        self.put(path, Reply::Body(content_type, body))
    }

    /// A page; returns its link.
    pub fn page(&self, path: &str, html: &str) -> String {
        self.file(path, "text/html; charset=utf-8", html.as_bytes().to_vec())
    }

    /// The paths that were asked for, in order.
    pub fn seen(&self) -> Vec<String> {
        self.pages.seen.borrow().clone()
    }

    /// Waits until a path was asked for.
    pub async fn asked_for(&self, path: &str) {
        self.asked_times(path, 1).await;
    }

    /// Waits until a path was asked for so many times.
    pub async fn asked_times(&self, path: &str, times: usize) {
        let mut seen = self.pages.seen.subscribe();
        let asked = seen.wait_for(|seen| seen.iter().filter(|one| *one == path).count() >= times);
        tokio::time::timeout(std::time::Duration::from_secs(60), asked).await.expect("nobody asks for it").unwrap();
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Handler(Arc<Pages>);

impl Endpoint for Handler {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let path = request.uri().path().to_owned();
        self.0.seen.send_modify(|seen| seen.push(path.clone()));
        let mut reply = self.0.replies.lock().unwrap().get(&path).cloned();
        while let Some(Reply::Gated(mut gate, then)) = reply {
            let _ = gate.wait_for(|open| *open).await;
            reply = Some(*then);
        }
        Ok(match reply {
            None => Response::builder().status(StatusCode::NOT_FOUND).body("nothing here"),
            Some(Reply::Status(status, body)) => {
                Response::builder().status(StatusCode::from_u16(status).unwrap()).body(body)
            }
            Some(Reply::Redirect(to)) => Response::builder().status(StatusCode::FOUND).header("location", to).finish(),
            Some(Reply::Body(content_type, body)) => ranged(&request, content_type, body),
            Some(Reply::Made(make)) => make(&request),
            Some(Reply::Gated(..)) => Response::builder().status(StatusCode::LOOP_DETECTED).finish(),
        })
    }
}

fn ranged(request: &Request, content_type: &str, body: Vec<u8>) -> Response {
    let answer = Response::builder().header("content-type", content_type).header("accept-ranges", "bytes");
    let range = request.header("range").and_then(|range| range.strip_prefix("bytes=")?.split_once('-'));
    let first = range.and_then(|(first, _)| first.parse::<usize>().ok());
    match first.filter(|first| *first < body.len()) {
        None => answer.header("etag", "\"one\"").body(body),
        Some(first) => {
            let total = body.len();
            let last = range.and_then(|(_, last)| last.parse().ok()).unwrap_or(total - 1).min(total - 1);
            answer
                .status(StatusCode::PARTIAL_CONTENT)
                .header("etag", "\"one\"")
                .header("content-range", format!("bytes {first}-{last}/{total}"))
                .body(body[first..=last].to_vec())
        }
    }
}
