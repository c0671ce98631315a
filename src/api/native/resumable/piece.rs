//! One piece of a file, from the connection to the disk.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef},
};
use tokio_util::sync::CancellationToken;

use super::headers::Checksum;
use crate::{
    api::{
        body::{Pace, broken, in_time},
        parts::Incoming,
    },
    error::{Code, Error, Result},
    files::{Claim, PartialFile},
};

/// What a piece is sent as.
const CONTENT_TYPE: &str = "application/offset+octet-stream";

/// The body of a request that may hold a piece.
pub(super) struct Piece {
    incoming: Incoming,
    has_body: bool,
}

impl<'a> ApiExtractor<'a> for Piece {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let content = vec![MetaMediaType { content_type: CONTENT_TYPE, schema }];
        Some(MetaRequest { description: None, content, required: false })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let incoming = Incoming::of(request, body)?;
        let is_chunked = request.headers().contains_key(header::TRANSFER_ENCODING);
        let has_body = is_chunked || incoming.length.is_some_and(|length| length > 0);
        Ok(Self { incoming, has_body })
    }
}

impl Piece {
    /// Whether the body is a piece; anything else in its place is refused.
    pub(super) fn is_there(&self) -> Result<bool> {
        let kind = self.incoming.content_type.split(';').next().unwrap_or_default().trim();
        match kind.eq_ignore_ascii_case(CONTENT_TYPE) {
            true => Ok(true),
            false if !self.has_body => Ok(false),
            false => Err(Error::new(Code::UnsupportedFormat, format!("A piece is sent as {CONTENT_TYPE}"))),
        }
    }

    /// Refuses a piece that says itself that it does not fit.
    pub(super) fn check(&self, offset: u64, length: u64) -> Result<()> {
        match self.incoming.length {
            Some(more) if offset.saturating_add(more) > length => Err(too_much(length)),
            _ => Ok(()),
        }
    }

    /// Adds the piece to a file of `length` bytes in the end. What came before the connection broke stays, unless it is
    /// more than there should be, or has another checksum.
    pub(super) async fn store(
        self,
        claim: &Claim,
        length: u64,
        checksum: Option<Checksum>,
        stop: &CancellationToken,
    ) -> Result<u64> {
        let mut file = claim.open().await?;
        let is_summed = checksum.is_some();
        let stream = Box::pin(self.incoming.body.into_bytes_stream());
        let written = tokio::select! {
            biased;
            () = stop.cancelled() => Err(Error::new(Code::ShuttingDown, "The daemon stops; go on after its next start")),
            () = claim.asked_for() => Err(Error::new(Code::Busy, "Another request goes on with this upload")),
            written = copy(stream, &mut file, length, checksum) => written,
        };
        match written {
            Ok(()) => file.settle().await?,
            // A sum that was never complete says nothing about what is there.
            Err(error) if is_summed || matches!(error.code, Code::TooLarge | Code::ChecksumMismatch) => {
                file.undo().await?;
                return Err(error);
            }
            Err(error) => {
                file.settle().await?;
                return Err(error);
            }
        }
        Ok(file.size())
    }
}

async fn copy(
    mut stream: impl Stream<Item = std::io::Result<Bytes>> + Unpin,
    file: &mut PartialFile,
    length: u64,
    mut checksum: Option<Checksum>,
) -> Result<()> {
    let mut pace = Pace::begin();
    while let Some(bytes) = in_time(stream.next()).await? {
        let bytes = bytes.map_err(broken)?;
        pace.took(bytes.len())?;
        if file.size() + bytes.len() as u64 > length {
            return Err(too_much(length));
        }
        if let Some(checksum) = &mut checksum {
            checksum.update(&bytes);
        }
        file.write(&bytes).await?;
    }
    match checksum.is_none_or(Checksum::matches) {
        true => Ok(()),
        false => Err(Error::new(Code::ChecksumMismatch, "The piece has another checksum than its header says")),
    }
}

fn too_much(length: u64) -> Error {
    let detail = format!("The piece goes beyond the upload's {length} bytes");
    Error::new(Code::TooLarge, detail).with_hint("Send no more than Upload-Length says.")
}
