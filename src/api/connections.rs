//! Accepts connections: not too many, and none that keeps its request's head to itself.

use std::{io, sync::Arc, time::Duration};

use poem::{
    http::uri::Scheme,
    listener::Acceptor,
    web::{LocalAddr, RemoteAddr},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::head::Guarded;

/// How long to wait after a failed accept: usually the process has no file left.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener with limits.
pub(super) struct Connections {
    listener: TcpListener,
    local: LocalAddr,
    places: Arc<Semaphore>,
    head: Duration,
    idle: Duration,
}

impl Connections {
    /// At most `most` connections at the same time; a request's head within `head`; silence for at most `idle`.
    pub(super) fn new(listener: TcpListener, most: usize, head: Duration, idle: Duration) -> io::Result<Self> {
        let local = LocalAddr(listener.local_addr()?.into());
        let places = Arc::new(Semaphore::new(most.clamp(1, Semaphore::MAX_PERMITS)));
        Ok(Self { listener, local, places, head, idle })
    }
}

impl Acceptor for Connections {
    type Io = Guarded<TcpStream>;

    fn local_addr(&self) -> Vec<LocalAddr> {
        vec![self.local.clone()]
    }

    async fn accept(&mut self) -> io::Result<(Self::Io, LocalAddr, RemoteAddr, Scheme)> {
        // Whoever comes when all places are taken waits in the system's queue.
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(io::Error::other)?;
        match self.listener.accept().await {
            Ok((stream, from)) => {
                // Small answers should not wait for more to come; a socket that cannot do this works all the same.
                let _ = stream.set_nodelay(true);
                let stream = Guarded::new(stream, self.head, self.idle, Some(place));
                Ok((stream, self.local.clone(), RemoteAddr(from.into()), Scheme::HTTP))
            }
            Err(error) => {
                tracing::warn!(%error, "a connection cannot be accepted");
                // The server asks again at once, so the wait is here.
                tokio::time::sleep(PAUSE).await;
                Err(error)
            }
        }
    }
}
