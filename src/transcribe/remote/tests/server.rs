//! A transcription server on loopback. It reads real requests, byte by byte as they come, and answers what a test wants.
//! Stands in for software of others, in its own wire format. Also part of the integration binary.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{
    Endpoint, FromRequest, IntoResponse, Request, Response, Result, Server, http::StatusCode, listener::TcpAcceptor,
    web::Multipart,
};
use serde_json::Value;
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// What was asked.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    pub path: String,
    pub authorization: Option<String>,
    /// In their order, without the file.
    pub fields: Vec<(String, String)>,
    pub file_name: String,
    pub file: Vec<u8>,
}

impl Asked {
    /// The samples of the file, whose header must be right.
    pub fn samples(&self) -> Vec<i16> {
        let (header, data) = self.file.split_at(44);
        assert_eq!((&header[..4], &header[8..16], &header[36..40]), (&b"RIFF"[..], &b"WAVEfmt "[..], &b"data"[..]));
        assert_eq!(u32::from_le_bytes(header[40..].try_into().unwrap()) as usize, data.len());
        data.chunks_exact(2).map(|pair| i16::from_le_bytes([pair[0], pair[1]])).collect()
    }

    /// The values of a field.
    pub fn field(&self, name: &str) -> Vec<&str> {
        self.fields.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect()
    }
}

/// What is answered.
pub enum Said {
    /// JSON with a status.
    Json(u16, Value),
    /// Anything.
    Raw(u16, Vec<(&'static str, String)>, Vec<u8>),
    /// Nothing, for good.
    Hang,
}

/// What is going on, for waiting.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    pub asked: Vec<Asked>,
    /// Requests without an answer yet.
    pub open: usize,
    /// The most of them at the same time.
    pub most: usize,
}

type Script = dyn Fn(&Asked) -> Said + Send + Sync;

/// The server. Dropping it stops it.
pub struct Asr {
    /// Up to and with `/v1`.
    pub url: String,
    seen: Arc<watch::Sender<Seen>>,
    server: JoinHandle<()>,
}

impl Asr {
    /// `script` may block: it runs beside the async threads.
    pub async fn start(script: impl Fn(&Asked) -> Said + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let seen = Arc::new(watch::Sender::new(Seen::default()));
        let handler = Handler { script: Arc::new(script), seen: seen.clone() };
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(handler).await;
        });
        Self { url, seen, server }
    }

    /// What has been going on.
    pub fn seen(&self) -> Seen {
        self.seen.borrow().clone()
    }

    /// Waits until things are as wanted.
    pub async fn until(&self, wanted: impl Fn(&Seen) -> bool) -> Seen {
        let mut seen = self.seen.subscribe();
        let found = tokio::time::timeout(Duration::from_secs(60), seen.wait_for(|seen| wanted(seen))).await;
        found.expect("it never happens").unwrap().clone()
    }
}

impl Drop for Asr {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Handler {
    script: Arc<Script>,
    seen: Arc<watch::Sender<Seen>>,
}

/// A request without an answer yet; it also ends when the client goes away.
struct Open(Arc<watch::Sender<Seen>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|seen| seen.open -= 1);
    }
}

impl Endpoint for Handler {
    type Output = Response;

    async fn call(&self, request: Request) -> Result<Response> {
        let mut asked = Asked {
            path: request.uri().path().to_owned(),
            authorization: request.header("authorization").map(str::to_owned),
            ..Asked::default()
        };
        let (request, mut body) = request.split();
        let mut form = Multipart::from_request(&request, &mut body).await?;
        while let Some(field) = form.next_field().await? {
            let name = field.name().unwrap_or_default().to_owned();
            match field.file_name().map(str::to_owned) {
                Some(file) => (asked.file_name, asked.file) = (file, field.bytes().await?),
                None => asked.fields.push((name, field.text().await?)),
            }
        }
        self.seen.send_modify(|seen| {
            seen.asked.push(asked.clone());
            seen.open += 1;
            seen.most = seen.most.max(seen.open);
        });
        let _open = Open(self.seen.clone());
        let script = self.script.clone();
        let said = tokio::task::spawn_blocking(move || script(&asked)).await.unwrap();
        Ok(match said {
            Said::Json(status, value) => {
                let answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
                answer.content_type("application/json").body(value.to_string())
            }
            Said::Raw(status, headers, body) => {
                let mut answer = Response::builder().status(StatusCode::from_u16(status).unwrap());
                for (name, value) in headers {
                    answer = answer.header(name, value);
                }
                answer.body(body)
            }
            Said::Hang => std::future::pending::<&str>().await.into_response(),
        })
    }
}

/// Answers one after the other; the last one again and again.
pub fn in_turn(answers: Vec<Said>) -> impl Fn(&Asked) -> Said + Send + Sync + 'static {
    let left = Mutex::new(answers.into_iter().collect::<std::collections::VecDeque<_>>());
    move |_| {
        let mut left = left.lock().unwrap();
        if left.len() > 1 {
            return left.pop_front().unwrap();
        }
        match &left[0] {
            Said::Json(status, value) => Said::Json(*status, value.clone()),
            Said::Raw(status, headers, body) => Said::Raw(*status, headers.clone(), body.clone()),
            Said::Hang => Said::Hang,
        }
    }
}
