//! A gate for a program that speaks to the network by itself: an HTTP proxy on loopback which keeps our rules.
//!
//! It is open while its [`Gate`] lives, and lets in who knows its password. Each connection is checked like a request
//! of ours: scheme, port and address, and the address that was checked is the one that is connected to. Encrypted
//! connections pass through as they are; of plain ones each carries one request.

mod head;
mod relay;

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use tokio::{
    io::AsyncWriteExt,
    net::{TcpListener, TcpStream},
    task::{JoinHandle, JoinSet},
    time::{sleep, timeout},
};
use url::{Host, Url};

use self::head::Asked;
use super::{
    Net,
    resolve::{Guard, Lookup, Unresolved},
    rules::{Rules, Target, refused},
};
use crate::error::{Code, Error, Result};

/// Connections at the same time.
const MAX_CONNECTIONS: usize = 64;
/// How long the head of a request may take.
const HEAD_TIME: Duration = Duration::from_secs(10);
/// After a connection that could not be taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// The name that goes with the password.
const NAME: &str = "gate";

/// An open gate. Dropping it closes it, and all that passes through it.
pub struct Gate {
    address: SocketAddr,
    secret: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

/// What connections share.
struct Shared {
    rules: Arc<Rules>,
    lookup: Arc<dyn Lookup>,
    connect: Duration,
    total: Duration,
    /// What `Proxy-Authorization` must say.
    password: String,
    /// Bytes that may still pass, in both directions together.
    left: AtomicU64,
    /// The first thing that was refused.
    refused: Mutex<Option<(Code, String)>>,
}

impl Net {
    /// Opens a gate through which `max_bytes` may pass.
    pub async fn gate(&self, max_bytes: u64) -> Result<Gate> {
        let inner = &self.inner;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let secret = format!("{:032x}", rand::random::<u128>());
        let shared = Arc::new(Shared {
            rules: inner.rules.clone(),
            lookup: inner.lookup.clone(),
            connect: inner.config.connect_timeout.0,
            total: inner.config.total_timeout.0,
            password: format!("Basic {}", BASE64_STANDARD.encode(format!("{NAME}:{secret}"))),
            left: AtomicU64::new(max_bytes),
            refused: Mutex::default(),
        });
        let address = listener.local_addr()?;
        let task = tokio::spawn(listen(listener, shared.clone()));
        Ok(Gate { address, secret, shared, task })
    }
}

impl Gate {
    /// Its URL as a proxy, with name and password: a secret while it is open.
    pub fn url(&self) -> String {
        format!("http://{NAME}:{}@{}", self.secret, self.address)
    }

    /// Its port on loopback.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Why something was not let through: the first reason.
    pub fn refusal(&self) -> Option<Error> {
        let refused = self.shared.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.as_ref().map(|(code, detail)| Error::new(*code, detail.clone()))
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Takes connections until it is aborted; those go with it.
async fn listen(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
            continue;
        }
        // A connection that breaks while it is taken is nobody's loss; when files run out, asking at once helps nobody.
        let Ok((client, _)) = listener.accept().await else {
            sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let shared = shared.clone();
        connections.spawn(async move {
            let served = timeout(shared.total, shared.serve(client)).await;
            tracing::trace!(?served, "a connection through the gate has ended");
        });
    }
}

impl Shared {
    async fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        let Ok(read) = timeout(HEAD_TIME, relay::read_head(&mut client)).await else { return Ok(()) };
        let (head, rest) = read?;
        let asked = match head::read(&head, &self.password) {
            Ok(asked) => asked,
            Err(407) => {
                return say(&mut client, "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic").await;
            }
            Err(status) => return say(&mut client, &format!("{status} Refused")).await,
        };
        let mut server = match self.connect(asked.url()).await {
            Ok(server) => server,
            Err(error) => {
                let ours = matches!(error.code, Code::AddressRefused | Code::PortRefused | Code::InvalidLink);
                if ours {
                    self.note(&error);
                }
                return say(&mut client, if ours { "403 Forbidden" } else { "502 Bad Gateway" }).await;
            }
        };
        match asked {
            Asked::Tunnel(_) => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                server.write_all(self.counted(&rest)?).await?;
                relay::both_ways(&mut client, &mut server, self).await
            }
            Asked::Plain { head, body, .. } => {
                server.write_all(self.counted(&head)?).await?;
                relay::one_request(&mut client, &mut server, &rest, body, self).await
            }
        }
    }

    /// Connects to an address that the rules permit, or to what stands for the host (`net.host_map`).
    async fn connect(&self, url: &Url) -> Result<TcpStream> {
        let target: Target = self.rules.check(url)?;
        let unreachable = || Error::new(Code::ConnectFailed, format!("{} cannot be reached", target.host));
        let place = target.base.as_ref().unwrap_or(url);
        let addresses = match place.host() {
            Some(Host::Ipv4(address)) => vec![address.into()],
            Some(Host::Ipv6(address)) => vec![address.into()],
            Some(Host::Domain(name)) => {
                let rules = (!target.exempt).then(|| self.rules.clone());
                let guard = Guard { lookup: self.lookup.clone(), rules };
                guard.addresses(name.to_owned()).await.map_err(|error| match error {
                    Unresolved::Refused => refused(&target.host),
                    Unresolved::Unknown(error) => unreachable().with_source(error),
                })?
            }
            None => return Err(unreachable()),
        };
        let port = place.port_or_known_default().unwrap_or_default();
        for address in addresses {
            if let Ok(Ok(server)) = timeout(self.connect, TcpStream::connect((address, port))).await {
                self.rules.check_peer(&target, server.peer_addr().ok())?;
                return Ok(server);
            }
        }
        Err(unreachable())
    }

    /// Bytes that may pass, or an error when too many have.
    fn counted<'a>(&self, bytes: &'a [u8]) -> io::Result<&'a [u8]> {
        let spend = |left: u64| left.checked_sub(bytes.len() as u64);
        if self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, spend).is_err() {
            self.note(&Error::new(Code::TooLarge, "The program that looks at the link fetches too much"));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        Ok(bytes)
    }

    fn note(&self, error: &Error) {
        tracing::info!(code = %error.code.as_str(), detail = error.detail, "not let through the gate");
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        refused.get_or_insert_with(|| (error.code, error.detail.clone()));
    }
}

/// An answer of the gate's own.
async fn say(client: &mut TcpStream, status: &str) -> io::Result<()> {
    let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    client.write_all(answer.as_bytes()).await?;
    client.shutdown().await
}
