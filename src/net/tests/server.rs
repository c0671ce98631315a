//! A small HTTP server on loopback that says exactly what a test wants, byte by byte.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::watch,
};

/// What was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn path(&self) -> &str {
        self.line.split(' ').nth(1).unwrap_or_default()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// One step of an answer. After the last one the connection is closed.
pub(crate) enum Act {
    Send(Vec<u8>),
    /// The same bytes again and again until the client has had enough.
    Forever(Vec<u8>),
    /// The same byte again and again, one each time that this long has passed.
    Drip(u8, Duration),
    /// Nothing more, until the client goes away.
    Hang,
    /// The connection breaks.
    Reset,
}

type Script = dyn Fn(&Asked) -> Vec<Act> + Send + Sync;

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    asked: Arc<watch::Sender<Vec<Asked>>>,
    connections: Arc<AtomicUsize>,
    sent: Arc<AtomicUsize>,
    task: tokio::task::JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(script: impl Fn(&Asked) -> Vec<Act> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::<watch::Sender<Vec<Asked>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let sent = Arc::<AtomicUsize>::default();
        let script: Arc<Script> = Arc::new(script);
        let (log, count, bytes) = (asked.clone(), connections.clone(), sent.clone());
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                count.fetch_add(1, Ordering::SeqCst);
                tokio::spawn(serve(stream, script.clone(), log.clone(), bytes.clone()));
            }
        });
        Self { address, asked, connections, sent, task }
    }

    /// A server that nobody should ever talk to.
    pub(crate) async fn canary() -> Self {
        Self::start(|_| reply(200, "", b"canary")).await
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.borrow().clone()
    }

    /// Waits until that was asked which is looked for.
    pub(crate) async fn until_asked(&self, there: impl Fn(&[Asked]) -> bool) {
        let mut asked = self.asked.subscribe();
        let waiting = asked.wait_for(|asked| there(asked));
        let _ = tokio::time::timeout(Duration::from_secs(60), waiting).await.expect("it was never asked").unwrap();
    }

    /// Bytes that were written to clients.
    pub(crate) fn sent(&self) -> usize {
        self.sent.load(Ordering::SeqCst)
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(
    mut stream: TcpStream,
    script: Arc<Script>,
    log: Arc<watch::Sender<Vec<Asked>>>,
    sent: Arc<AtomicUsize>,
) -> Option<()> {
    let (read, mut write) = stream.split();
    let mut read = BufReader::new(read);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if read.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let line = lines.remove(0);
    let split = |line: &String| line.split_once(": ").map(|(name, value)| (name.to_lowercase(), value.to_owned()));
    let mut asked = Asked { line, headers: lines.iter().filter_map(split).collect(), body: Vec::new() };
    let length = asked.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    asked.body.resize(length, 0);
    read.read_exact(&mut asked.body).await.ok()?;
    log.send_modify(|log| log.push(asked.clone()));
    for act in script(&asked) {
        match act {
            Act::Send(bytes) => {
                write.write_all(&bytes).await.ok()?;
                sent.fetch_add(bytes.len(), Ordering::SeqCst);
            }
            Act::Forever(bytes) => loop {
                write.write_all(&bytes).await.ok()?;
                sent.fetch_add(bytes.len(), Ordering::SeqCst);
            },
            Act::Drip(byte, every) => {
                let mut every = tokio::time::interval(every);
                loop {
                    every.tick().await;
                    write.write_all(&[byte]).await.ok()?;
                }
            }
            Act::Hang => {
                let mut rest = Vec::new();
                let _ = read.read_to_end(&mut rest).await;
            }
            Act::Reset => {
                let socket = socket2::SockRef::from(write.as_ref());
                socket.set_linger(Some(Duration::ZERO)).ok()?;
                return None;
            }
        }
    }
    Some(())
}

/// A head without `Content-Length`; `headers` are whole lines, each with its line end.
pub(crate) fn head(status: u16, headers: &str) -> Act {
    Act::Send(format!("HTTP/1.1 {status} X\r\nConnection: close\r\n{headers}\r\n").into_bytes())
}

/// A whole answer.
pub(crate) fn reply(status: u16, headers: &str, body: &[u8]) -> Vec<Act> {
    vec![head(status, &format!("{headers}Content-Length: {}\r\n", body.len())), Act::Send(body.to_vec())]
}

pub(crate) fn redirect(status: u16, to: &str) -> Vec<Act> {
    reply(status, &format!("Location: {to}\r\n"), b"")
}
