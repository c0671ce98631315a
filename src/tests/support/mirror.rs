//! A mirror of models on loopback that breaks off where it is told to, and counts what it sends.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

use super::root;

/// How one request is answered; after the last turn all are [`Turn::Whole`].
#[derive(Clone)]
pub enum Turn {
    /// The file, or the part of it that was asked for.
    Whole,
    /// So many bytes of it, then the connection closes.
    Break(usize),
    /// So many bytes of it, then nothing until the gate opens.
    Hold(usize, watch::Receiver<bool>),
    /// The whole file, whatever part was asked for.
    NoRanges,
    /// The file without its last bytes, announced as if that were all.
    Short(usize),
    /// The file, announced as if there were so many bytes more.
    Long(usize),
    /// A page.
    Page(&'static str),
}

/// One request, as it came and as far as it was answered.
#[derive(Clone, Debug)]
pub struct Request {
    /// Method, address and version.
    pub line: String,
    /// The first byte asked for.
    pub from: Option<usize>,
    /// Bytes of the body that were sent.
    pub sent: usize,
}

/// A server that has the smoke model under every name. Dropping it stops it.
pub struct Mirror {
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    turns: Arc<Mutex<VecDeque<Turn>>>,
    requests: Arc<Mutex<Vec<Request>>>,
    server: JoinHandle<()>,
}

impl Mirror {
    /// Starts one that answers so, in this order.
    pub async fn start(turns: impl IntoIterator<Item = Turn>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let turns = Arc::new(Mutex::new(turns.into_iter().collect::<VecDeque<_>>()));
        let requests = Arc::<Mutex<Vec<Request>>>::default();
        let (plan, log, file) = (turns.clone(), requests.clone(), Arc::new(Self::file()));
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(answer(stream, plan.clone(), log.clone(), file.clone()));
            }
        });
        Self { url, turns, requests, server }
    }

    /// The file that it has.
    pub fn file() -> Vec<u8> {
        std::fs::read(root().join("models/smoke/ggml-smoke-q8_0.bin")).unwrap()
    }

    /// Answers the next requests so.
    pub fn then(&self, turns: impl IntoIterator<Item = Turn>) {
        self.turns.lock().unwrap().extend(turns);
    }

    /// The requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    /// The first bytes asked for, request by request.
    pub fn starts(&self) -> Vec<Option<usize>> {
        self.requests().iter().map(|request| request.from).collect()
    }
}

impl Drop for Mirror {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn answer(
    stream: TcpStream,
    turns: Arc<Mutex<VecDeque<Turn>>>,
    requests: Arc<Mutex<Vec<Request>>>,
    file: Arc<Vec<u8>>,
) -> Option<()> {
    let (read, mut write) = stream.into_split();
    let mut lines = BufReader::new(read).lines();
    let line = lines.next_line().await.ok()??;
    let mut from = None;
    while let Some(header) = lines.next_line().await.ok()?.filter(|header| !header.is_empty()) {
        let range = header.to_ascii_lowercase();
        let first = range.strip_prefix("range: bytes=").and_then(|range| range.split('-').next()?.parse().ok());
        from = first.or(from);
    }
    let turn = turns.lock().unwrap().pop_front().unwrap_or(Turn::Whole);
    let number = {
        let mut requests = requests.lock().unwrap();
        requests.push(Request { line, from, sent: 0 });
        requests.len() - 1
    };
    let total = file.len();
    let begin = from.filter(|_| !matches!(turn, Turn::NoRanges | Turn::Page(_))).unwrap_or(0);
    if begin >= total {
        let head = format!("HTTP/1.1 416 X\r\nContent-Range: bytes */{total}\r\nContent-Length: 0\r\n\r\n");
        return write.write_all(head.as_bytes()).await.ok();
    }
    let rest = &file[begin..];
    let (body, announced) = match &turn {
        Turn::Page(page) => (page.as_bytes(), page.len()),
        Turn::Short(less) => (&rest[..rest.len() - less], rest.len() - less),
        Turn::Long(more) => (rest, rest.len() + more),
        Turn::Break(most) => (&rest[..rest.len().min(*most)], rest.len()),
        _ => (rest, rest.len()),
    };
    let end = begin + announced;
    let (status, range) = match begin {
        0 => (200, String::new()),
        _ => (206, format!("Content-Range: bytes {begin}-{}/{end}\r\n", end - 1)),
    };
    let etag = if matches!(turn, Turn::Page(_)) { "" } else { "ETag: \"smoke\"\r\n" };
    let head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{etag}{range}Content-Length: {announced}\r\n\r\n");
    write.write_all(head.as_bytes()).await.ok()?;
    for (index, piece) in body.chunks(64 * 1024).enumerate() {
        if let Turn::Hold(most, gate) = &turn
            && index * 64 * 1024 >= *most
        {
            gate.clone().wait_for(|open| *open).await.ok()?;
        }
        write.write_all(piece).await.ok()?;
        requests.lock().unwrap()[number].sent += piece.len();
    }
    write.shutdown().await.ok()
}
