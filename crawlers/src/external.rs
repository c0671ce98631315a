//! yt-dlp as the crawlers see it: somebody runs it for them.

use async_trait::async_trait;
use bytes::Bytes;
use url::Url;

use crate::{Identity, TransportError};

/// What to run yt-dlp for.
#[derive(Debug, Clone)]
pub struct Dump<'a> {
    /// The link.
    pub link: &'a Url,
    /// The list behind the link, as many of its first entries; none: the one item.
    pub entries: Option<usize>,
    /// Whose cookies to use.
    pub identity: Option<&'a Identity>,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dumped {
    /// The exit status; none when a signal ended it.
    pub status: Option<i32>,
    /// One JSON object, when all went well.
    pub stdout: Bytes,
    /// What it complains of, cut to some kilobytes.
    pub stderr: String,
}

/// Runs yt-dlp. Whoever implements it guarantees that its requests obey the same rules as the transport's, and that it
/// ends within its time.
#[async_trait]
pub trait External: Send + Sync {
    /// `yt-dlp -J` for a link.
    async fn dump(&self, dump: Dump<'_>) -> Result<Dumped, TransportError>;
}
