//! A body whose bytes are counted as they arrive.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use futures_util::{Stream, stream::BoxStream};
use poem::Body;

use crate::{access::Access, domain::TokenId};

/// The same body; what arrives of it is counted for a token.
pub(super) fn counted(body: Body, access: Access, token: Option<TokenId>) -> Body {
    Body::from_bytes_stream(Counted { inner: Box::pin(body.into_bytes_stream()), access, token, bytes: 0 })
}

struct Counted {
    inner: BoxStream<'static, io::Result<Bytes>>,
    access: Access,
    token: Option<TokenId>,
    bytes: u64,
}

impl Stream for Counted {
    type Item = io::Result<Bytes>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let next = self.inner.as_mut().poll_next(context);
        if let Poll::Ready(Some(Ok(piece))) = &next {
            self.bytes += piece.len() as u64;
        }
        next
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        if self.bytes > 0 {
            self.access.count_bytes(self.token, self.bytes);
        }
    }
}
