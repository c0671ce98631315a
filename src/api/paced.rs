//! A body that hands out one piece at a time.
//!
//! The multipart reader takes everything that a stream has ready before it passes anything on, and keeps what it cannot
//! make sense of. Behind this, it gets one piece for each time it asks, and only so many bytes between two pieces of a
//! part: its memory stays small whatever is sent.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::Stream;

/// Bytes that may pass without a piece of a part coming out: part headers and what lies in front of the first one.
const MAX_UNREAD: u64 = 512 * 1024;

/// How many bytes have passed.
#[derive(Clone, Debug, Default)]
pub(super) struct Meter {
    unread: Arc<AtomicU64>,
}

impl Meter {
    /// A piece of a part has come out.
    pub(super) fn read(&self) {
        self.unread.store(0, Ordering::Relaxed);
    }
}

/// A stream that is paused after every piece.
pub(super) struct Paced<S> {
    inner: S,
    meter: Meter,
    pause: bool,
}

impl<S> Paced<S> {
    /// Paces `inner`, measured by `meter`.
    pub(super) fn new(inner: S, meter: Meter) -> Self {
        Self { inner, meter, pause: false }
    }
}

impl<S: Stream<Item = io::Result<Bytes>> + Unpin> Stream for Paced<S> {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pause) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let next = Pin::new(&mut self.inner).poll_next(cx);
        if let Poll::Ready(Some(Ok(bytes))) = &next {
            self.pause = true;
            let size = bytes.len() as u64;
            if self.meter.unread.fetch_add(size, Ordering::Relaxed) + size > MAX_UNREAD {
                return Poll::Ready(Some(Err(io::Error::other("the head of a part is too long"))));
            }
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use futures_util::{FutureExt, StreamExt, stream};

    use super::*;

    #[tokio::test]
    async fn one_piece_at_a_time_and_not_for_ever() {
        let meter = Meter::default();
        let pieces = stream::repeat_with(|| Ok(Bytes::from_static(&[0; 1024])));
        let mut paced = Paced::new(pieces, meter.clone());
        assert!(paced.next().now_or_never().is_some());
        assert!(paced.next().now_or_never().is_none());
        let mut passed = 1;
        while let Some(Ok(_)) = paced.next().await {
            passed += 1;
        }
        assert_eq!(passed, MAX_UNREAD / 1024);
        meter.read();
        assert!(paced.next().await.unwrap().is_ok());
    }
}
