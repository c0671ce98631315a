//! The platforms on loopback: one server that answers for every host of the captures.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use poem::{Endpoint, Request, Response, Server, http::StatusCode, listener::TcpAcceptor};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::manifest::Capture;

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Seen {
    pub host: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub cookie: String,
}

#[derive(Default)]
struct Scene {
    captures: Vec<Capture>,
    /// The capture whose answer is looked at: it answers before all others.
    first: Option<usize>,
    /// It answers its first request only.
    once: bool,
    seen: Vec<Seen>,
}

/// The server. Dropping it stops it.
pub struct Stub {
    /// `127.0.0.1:PORT`.
    pub address: String,
    scene: Arc<Mutex<Scene>>,
    server: JoinHandle<()>,
}

impl Stub {
    pub async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?.to_string();
        let scene = Arc::new(Mutex::new(Scene::default()));
        let handler = Handler(Arc::clone(&scene));
        let acceptor = TcpAcceptor::from_tokio(listener)?;
        let server = tokio::spawn(async move {
            let _ = Server::new_with_acceptor(acceptor).run(handler).await;
        });
        Ok(Self { address, scene, server })
    }

    /// What there is to answer with.
    pub fn load(&self, captures: &[Capture]) {
        self.lock().captures = captures.to_vec();
    }

    /// Begins anew, with one capture before all others.
    pub fn play(&self, index: usize) {
        let mut scene = self.lock();
        let outcome = scene.captures[index].expect["outcome"].clone();
        // A challenge goes away once it is solved, and so does a refusal of one variant.
        scene.once = matches!(outcome.as_str(), Some("retry" | "retry_with_other_aid"));
        scene.first = Some(index);
        scene.seen.clear();
    }

    /// What was asked since.
    pub fn seen(&self) -> Vec<Seen> {
        self.lock().seen.clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Scene> {
        self.scene.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

impl Drop for Stub {
    fn drop(&mut self) {
        self.server.abort();
    }
}

struct Handler(Arc<Mutex<Scene>>);

impl Endpoint for Handler {
    type Output = Response;

    async fn call(&self, request: Request) -> poem::Result<Response> {
        let seen = read(&request);
        let mut scene = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let answer = scene.answer(&seen);
        scene.seen.push(seen);
        Ok(answer.map_or_else(
            || Response::builder().status(StatusCode::NOT_FOUND).finish(),
            |capture| {
                let status = StatusCode::from_u16(capture.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
                // The length is that of what is sent here.
                let headers = capture.headers.iter().filter(|(name, _)| !name.eq_ignore_ascii_case("content-length"));
                headers
                    .fold(Response::builder().status(status), |response, (name, value)| response.header(name, value))
                    .body(capture.body)
            },
        ))
    }
}

fn read(request: &Request) -> Seen {
    let header = |name: &str| request.header(name).unwrap_or_default().to_owned();
    let query = request.uri().query().unwrap_or_default();
    Seen {
        host: header("host"),
        path: request.uri().path().to_owned(),
        query: url::form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        cookie: header("cookie"),
    }
}

impl Scene {
    fn answer(&self, seen: &Seen) -> Option<Capture> {
        let first = self.first.map(|index| &self.captures[index]).filter(|capture| {
            let spent = self.once && self.seen.iter().any(|before| is_for(capture, before));
            is_for(capture, seen) && !spent && !is_solved(capture, seen)
        });
        let exact = || {
            let others = self.captures.iter().enumerate().filter(|(index, _)| Some(*index) != self.first);
            let mut fitting = others.map(|(_, other)| other).filter(|other| is_exactly_for(other, seen));
            fitting.find(|other| matches!(other.expect["outcome"].as_str(), None | Some("ok"))).cloned()
        };
        first.cloned().or_else(exact).or_else(|| self.somebody(seen))
    }

    /// The page of the person to whom a captured list belongs, for folders without that page.
    fn somebody(&self, seen: &Seen) -> Option<Capture> {
        let list = &self.captures[self.first?];
        let sec_uid = list.asked.query.get("secUid").map_or("replay", String::as_str);
        let user = json!({ "uniqueId": "replay", "secUid": sec_uid });
        let data = json!({ "__DEFAULT_SCOPE__": { "webapp.user-detail": { "userInfo": { "user": user } } } });
        let page = format!("<script id=\"__UNIVERSAL_DATA_FOR_REHYDRATION__\">{data}</script>");
        (seen.path == "/@replay").then(|| Capture { status: 200, headers: vec![], body: page.into(), ..list.clone() })
    }
}

/// Whether a capture answers such a request, apart from conditions that a correct client does not meet.
fn is_for(capture: &Capture, seen: &Seen) -> bool {
    let id = |query: &BTreeMap<String, String>| {
        let named =
            ["aweme_id", "aweme_ids", "itemId", "mix_id", "music_id", "mixId", "collectionId", "secUid", "sec_user_id"];
        named.iter().find_map(|name| query.get(*name).cloned())
    };
    let wanted = id(&capture.asked.query);
    capture.host == seen.host
        && path(capture.asked.path.split('?').next().unwrap_or_default()) == path(&seen.path)
        && (wanted.is_none() || wanted == id(&seen.query))
}

/// Lists that no module asks for answer in the place of one that it does.
fn path(path: &str) -> &str {
    match path.trim_end_matches('/') {
        "/aweme/v1/web/aweme/favorite" => "/aweme/v1/web/aweme/post",
        "/api/post/item_list" => "/api/creator/item_list",
        path if path.starts_with("/api/v1/") => "/api/v1",
        path => path,
    }
}

/// Whether every condition of the capture holds.
fn is_exactly_for(capture: &Capture, seen: &Seen) -> bool {
    let holds = |(name, wanted): (&String, &String)| {
        let given = seen.query.get(name).map(String::as_str);
        match wanted.as_str() {
            "absent" => given.is_none(),
            "…" => given.is_some(),
            "now in ms" => given.is_some_and(|given| given.len() == 13 && !given.ends_with("00000")),
            "19 digits" => given.is_some_and(|given| given.len() == 19),
            _ => match wanted.strip_prefix("!=") {
                Some(other) => given.is_some_and(|given| given != other),
                None => given == Some(wanted),
            },
        }
    };
    is_for(capture, seen) && capture.asked.query.iter().all(holds) && capture.asked.cookie.is_none()
}

/// Whether the request brings what a challenge asks for.
fn is_solved(capture: &Capture, seen: &Seen) -> bool {
    let Some(wanted) = capture.expect.get("set_cookie").and_then(Value::as_object) else { return false };
    wanted.iter().all(|(name, value)| {
        let given = cookie(&seen.cookie, name);
        given.is_some_and(|given| is_same(given, value.as_str().unwrap_or_default()))
    })
}

/// The value of one cookie of a `Cookie` header.
pub fn cookie<'a>(header: &'a str, name: &str) -> Option<&'a str> {
    let pairs = header.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
}

/// Whether two values are the same, as JSON in base64 apart from the order of keys.
fn is_same(left: &str, right: &str) -> bool {
    let json = |text: &str| serde_json::from_slice::<Value>(&STANDARD.decode(text).ok()?).ok();
    left == right || json(left).is_some_and(|left| Some(left) == json(right))
}
