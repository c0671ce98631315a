//! A JSON body: counted, checked, typed, and documented like every other.

use std::{
    future::Future,
    marker::PhantomData,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use poem::{Request, RequestBody};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, MetaSchema, MetaSchemaRef, Registry},
    types::ParseFromJSON,
};

use super::{content, fields, json, sample::Sample};
use crate::error::{Code, Error, Result};

/// The largest JSON body in bytes.
pub(super) const MAX_JSON: usize = 1024 * 1024;

/// How long a client may send nothing in the middle of a body.
pub(super) const STALL: Duration = Duration::from_secs(30);

/// The slowest body, in bytes per second, measured over [`STALL`].
const SLOWEST: u64 = 1024;

/// A typed JSON body of at most `MOST` bytes.
pub(super) struct JsonBody<T, const MOST: usize = MAX_JSON> {
    /// The body.
    pub value: T,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
}

impl<'a, T: ParseFromJSON, const MOST: usize> ApiExtractor<'a> for JsonBody<T, MOST> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        let required = !Registry::new().create_fake_schema::<T>().required.is_empty();
        Some(MetaRequest { description: None, content, required })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let mut bytes = read(body.take()?, MOST).await?;
        // A request without a body asks for what is done when nothing is said.
        match bytes.is_empty() && request.content_type().is_none() {
            true => bytes = Bytes::from_static(b"{}"),
            false => content::expect_json(request)?,
        }
        let value = fields::read(json::parse(&bytes)?)?;
        Ok(Self { value, sha256: content::sha256(&bytes) })
    }
}

/// A JSON document as it was sent: whoever takes it reads it, and says what is wrong with it. `T` says what it may look
/// like.
pub(super) struct Document<T>(pub String, PhantomData<T>);

impl<'a, T: Sample> ApiExtractor<'a> for Document<T> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn request_meta() -> Option<MetaRequest> {
        let schema = MetaSchema { example: Some(T::sample()), ..MetaSchema::new("object") };
        let schema = MetaSchemaRef::Inline(Box::new(schema));
        let content = vec![MetaMediaType { content_type: "application/json", schema }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        content::expect_json(request)?;
        let bytes = read(body.take()?, MAX_JSON).await?;
        let text = String::from_utf8(bytes.into())
            .map_err(|_| Error::new(Code::InvalidRequest, "The body is not valid JSON: it is no UTF-8"))?;
        Ok(Self(text, PhantomData))
    }
}

/// Reads a whole body of at most `most` bytes, counted as they come.
pub(super) async fn read(body: poem::Body, most: usize) -> Result<Bytes> {
    let mut stream = Box::pin(body.into_bytes_stream());
    let (mut bytes, mut pace) = (BytesMut::new(), Pace::begin());
    while let Some(chunk) = in_time(stream.next()).await? {
        let chunk = chunk.map_err(broken)?;
        pace.took(chunk.len())?;
        if bytes.len() + chunk.len() > most {
            return Err(Error::new(Code::TooLarge, format!("The body is larger than {most} bytes"))
                .with_hint("Send less: media go to /api/tasks/upload."));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes.freeze())
}

/// Waits for the next piece of a body, but not for ever.
pub(super) async fn in_time<T>(next: impl Future<Output = T>) -> Result<T> {
    tokio::time::timeout(STALL, next).await.map_err(|_| {
        Error::new(Code::InvalidRequest, format!("Nothing of the body came for {} seconds", STALL.as_secs()))
            .with_hint("Send the request again.")
    })
}

/// How fast a body comes: one that trickles holds its connection as long as it likes.
pub(super) struct Pace {
    since: Instant,
    bytes: u64,
}

impl Pace {
    /// A body that begins now.
    pub(super) fn begin() -> Self {
        Self { since: Instant::now(), bytes: 0 }
    }

    /// Notes a piece of so many bytes; refuses a body that is slower than 1 KiB/s over half a minute.
    pub(super) fn took(&mut self, count: usize) -> Result<()> {
        self.note(count, Instant::now())
    }

    /// As if the body had begun so much earlier.
    #[cfg(test)]
    pub(super) fn age(&mut self, by: Duration) {
        self.since -= by;
    }

    fn note(&mut self, count: usize, now: Instant) -> Result<()> {
        self.bytes += count as u64;
        let passed = now.saturating_duration_since(self.since);
        if passed < STALL {
            return Ok(());
        }
        let enough = SLOWEST * passed.as_secs();
        let bytes = std::mem::take(&mut self.bytes);
        self.since = now;
        match bytes >= enough {
            true => Ok(()),
            false => Err(Error::new(Code::InvalidRequest, "The body comes more slowly than 1 KiB per second")
                .with_hint("Send the request again over a faster connection.")),
        }
    }
}

/// A body that broke off.
pub(super) fn broken(error: std::io::Error) -> Error {
    Error::new(Code::InvalidRequest, "The body broke off").with_hint("Send the request again.").with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a body that sends `count` bytes every `every` seconds is still taken after a while.
    fn lives(count: usize, every: u64) -> bool {
        let mut pace = Pace::begin();
        (0..20).all(|_| pace.note(count, pace.since + Duration::from_secs(every)).is_ok())
    }

    #[test]
    fn a_body_that_trickles_is_cut() {
        assert!(lives(1024 * 40, 40));
        assert!(!lives(1024 * 20, 40));
        let mut pace = Pace::begin();
        let start = pace.since;
        let one_by_one = (1..100).find(|second| pace.note(1, start + Duration::from_secs(*second)).is_err());
        assert_eq!(one_by_one, Some(STALL.as_secs()));
        let mut quick = Pace::begin();
        assert!((0..100).all(|_| quick.note(1, start).is_ok()), "a short one may be as small as it is");
    }
}
