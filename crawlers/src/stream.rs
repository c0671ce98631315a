//! Media that arrives in pieces: what HLS and DASH lists come to.

use url::Url;

use crate::{CrawlError, ErrorClass};

/// More pieces than this are refused: at the usual six seconds each it is 33 hours.
pub const MAX_SEGMENTS: usize = 20_000;
/// More different keys than this are refused.
pub(crate) const MAX_KEYS: usize = 500;

/// What undoes the encryption of a piece: AES-128 in CBC mode with PKCS#7 padding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Where the 16 bytes of the key are.
    pub url: Url,
    /// The initialisation vector.
    pub iv: [u8; 16],
}

/// One piece of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// Where.
    pub url: Url,
    /// Seconds, as the list says.
    pub duration: f32,
    /// Offset and length, when the piece is a part of the file.
    pub byte_range: Option<(u64, u64)>,
    /// How it is encrypted, if it is.
    pub key: Option<Key>,
}

/// The pieces of one stream; decrypted and joined in order, after `init`, they are the media.
#[derive(Debug, Clone, PartialEq)]
pub struct Stream {
    /// In order; never empty, at most [`MAX_SEGMENTS`].
    pub segments: Vec<Segment>,
    /// What goes in front of fragmented MP4 or WebM pieces.
    pub init: Option<Segment>,
    /// The sum of the pieces' durations.
    pub duration_ms: u64,
}

pub(crate) fn too_many_segments() -> CrawlError {
    CrawlError::new(ErrorClass::Unavailable, format!("The stream has more than {MAX_SEGMENTS} segments."))
}

pub(crate) fn is_protected() -> CrawlError {
    CrawlError::new(ErrorClass::Unavailable, "The stream is protected by DRM and cannot be downloaded.")
}

pub(crate) fn is_live() -> CrawlError {
    CrawlError::new(
        ErrorClass::LiveNotSupported,
        "This is a live stream that is still running. Paste the link of the recording when it has ended.",
    )
}
