//! A server with S3's API over a folder, and a wire to it that can be cut.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Mutex},
};

use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto::Builder,
};
use s3s::{auth::SimpleAuth, service::S3ServiceBuilder};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

/// The one bucket.
pub const BUCKET: &str = "media";
/// The key that opens it.
pub const KEYS: (&str, &str) = ("trawl", "the secret of the tests");

/// A running server; it checks signatures as S3 does.
pub struct S3 {
    /// Where it listens.
    pub address: SocketAddr,
    folder: TempDir,
    _running: JoinSet<()>,
}

impl S3 {
    /// Starts one with an empty bucket.
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join(BUCKET)).unwrap();
        let mut service = S3ServiceBuilder::new(s3s_fs::FileSystem::new(folder.path()).unwrap());
        service.set_auth(SimpleAuth::from_single(KEYS.0, KEYS.1));
        let service = service.build();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((socket, _)) = listener.accept().await {
                let service = service.clone();
                connections.spawn(async move {
                    // A client that hangs up is no concern of the server's.
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service).await;
                });
            }
        });
        Self { address, folder, _running: running }
    }

    /// The files of the bucket.
    pub fn objects(&self) -> Vec<PathBuf> {
        files_below(&self.folder.path().join(BUCKET))
    }

    /// Parts of uploads that are neither complete nor aborted.
    pub fn unfinished(&self) -> usize {
        let is_part = |path: &PathBuf| path.to_string_lossy().contains(".upload_id-");
        files_below(self.folder.path()).iter().filter(|path| is_part(path)).count()
    }
}

fn files_below(folder: &std::path::Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files_below(&path) } else { vec![path] }).collect()
}

/// A direction, seen from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Up,
    Down,
}

/// What can happen on the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harm {
    Broken,
    BrokenForGood,
    OtherByte,
}

/// Connections to a server, which pass on what comes until they are cut.
pub struct Wire {
    /// Where clients connect.
    pub address: SocketAddr,
    state: Arc<Mutex<State>>,
    _running: JoinSet<()>,
}

#[derive(Default)]
struct State {
    /// After how many more bytes in which direction something happens.
    cut: Option<(Way, u64, Harm)>,
    is_dead: bool,
    cuts: u32,
    passed: [u64; 2],
}

impl Wire {
    /// Leads to a server.
    pub async fn to(server: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let state = Arc::<Mutex<State>>::default();
        let shared = Arc::clone(&state);
        let mut running = JoinSet::new();
        running.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                if !shared.lock().unwrap().is_dead {
                    connections.spawn(connect(client, server, Arc::clone(&shared)));
                }
            }
        });
        Self { address, state, _running: running }
    }

    /// Breaks the connection that brings the `bytes`th byte from now on; `for_good` every other one, too.
    pub fn cut_after(&self, way: Way, bytes: u64, for_good: bool) {
        self.harm(way, bytes, if for_good { Harm::BrokenForGood } else { Harm::Broken });
    }

    /// Puts another byte in the place of the `bytes`th one from now on.
    pub fn damage_after(&self, way: Way, bytes: u64) {
        self.harm(way, bytes, Harm::OtherByte);
    }

    fn harm(&self, way: Way, bytes: u64, harm: Harm) {
        let mut state = self.state.lock().unwrap();
        state.cut = Some((way, bytes, harm));
        state.passed = [0, 0];
    }

    /// Lets everything through again.
    pub fn mend(&self) {
        *self.state.lock().unwrap() = State::default();
    }

    /// How many bytes have passed since it was last set up.
    pub fn passed(&self, way: Way) -> u64 {
        self.state.lock().unwrap().passed[way as usize]
    }

    /// How often something has happened since it was last mended.
    pub fn cuts(&self) -> u32 {
        self.state.lock().unwrap().cuts
    }
}

async fn connect(client: TcpStream, server: SocketAddr, state: Arc<Mutex<State>>) {
    let Ok(server) = TcpStream::connect(server).await else { return };
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    // When one direction ends, so does the other.
    tokio::select! {
        () = pump(from_client, to_server, Way::Up, &state) => {}
        () = pump(from_server, to_client, Way::Down, &state) => {}
    }
}

async fn pump(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, way: Way, state: &Mutex<State>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        let harm = state.lock().unwrap().harm(way, read as u64);
        match harm {
            Some(Harm::OtherByte) => buffer[read - 1] ^= 1,
            Some(_) => return,
            None => {}
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

impl State {
    fn harm(&mut self, way: Way, bytes: u64) -> Option<Harm> {
        if self.is_dead {
            return Some(Harm::BrokenForGood);
        }
        self.passed[way as usize] += bytes;
        let (_, _, harm) = self.cut.take_if(|(cut, after, _)| *cut == way && self.passed[way as usize] >= *after)?;
        self.cuts += 1;
        self.is_dead = harm == Harm::BrokenForGood;
        Some(harm)
    }
}
