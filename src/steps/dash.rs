//! DASH: the manifest is read by us, never by ffmpeg.

use std::path::Path;

use crawlers::{Candidate, dash::parse};

use super::{Job, segments};
use crate::error::Result;

/// The largest manifest, in bytes.
const MAX_MANIFEST: u64 = 8 * 1024 * 1024;

/// Downloads the candidate's manifest and joins the pieces of its sound, `max_bytes` of them at most, into `path`.
pub(super) async fn download(job: &Job<'_>, candidate: &Candidate, path: &Path, max_bytes: u64) -> Result<()> {
    let reply = segments::list(job, candidate, &candidate.url, MAX_MANIFEST).await?;
    let manifest = parse(&reply.body, &reply.url).map_err(crate::crawl::told)?;
    segments::download(job, candidate, &manifest.stream, path, max_bytes).await
}
