//! HLS: the playlist is read by us, never by ffmpeg.

use std::path::Path;

use crawlers::{
    Candidate, Stream,
    hls::{Playlist, parse},
};

use super::{Job, segments};
use crate::error::{Code, Error, Result};

/// The largest playlist, in bytes.
const MAX_PLAYLIST: u64 = 8 * 1024 * 1024;

/// Downloads the candidate's playlist and joins its segments, `max_bytes` of them at most, into `path`.
pub(super) async fn download(job: &Job<'_>, candidate: &Candidate, path: &Path, max_bytes: u64) -> Result<()> {
    let stream = stream(job, candidate).await?;
    segments::download(job, candidate, &stream, path, max_bytes).await
}

/// The media playlist, by way of a master playlist if the link is one.
async fn stream(job: &Job<'_>, candidate: &Candidate) -> Result<Stream> {
    let mut url = candidate.url.clone();
    for _ in 0..2 {
        let reply = segments::list(job, candidate, &url, MAX_PLAYLIST).await?;
        match parse(&reply.body, &reply.url).map_err(crate::crawl::told)? {
            Playlist::Media(stream) => return Ok(*stream),
            Playlist::Master(master) => match master.choices.into_iter().next() {
                Some(choice) => url = choice.url,
                None => break,
            },
        }
    }
    Err(Error::new(Code::NoMediaFound, "The playlist names no stream with sound"))
}
