//! A transcription server on loopback. It reads real requests, byte by byte as they come, and answers what a test wants.
//! Stands in for software of others, in its own wire format. Also part of the integration binary.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use poem::{FromRequest, Request, RequestBody, web::Multipart};
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

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
        let (script, log): (Arc<Script>, _) = (Arc::new(script), seen.clone());
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, script.clone(), log.clone()));
            }
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

/// A request without an answer yet; it also ends when the client goes away.
struct Open(Arc<watch::Sender<Seen>>);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.send_modify(|seen| seen.open -= 1);
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, seen: Arc<watch::Sender<Seen>>) -> Option<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        read.read_line(&mut line).await.ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let header = |name: &str| {
        let split = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
        lines.iter().filter_map(split).find(|(other, _)| other == name).map(|(_, value)| value)
    };
    let mut body = vec![0; header("content-length")?.parse().ok()?];
    read.read_exact(&mut body).await.ok()?;
    let path = lines[0].strip_prefix("POST ")?.strip_suffix(" HTTP/1.1")?.to_owned();
    let mut asked = Asked { path, authorization: header("authorization"), ..Asked::default() };
    let request = Request::builder().header("content-type", header("content-type")?).finish();
    let mut form = Multipart::from_request(&request, &mut RequestBody::new(body.into())).await.ok()?;
    while let Some(field) = form.next_field().await.ok()? {
        let name = field.name()?.to_owned();
        match field.file_name().map(str::to_owned) {
            Some(file) => (asked.file_name, asked.file) = (file, field.bytes().await.ok()?),
            None => asked.fields.push((name, field.text().await.ok()?)),
        }
    }
    seen.send_modify(|seen| {
        seen.asked.push(asked.clone());
        seen.open += 1;
        seen.most = seen.most.max(seen.open);
    });
    let open = Open(seen);
    let (status, headers, body) = match tokio::task::spawn_blocking(move || script(&asked)).await.ok()? {
        Said::Json(status, value) => {
            (status, vec![("content-type", "application/json".to_owned())], value.to_string().into_bytes())
        }
        Said::Raw(status, headers, body) => (status, headers, body),
        Said::Hang => {
            // Until the client goes away.
            let _ = read.read_u8().await;
            return None;
        }
    };
    drop(open);
    let mut head = format!("HTTP/1.1 {status} X\r\nConnection: close\r\nContent-Length: {}\r\n", body.len());
    head.extend(headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")));
    write.write_all(format!("{head}\r\n").as_bytes()).await.ok()?;
    write.write_all(&body).await.ok()
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
