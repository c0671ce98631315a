//! A connection whose requests' heads must come in time.
//!
//! The HTTP library has no such limit as it is used here, so this looks at the bytes: after the connection was opened or
//! an answer was written, the next head must be complete within a time from its first byte on (the first head: from the
//! beginning on). Callers may rely on this: bodies are left alone, a connection on which nothing happens is closed after
//! the idle time, and none whose answer is still being worked on is closed for its silence, unless its client does not
//! take what is there.

use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep},
};
use tokio_util::sync::WaitForCancellationFutureOwned;

use super::peers::Seat;

/// What the peer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// Between requests.
    Idle,
    /// Sending a head; so many bytes of its end marker have been seen.
    Head,
    /// The head is here: its body may follow, and we owe an answer.
    Busy,
    /// Speaking HTTP/2, where heads and bodies come in frames; only silence counts.
    Frames,
}

/// A connection with a watch on its heads.
#[derive(Debug)]
pub(super) struct Guarded<T> {
    inner: T,
    phase: Phase,
    /// The last bytes of the head so far, enough to see its end or the HTTP/2 preface.
    tail: Vec<u8>,
    seen: usize,
    timer: Pin<Box<Sleep>>,
    head: Duration,
    idle: Duration,
    /// The client does not take what there is for it.
    is_stuck: bool,
    end: Option<Pin<Box<WaitForCancellationFutureOwned>>>,
    seat: Option<Seat>,
}

/// The longest head in bytes.
const MAX_HEAD: usize = 128 * 1024;

/// How an HTTP/2 connection starts.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n";

impl<T> Guarded<T> {
    /// Watches `inner`; `seat` is given back when the connection ends.
    pub(super) fn new(inner: T, head: Duration, idle: Duration, seat: Option<Seat>) -> Self {
        let timer = Box::pin(tokio::time::sleep(head));
        let end = seat.as_ref().map(|seat| Box::pin(seat.end().cancelled_owned()));
        Self { inner, phase: Phase::Head, tail: Vec::new(), seen: 0, timer, head, idle, is_stuck: false, end, seat }
    }

    /// Why the connection has to end, if it has to.
    fn over(&mut self, cx: &mut Context<'_>) -> Option<&'static str> {
        let is_at_work = self.seat.as_ref().is_some_and(Seat::is_at_work);
        let has_to_go = self.end.as_mut().is_some_and(|end| end.as_mut().poll(cx).is_ready());
        if has_to_go && !is_at_work {
            return Some("made room for another");
        }
        while self.phase != Phase::Busy && self.timer.as_mut().poll(cx).is_ready() {
            if self.phase == Phase::Head || !is_at_work || self.is_stuck {
                return Some("was too slow");
            }
            self.arm(self.idle, cx);
        }
        None
    }

    /// The error that ends the connection, if it has to end.
    fn cut(&mut self, cx: &mut Context<'_>) -> Option<io::Error> {
        let why = self.over(cx)?;
        tracing::debug!(phase = ?self.phase, "a connection {why}");
        Some(io::ErrorKind::TimedOut.into())
    }

    fn arm(&mut self, wait: Duration, cx: &mut Context<'_>) {
        self.timer.as_mut().reset(Instant::now() + wait);
        // Only a polled timer wakes this task; it cannot be over yet, and if it is, the next read says so.
        let _ = self.timer.as_mut().poll(cx);
    }

    fn took(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        self.seat.iter().for_each(Seat::stir);
        match self.phase {
            Phase::Busy => return,
            Phase::Frames => return self.arm(self.idle, cx),
            Phase::Idle => {
                self.phase = Phase::Head;
                (self.seen, self.tail) = (0, Vec::new());
                self.arm(self.head, cx);
            }
            Phase::Head => {}
        }
        for byte in bytes {
            // Empty lines in front of a head belong to it.
            if self.seen == 0 && matches!(byte, b'\r' | b'\n') {
                continue;
            }
            self.seen += 1;
            self.tail.push(*byte);
            if self.seen == PREFACE.len() && self.tail == PREFACE {
                self.phase = Phase::Frames;
                return self.arm(self.idle, cx);
            }
            if self.tail.ends_with(b"\n\r\n") || self.tail.ends_with(b"\n\n") {
                self.phase = Phase::Busy;
                return;
            }
            if self.seen >= PREFACE.len() && self.tail.len() > PREFACE.len() {
                self.tail.drain(..self.tail.len() - 3);
            }
        }
    }

    fn gave(&mut self, bytes: &[u8], cx: &mut Context<'_>) {
        self.seat.iter().for_each(Seat::stir);
        match self.phase {
            // "Go on" is no answer yet.
            Phase::Busy if bytes.starts_with(b"HTTP/1.1 100 ") => {}
            // An answer to a head that is not complete: it was refused, and the connection ends.
            Phase::Head => {}
            Phase::Busy | Phase::Idle => {
                self.phase = Phase::Idle;
                self.arm(self.idle, cx);
            }
            Phase::Frames => self.arm(self.idle, cx),
        }
    }
}

impl<T: AsyncRead + Unpin> AsyncRead for Guarded<T> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.inner).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) => {
                let new = buffer.filled()[before..].to_vec();
                self.took(&new, cx);
                match self.phase == Phase::Head && self.seen > MAX_HEAD {
                    true => Poll::Ready(Err(io::ErrorKind::InvalidData.into())),
                    false => Poll::Ready(Ok(())),
                }
            }
            Poll::Pending => self.cut(cx).map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
            other => other,
        }
    }
}

impl<T: AsyncWrite + Unpin> AsyncWrite for Guarded<T> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(cx, bytes);
        self.is_stuck = written.is_pending();
        match written {
            Poll::Ready(Ok(count)) => {
                self.gave(&bytes[..count], cx);
                written
            }
            // While a client takes nothing, nothing more is read from it, so this is where its time is looked at.
            Poll::Pending => self.cut(cx).map_or(Poll::Pending, |error| Poll::Ready(Err(error))),
            Poll::Ready(Err(_)) => written,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

    const NEVER: Duration = Duration::from_secs(3600);
    const SOON: Duration = Duration::from_millis(20);

    fn pair(head: Duration, idle: Duration) -> (Guarded<DuplexStream>, DuplexStream) {
        let (ours, theirs) = duplex(64 * 1024);
        (Guarded::new(ours, head, idle, None), theirs)
    }

    /// What the connection thinks after the peer has sent these pieces one after the other.
    async fn after(pieces: &[&[u8]]) -> Phase {
        let (mut guarded, mut theirs) = pair(NEVER, NEVER);
        for piece in pieces {
            theirs.write_all(piece).await.unwrap();
            guarded.read_exact(&mut vec![0; piece.len()]).await.unwrap();
        }
        guarded.phase
    }

    #[tokio::test]
    async fn the_end_of_a_head_is_seen_however_it_is_cut() {
        let head = b"\r\nPOST /a HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
        let bytes: Vec<&[u8]> = head.chunks(1).collect();
        assert_eq!(after(&bytes).await, Phase::Busy);
        assert_eq!(after(&bytes[..bytes.len() - 1]).await, Phase::Head);
        assert_eq!(after(&[head, b"a body without an end"]).await, Phase::Busy);
        assert_eq!(after(&[b"GET / HTTP/1.1\n\n"]).await, Phase::Busy);
        assert_eq!(after(&[b"GET / HTTP/1.1\r\n"]).await, Phase::Head);
        assert_eq!(after(&[b"PRI * HTT", b"P/2.0\r\n\r\nSM\r\n\r\n"]).await, Phase::Frames);
        assert_eq!(after(&[b"X PRI * HTTP/2.0\r\n"]).await, Phase::Head);
    }

    #[tokio::test]
    async fn after_an_answer_the_next_head_counts() {
        let (mut guarded, mut theirs) = pair(NEVER, NEVER);
        let mut buffer = [0; 100];
        theirs.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_ne!(guarded.read(&mut buffer).await.unwrap(), 0);
        guarded.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await.unwrap();
        assert_eq!(guarded.phase, Phase::Busy);
        guarded.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        assert_eq!(guarded.phase, Phase::Idle);
        theirs.write_all(b"G").await.unwrap();
        assert_ne!(guarded.read(&mut buffer).await.unwrap(), 0);
        assert_eq!(guarded.phase, Phase::Head);
    }

    #[tokio::test]
    async fn what_is_late_is_closed() {
        let mut buffer = [0; 100];
        let (mut silent, _peer) = pair(SOON, NEVER);
        assert_eq!(silent.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::TimedOut);

        let (mut half, mut theirs) = pair(SOON, NEVER);
        theirs.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        assert_ne!(half.read(&mut buffer).await.unwrap(), 0);
        assert_eq!(half.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::TimedOut);

        // One that asks again and again and takes no answer is not read from any more.
        let (mut greedy, mut theirs) = pair(NEVER, SOON);
        theirs.write_all(b"GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_ne!(greedy.read(&mut buffer).await.unwrap(), 0);
        let answers = vec![b'x'; 128 * 1024];
        assert_eq!(greedy.write_all(&answers).await.unwrap_err().kind(), io::ErrorKind::TimedOut);

        let (mut idle, mut theirs) = pair(NEVER, SOON);
        theirs.write_all(b"GET / HTTP/1.1\r\n\r\n").await.unwrap();
        assert_ne!(idle.read(&mut buffer).await.unwrap(), 0);
        idle.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
        assert_eq!(idle.read(&mut buffer).await.unwrap_err().kind(), io::ErrorKind::TimedOut);
    }
}
