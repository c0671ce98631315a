//! HLS: the playlist and its segments are fetched by us, through the guarded client, never by ffmpeg.

use std::path::{Path, PathBuf};

use crawlers::{
    Candidate,
    hls::{MediaPlaylist, Playlist, Segment, parse},
};
use futures_util::{TryStreamExt, stream::FuturesUnordered};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::Job;
use crate::{
    error::{Code, Error, Result},
    net::{Download, Get, headers_for},
};

/// Segments fetched at the same time.
const PARALLEL: usize = 4;
/// The largest playlist, in bytes.
const MAX_PLAYLIST: u64 = 8 * 1024 * 1024;

/// Downloads the candidate's playlist and joins its segments, `max_bytes` of them at most, into `path`. Segments that are
/// already here are kept, unless it turns out that there is no room for all of them.
pub(super) async fn download(job: &Job<'_>, candidate: &Candidate, path: &Path, max_bytes: u64) -> Result<()> {
    let playlist = playlist(job, candidate).await?;
    let folder = segments(path);
    tokio::fs::create_dir_all(&folder).await?;
    // What was joined before we were interrupted: its segments are gone.
    remove(path).await?;
    let joined = segments_into(job, candidate, &playlist, &folder, path, max_bytes).await;
    match &joined {
        Ok(()) => tokio::fs::remove_dir_all(&folder).await?,
        Err(error) if matches!(error.code, Code::TooLarge | Code::InsufficientStorage) => {
            tokio::fs::remove_dir_all(&folder).await?;
            remove(path).await?;
        }
        Err(_) => {}
    }
    joined
}

async fn remove(path: &Path) -> Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

/// The folder in which the segments of `path` wait for each other.
pub(super) fn segments(path: &Path) -> PathBuf {
    path.with_extension("segments")
}

async fn segments_into(
    job: &Job<'_>,
    candidate: &Candidate,
    playlist: &MediaPlaylist,
    folder: &Path,
    path: &Path,
    max_bytes: u64,
) -> Result<()> {
    let parts: Vec<Segment> = playlist.init.iter().chain(&playlist.segments).cloned().collect();
    let total = parts.len() as u64;
    let files: Vec<PathBuf> = (0..parts.len()).map(|index| folder.join(format!("{index:05}"))).collect();
    let (mut started, mut done, mut received) = (0, 0, 0);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < PARALLEL && started < parts.len() {
            let left = max_bytes.saturating_sub(received);
            running.push(fetch(job, candidate, &parts[started], &files[started], left));
            started += 1;
        }
        let Some(size) = running.try_next().await? else { break };
        done += 1;
        received += size;
        if received > max_bytes {
            return Err(Error::new(Code::TooLarge, format!("The stream is larger than {max_bytes} bytes")));
        }
        job.reporter.part(done, Some(total));
    }
    join(&files, path).await
}

/// The media playlist, by way of a master playlist if the link is one.
async fn playlist(job: &Job<'_>, candidate: &Candidate) -> Result<MediaPlaylist> {
    let mut url = candidate.url.clone();
    for _ in 0..2 {
        match read(job, candidate, &url).await? {
            Playlist::Media(playlist) => return Ok(playlist),
            Playlist::Master(master) => match master.choices.into_iter().next() {
                Some(choice) => url = choice.url,
                None => break,
            },
        }
    }
    Err(Error::new(Code::NoMediaFound, "The playlist names no stream with sound"))
}

async fn read(job: &Job<'_>, candidate: &Candidate, url: &Url) -> Result<Playlist> {
    let headers = headers_for(&candidate.headers, &candidate.url, url);
    let request = Get { url: url.to_string(), headers, max_bytes: MAX_PLAYLIST, ..Get::default() };
    let reply = tokio::select! {
        reply = job.services.net.get(request) => reply?,
        () = job.cancel.cancelled() => return Err(super::stopped()),
    };
    reply.check_status()?;
    parse(&reply.body, &reply.url).map_err(crate::crawl::told)
}

async fn fetch(job: &Job<'_>, candidate: &Candidate, part: &Segment, file: &Path, max_bytes: u64) -> Result<u64> {
    if let Ok(there) = tokio::fs::metadata(file).await {
        return Ok(there.len());
    }
    let unfinished = file.with_extension("part");
    let request = Download {
        url: part.url.to_string(),
        headers: headers_for(&candidate.headers, &candidate.url, &part.url),
        path: unfinished.clone(),
        // The playlist says offset and length, HTTP first and last byte.
        range: part.byte_range.map(|(offset, length)| (offset, (offset + length).saturating_sub(1))),
        min_bytes: 0,
        max_bytes,
        keep: false,
    };
    let downloaded = job.services.net.download(request, &|_| {}, job.cancel).await?;
    tokio::fs::rename(&unfinished, file).await?;
    Ok(downloaded.size)
}

/// Each segment goes as soon as it is in its place, so that the stream needs no room twice.
async fn join(files: &[PathBuf], path: &Path) -> Result<()> {
    let mut out = tokio::fs::File::create(path).await?;
    for file in files {
        let mut part = tokio::fs::File::open(file).await?;
        tokio::io::copy(&mut part, &mut out).await?;
        out.flush().await?;
        tokio::fs::remove_file(file).await?;
    }
    out.sync_all().await?;
    Ok(())
}
