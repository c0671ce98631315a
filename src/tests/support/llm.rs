//! A server with OpenAI's chat API on loopback: it speaks the wire format, and a test says what the model says. Stands in
//! for someone else's service. Also part of the library's own tests.

#![allow(dead_code, reason = "one of the two that it is part of uses what the other one does not")]

use std::{
    collections::VecDeque,
    convert::Infallible,
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use poem::{Body, Endpoint, Request, Response, Result, Server, http::StatusCode, listener::TcpAcceptor};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// Tokens that the server says it has read and written, for every answer.
pub const COUNTED: (u64, u64) = (100, 10);

/// What the model says, or the server in its place.
#[derive(Clone, Debug)]
pub enum Say {
    /// An answer; streamed when that is asked for.
    Text(String),
    /// An answer that ended for this reason.
    Ended(String, &'static str),
    /// An answer whose tokens nobody counts.
    Uncounted(String),
    /// An answer that breaks off in the middle of the stream.
    Broken(String),
    /// An answer whose stream goes on for ever without a word.
    Stuck(String),
    /// OpenAI's JSON of an error: status, message, code, and `Retry-After`.
    Error(u16, &'static str, &'static str, Option<&'static str>),
    /// Any body, as JSON.
    Raw(u16, Vec<u8>),
    /// Nothing, for good.
    Hang,
}

impl Say {
    /// An answer.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// An answer in JSON.
    pub fn json(value: &Value) -> Self {
        Self::Text(value.to_string())
    }
}

/// What was asked.
#[derive(Clone, Debug)]
pub struct Asked {
    pub path: String,
    pub authorization: Option<String>,
    pub idempotency_key: Option<String>,
    pub body: Value,
}

impl Asked {
    /// The contents of the messages with this role.
    pub fn said_by(&self, role: &str) -> Vec<&str> {
        let messages = self.body["messages"].as_array().unwrap();
        messages
            .iter()
            .filter(|message| message["role"] == role)
            .map(|message| message["content"].as_str().unwrap())
            .collect()
    }

    /// What lies inside the fence of the first user's message.
    pub fn data(&self) -> &str {
        let user = self.said_by("user")[0];
        let (_, rest) = user.split_once("<<<trawl-data ").expect("there is no fence");
        let (id, rest) = rest.split_once(">>>\n").unwrap();
        let (data, after) = rest.split_once(&format!("\n<<<end of trawl-data {id}>>>")).unwrap();
        assert_eq!(after, "", "something stands behind the fence");
        data
    }
}

type Script = dyn Fn(&Asked) -> Say + Send + Sync;

/// The server. Dropping it stops it.
pub struct LlmServer {
    /// Up to and with `/v1`.
    pub url: String,
    state: Arc<State>,
    server: JoinHandle<()>,
}

struct State {
    queue: Mutex<VecDeque<Say>>,
    script: Box<Script>,
    asked: watch::Sender<Vec<Asked>>,
}

impl LlmServer {
    /// A server which says what [`Self::say`] has been told, and then answers 500.
    pub async fn start() -> Self {
        Self::answering(|_| Say::Error(500, "nothing is left to say", "server_error", None)).await
    }

    /// A server which, when nothing is queued, makes its answer of the question.
    pub async fn answering(script: impl Fn(&Asked) -> Say + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let asked = watch::Sender::new(Vec::new());
        let state = Arc::new(State { queue: Mutex::default(), script: Box::new(script), asked });
        let (acceptor, handler) = (TcpAcceptor::from_tokio(listener).unwrap(), Handler(Arc::clone(&state)));
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(handler).await;
        });
        Self { url, state, server }
    }

    /// Queues an answer.
    pub fn say(&self, say: Say) {
        self.state.queue.lock().unwrap().push_back(say);
    }

    /// What was asked so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.state.asked.borrow().clone()
    }

    /// Waits until so many questions were asked.
    pub async fn asked_times(&self, times: usize) -> Vec<Asked> {
        let mut asked = self.state.asked.subscribe();
        let waiting = tokio::time::timeout(Duration::from_secs(60), asked.wait_for(|asked| asked.len() >= times));
        waiting.await.expect("nobody asks").unwrap().clone()
    }
}

impl Drop for LlmServer {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Handler(Arc<State>);

impl Endpoint for Handler {
    type Output = Response;

    async fn call(&self, mut request: Request) -> Result<Response> {
        let body = request.take_body().into_vec().await.unwrap();
        let header = |name: &str| request.header(name).map(str::to_owned);
        let asked = Asked {
            path: request.uri().path().to_owned(),
            authorization: header("authorization"),
            idempotency_key: header("idempotency-key"),
            body: serde_json::from_slice(&body).unwrap(),
        };
        let queued = self.0.queue.lock().unwrap().pop_front();
        let say = queued.unwrap_or_else(|| (self.0.script)(&asked));
        self.0.asked.send_modify(|all| all.push(asked.clone()));
        let is_streamed = asked.body["stream"] == true;
        let counts = !is_streamed || asked.body["stream_options"]["include_usage"] == true;
        Ok(match say {
            Say::Hang => std::future::pending().await,
            Say::Error(status, message, code, retry_after) => {
                let body = json!({ "error": { "message": message, "type": "error", "param": null, "code": code } });
                let response = Response::builder().status(StatusCode::from_u16(status).unwrap());
                let response =
                    retry_after.into_iter().fold(response, |response, wait| response.header("retry-after", wait));
                response.content_type("application/json").body(body.to_string())
            }
            Say::Raw(status, body) => Response::builder()
                .status(StatusCode::from_u16(status).unwrap())
                .content_type("application/json")
                .body(body),
            Say::Text(text) if is_streamed => streamed(&text, Some("stop"), counts, End::Done),
            Say::Ended(text, why) if is_streamed => streamed(&text, Some(why), counts, End::Done),
            Say::Uncounted(text) if is_streamed => streamed(&text, Some("stop"), false, End::Done),
            Say::Broken(text) => streamed(&text, None, false, End::Broken),
            Say::Stuck(text) => streamed(&text, None, false, End::Stuck),
            Say::Text(text) => whole(&text, "stop", counts),
            Say::Ended(text, why) => whole(&text, why, counts),
            Say::Uncounted(text) => whole(&text, "stop", false),
        })
    }
}

fn usage() -> Value {
    json!({ "prompt_tokens": COUNTED.0, "completion_tokens": COUNTED.1, "total_tokens": COUNTED.0 + COUNTED.1 })
}

fn whole(text: &str, why: &str, counts: bool) -> Response {
    let mut body = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1_700_000_000, "model": "stub",
        "choices": [{ "index": 0, "message": { "role": "assistant", "content": text, "refusal": null }, "logprobs": null,
            "finish_reason": why }],
    });
    if counts {
        body["usage"] = usage();
    }
    Response::builder().content_type("application/json").body(body.to_string())
}

/// How a stream ends.
enum End {
    Done,
    Broken,
    Stuck,
}

fn streamed(text: &str, why: Option<&str>, counts: bool, end: End) -> Response {
    let event = |choices: Value, usage: Value| {
        let chunk = json!({
            "id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "stub",
            "choices": choices, "usage": usage,
        });
        format!("data: {chunk}\n\n")
    };
    let choice =
        |delta: Value, why: Value| json!([{ "index": 0, "delta": delta, "logprobs": null, "finish_reason": why }]);
    let mut events = vec![event(choice(json!({ "role": "assistant", "content": "" }), Value::Null), Value::Null)];
    for piece in text.chars().collect::<Vec<_>>().chunks(8) {
        let piece: String = piece.iter().collect();
        events.push(event(choice(json!({ "content": piece }), Value::Null), Value::Null));
    }
    if let Some(why) = why {
        events.push(event(choice(json!({}), json!(why)), Value::Null));
    }
    if counts {
        events.push(event(json!([]), usage()));
    }
    if matches!(end, End::Done) {
        events.push("data: [DONE]\n\n".to_owned());
    }
    let events = stream::iter(events.into_iter().map(Ok::<_, io::Error>));
    let body = match end {
        End::Done => Body::from_bytes_stream(events),
        End::Broken => Body::from_bytes_stream(events.chain(stream::once(async { Err(io::Error::other("broken")) }))),
        End::Stuck => {
            let never = stream::once(std::future::pending::<Infallible>()).map(|never| match never {});
            Body::from_bytes_stream(events.chain(never))
        }
    };
    Response::builder().content_type("text/event-stream").body(body)
}
