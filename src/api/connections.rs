//! Accepts connections: not too many, not too many of one address, and none that keeps its request's head to itself.

use std::{io, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use socket2::{SockRef, TcpKeepalive};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};

use super::{head::Guarded, peers::Peers};

/// How long to wait after a failed accept (usually the process has no file left), and for a place before
/// another connection that does nothing has to go.
const PAUSE: Duration = Duration::from_millis(50);

/// How long a connection is silent before the system asks whether its other end is still there, and how often it asks
/// then: a client that vanished in the middle of a long answer is noticed.
const SILENT: Duration = Duration::from_secs(60);
const ASK_EVERY: Duration = Duration::from_secs(15);

/// What a listener lets happen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Connections at the same time.
    pub most: usize,
    /// Until a request's head is here.
    pub head: Duration,
    /// How long a connection may be silent while nothing is worked on for it.
    pub idle: Duration,
}

/// A listener with limits.
pub(super) struct Connections {
    listener: TcpListener,
    local: LocalAddr,
    places: Arc<Semaphore>,
    limits: Limits,
    peers: Peers,
}

impl Connections {
    /// Takes connections from `listener` and writes down in `peers` who they are.
    pub(super) fn new(listener: TcpListener, limits: Limits, peers: Peers) -> io::Result<Self> {
        let local = LocalAddr(listener.local_addr()?.into());
        let places = Arc::new(Semaphore::new(limits.most.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self { listener, local, places, limits, peers })
    }

    /// A place for one connection; when all are taken, one that does nothing makes room.
    async fn place(&self) -> io::Result<OwnedSemaphorePermit> {
        let mut free = pin!(Arc::clone(&self.places).acquire_owned());
        loop {
            if self.places.available_permits() == 0 {
                self.peers.shed();
            }
            if let Ok(place) = tokio::time::timeout(PAUSE, &mut free).await {
                return place.map_err(io::Error::other);
            }
        }
    }

    fn guard(&self, stream: TcpStream, from: SocketAddr, place: OwnedSemaphorePermit) -> Option<Guarded<TcpStream>> {
        let Some(seat) = self.peers.seat(from, place) else {
            tracing::debug!(%from, "an address has too many connections");
            return None;
        };
        // Small answers should not wait for more to come; a socket that cannot do this works all the same.
        let _ = stream.set_nodelay(true);
        let _ =
            SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(SILENT).with_interval(ASK_EVERY));
        Some(Guarded::new(stream, self.limits.head, self.limits.idle, Some(seat)))
    }
}

impl Acceptor for Connections {
    type Io = Guarded<TcpStream>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        loop {
            // The one that has come waits here for its place, all others in the system's queue.
            let (stream, from) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    // Most likely there is no file left for it.
                    self.peers.shed();
                    // The server asks again at once, so the wait is here.
                    tokio::time::sleep(PAUSE).await;
                    return Err(error);
                }
            };
            let place = self.place().await?;
            if let Some(stream) = self.guard(stream, from, place) {
                return Ok((stream, self.local.clone(), RemoteAddr(from.into()), Scheme::HTTP));
            }
        }
    }
}
