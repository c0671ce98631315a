//! A receiver of callbacks that checks every signature with the Standard Webhooks library.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use poem::{Endpoint, Request, Response, Result, Server, http::StatusCode, listener::TcpAcceptor};
use serde_json::Value;
use tokio::{
    net::TcpListener,
    sync::{
        mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
        watch,
    },
    task::JoinHandle,
};

use super::SECRET;

/// One callback that arrived.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its `webhook-id`.
    pub id: String,
    /// Its body.
    pub body: Value,
    /// Whether its signature is right.
    pub verified: bool,
}

/// A receiver. Dropping it stops it.
pub struct Receiver {
    /// Where callbacks go.
    pub url: String,
    inbox: UnboundedReceiver<Received>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
    gate: watch::Sender<bool>,
    server: JoinHandle<()>,
}

impl Receiver {
    /// Starts one that answers 204.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap());
        let (sender, inbox) = unbounded_channel();
        let statuses = Arc::new(Mutex::new(VecDeque::new()));
        let gate = watch::Sender::new(true);
        let handler = Handler { sender, statuses: Arc::clone(&statuses), gate: gate.subscribe() };
        let acceptor = TcpAcceptor::from_tokio(listener).unwrap();
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(handler).await;
        });
        Self { url, inbox, statuses, gate, server }
    }

    /// The next answers have these statuses; after them it is 204 again.
    pub fn answer(&self, statuses: &[u16]) {
        self.statuses.lock().unwrap().extend(statuses);
    }

    /// Whether callbacks are answered, or left hanging after they have arrived.
    pub fn open(&self, open: bool) {
        self.gate.send_replace(open);
    }

    /// Waits for the next callback.
    pub async fn next(&mut self) -> Received {
        tokio::time::timeout(std::time::Duration::from_secs(60), self.inbox.recv()).await.expect("no callback").unwrap()
    }

    /// Waits for the next callback as long as it takes.
    pub async fn wait(&mut self) -> Option<Received> {
        self.inbox.recv().await
    }

    /// A callback that has arrived already.
    pub fn try_next(&mut self) -> Option<Received> {
        self.inbox.try_recv().ok()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Handler {
    sender: UnboundedSender<Received>,
    statuses: Arc<Mutex<VecDeque<u16>>>,
    gate: watch::Receiver<bool>,
}

impl Endpoint for Handler {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let body = request.take_body().into_vec().await.unwrap();
        let mut headers = http::HeaderMap::new();
        for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
            if let Some(value) = request.header(name) {
                headers.insert(name, value.parse().unwrap());
            }
        }
        let webhook = standardwebhooks::Webhook::new(SECRET).unwrap();
        let received = Received {
            id: request.header("webhook-id").unwrap_or_default().to_owned(),
            verified: webhook.verify(&body, &headers).is_ok(),
            body: serde_json::from_slice(&body).unwrap(),
        };
        let status = self.statuses.lock().unwrap().pop_front().unwrap_or(204);
        let _ = self.sender.send(received);
        let _ = self.gate.clone().wait_for(|open| *open).await;
        Ok(Response::builder().status(StatusCode::from_u16(status).unwrap()).finish())
    }
}
