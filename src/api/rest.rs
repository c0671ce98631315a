//! The rest of a request that was refused before it was read.
//!
//! A client that is sending its file looks for no answer meanwhile, and reports a broken connection when it is closed under
//! it. So the rest is read and thrown away before a refusal is told, within limits.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream::BoxStream};
use poem::{Body, Request, http::header};
use tokio::{sync::oneshot, time::timeout};

/// The most that is thrown away, in bytes.
const MOST: usize = 32 * 1024 * 1024;

/// The longest time that it may take.
const LONGEST: Duration = Duration::from_secs(5);

type Pieces = BoxStream<'static, io::Result<Bytes>>;

/// The rest of a body, once nobody reads it any more.
pub(super) struct Rest(oneshot::Receiver<Pieces>);

impl Rest {
    /// Of a request that has a body. A client that waits for `100 Continue` has sent nothing yet.
    pub(super) fn of(request: &mut Request) -> Option<Self> {
        let headers = request.headers();
        let is_sized = headers.get(header::CONTENT_LENGTH).is_some_and(|length| length != "0");
        if headers.contains_key(header::EXPECT) || !(is_sized || headers.contains_key(header::TRANSFER_ENCODING)) {
            return None;
        }
        let (back, rest) = oneshot::channel();
        let pieces = Box::pin(request.take_body().into_bytes_stream());
        request.set_body(Body::from_bytes_stream(Lent { pieces: Some(pieces), back: Some(back) }));
        Some(Self(rest))
    }

    /// Reads it and throws it away.
    pub(super) async fn skip(mut self) {
        let Ok(mut pieces) = self.0.try_recv() else { return };
        let read = async {
            let mut left = MOST;
            while let Some(Ok(piece)) = pieces.next().await {
                let Some(less) = left.checked_sub(piece.len()) else { return };
                left = less;
            }
        };
        // Whoever sends for longer than this finds the connection closed.
        let _ = timeout(LONGEST, read).await;
    }
}

/// A body that comes back when its reader lets it go.
struct Lent {
    pieces: Option<Pieces>,
    back: Option<oneshot::Sender<Pieces>>,
}

impl Stream for Lent {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let Some(pieces) = &mut self.pieces else { return Poll::Ready(None) };
        let next = pieces.as_mut().poll_next(context);
        if matches!(next, Poll::Ready(None | Some(Err(_)))) {
            self.pieces = None;
        }
        next
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let (Some(pieces), Some(back)) = (self.pieces.take(), self.back.take()) {
            // Nobody wants it back once the answer is there.
            let _ = back.send(pieces);
        }
    }
}
