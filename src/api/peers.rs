//! Who is connected: how many connections each address has, and what each of them is doing.
//!
//! Callers may rely on this: a connection on which something happens, or whose request is being worked on, is never ended
//! here to make room for another.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::CancellationToken;

/// How long a connection must have been silent to make room for another.
pub(super) const QUIET: Duration = Duration::from_secs(3);

/// Everyone who is connected. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Peers {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Connections of one address at the same time; none for no limit.
    most: Option<usize>,
    quiet: Duration,
    since: Instant,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    counts: HashMap<IpAddr, usize>,
    open: HashMap<SocketAddr, Arc<Line>>,
}

/// One connection.
#[derive(Debug, Default)]
struct Line {
    /// Requests whose answers are being worked on.
    at_work: AtomicUsize,
    /// When something happened on it, in milliseconds since the server began.
    stirred: AtomicU64,
    end: CancellationToken,
}

/// A connection's place among all; given back when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    peers: Peers,
    from: SocketAddr,
    line: Arc<Line>,
    _place: OwnedSemaphorePermit,
}

/// An answer that is being worked on until this is dropped.
#[derive(Debug)]
pub(super) struct Work {
    line: Option<Arc<Line>>,
}

impl Peers {
    /// At most `most` connections of one address, 0 for any number; `quiet` is how long one must have been silent to make
    /// room for another.
    pub(super) fn new(most: usize, quiet: Duration) -> Self {
        let (most, since, table) = ((most > 0).then_some(most), Instant::now(), Mutex::default());
        Self { inner: Arc::new(Inner { most, quiet, since, table }) }
    }

    /// A seat for a connection, unless its address has too many. This machine's own are not counted: they are its users'
    /// and its proxies'.
    pub(super) fn seat(&self, from: SocketAddr, place: OwnedSemaphorePermit) -> Option<Seat> {
        let mut table = self.table();
        let count = table.counts.entry(origin(from.ip())).or_default();
        if !from.ip().to_canonical().is_loopback() && self.inner.most.is_some_and(|most| *count >= most) {
            return None;
        }
        *count += 1;
        let line = Arc::new(Line::default());
        line.stirred.store(self.now(), Ordering::Relaxed);
        table.open.insert(from, Arc::clone(&line));
        Some(Seat { peers: self.clone(), from, line, _place: place })
    }

    /// Notes that a request of this connection is being worked on.
    pub(super) fn work(&self, from: Option<&SocketAddr>) -> Work {
        let table = self.table();
        let line = from.and_then(|from| table.open.get(from)).map(Arc::clone);
        if let Some(line) = &line {
            line.at_work.fetch_add(1, Ordering::Relaxed);
        }
        Work { line }
    }

    /// Ends the connection that has done nothing for the longest time, if one is quiet.
    pub(super) fn shed(&self) {
        let (table, now) = (self.table(), self.now());
        let silent = |line: &Line| Duration::from_millis(now.saturating_sub(line.stirred.load(Ordering::Relaxed)));
        let idle = table.open.values().filter(|line| line.is_idle() && silent(line) >= self.inner.quiet);
        if let Some(line) = idle.max_by_key(|line| silent(line)) {
            line.end.cancel();
        }
    }

    fn now(&self) -> u64 {
        u64::try_from(self.inner.since.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        self.inner.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Line {
    fn is_idle(&self) -> bool {
        self.at_work.load(Ordering::Relaxed) == 0 && !self.end.is_cancelled()
    }
}

impl Seat {
    /// Whether a request of this connection is being worked on.
    pub(super) fn is_at_work(&self) -> bool {
        self.line.at_work.load(Ordering::Relaxed) > 0
    }

    /// Notes that something happens.
    pub(super) fn stir(&self) {
        self.line.stirred.store(self.peers.now(), Ordering::Relaxed);
    }

    /// Cancelled when the connection has to go.
    pub(super) fn end(&self) -> CancellationToken {
        self.line.end.clone()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut table = self.peers.table();
        // A new connection of the same port may have come already.
        if table.open.get(&self.from).is_some_and(|line| Arc::ptr_eq(line, &self.line)) {
            table.open.remove(&self.from);
        }
        if let Some(count) = table.counts.get_mut(&origin(self.from.ip())) {
            *count -= 1;
            if *count == 0 {
                table.counts.remove(&origin(self.from.ip()));
            }
        }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(line) = &self.line {
            line.at_work.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Whose address it is: whoever has one address of IPv6 has all 2⁶⁴ of its network.
fn origin(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from(u128::from(address) & !u128::from(u64::MAX))),
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use super::*;

    fn seat(peers: &Peers, from: &str) -> Option<Seat> {
        let place = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        peers.seat(from.parse().unwrap(), place)
    }

    #[test]
    fn one_address_has_so_many_and_this_machine_any_number() {
        let peers = Peers::new(2, Duration::ZERO);
        let first = seat(&peers, "192.0.2.1:1").unwrap();
        let _second = seat(&peers, "192.0.2.1:2").unwrap();
        assert!(seat(&peers, "192.0.2.1:3").is_none());
        assert!(seat(&peers, "[::ffff:192.0.2.1]:3").is_none());
        assert!(seat(&peers, "192.0.2.2:1").is_some());
        drop(first);
        assert!(seat(&peers, "192.0.2.1:3").is_some());
        let _net = [seat(&peers, "[2001:db8::1]:1").unwrap(), seat(&peers, "[2001:db8::2]:1").unwrap()];
        assert!(seat(&peers, "[2001:db8::3]:1").is_none());
        assert!(seat(&peers, "[2001:db8:0:1::3]:1").is_some());
        let own: Vec<_> = (1..100).map(|port| seat(&peers, &format!("127.0.0.1:{port}")).unwrap()).collect();
        drop(own);
        let free = Peers::new(0, Duration::ZERO);
        let _many: Vec<_> = (1..100).map(|port| seat(&free, &format!("192.0.2.1:{port}")).unwrap()).collect();
    }

    #[test]
    fn who_does_nothing_makes_room() {
        let peers = Peers::new(0, Duration::ZERO);
        let seats: Vec<_> = (1..4).map(|port| seat(&peers, &format!("192.0.2.1:{port}")).unwrap()).collect();
        let gone = || seats.iter().map(|seat| seat.end().is_cancelled()).collect::<Vec<_>>();
        let work = peers.work(Some(&"192.0.2.1:1".parse().unwrap()));
        for _ in 0..3 {
            peers.shed();
        }
        assert_eq!(gone(), [false, true, true]);
        assert!(seats[0].is_at_work());
        drop(work);
        peers.shed();
        assert_eq!(gone(), [true, true, true]);

        let patient = Peers::new(0, Duration::from_secs(3600));
        let fresh = seat(&patient, "192.0.2.1:1").unwrap();
        patient.shed();
        assert!(!fresh.end().is_cancelled());
    }
}
