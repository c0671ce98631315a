//! Streams in pieces: all of them are fetched by us, through the guarded client, decrypted, and joined into one file.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crawlers::{Candidate, Key, Segment, Stream};
use futures_util::{TryStreamExt, stream::FuturesUnordered};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::{Job, decrypt::decrypt};
use crate::{
    error::{Code, Error, Result},
    net::{Download, Get, Reply, headers_for},
};

/// Segments fetched at the same time.
const PARALLEL: usize = 4;
/// The bytes of a key.
const KEY: usize = 16;

/// Keys by their address.
type Keys = HashMap<Url, [u8; KEY]>;

/// Downloads the pieces and joins them, `max_bytes` of them at most, into `path`. Those that are already here are kept,
/// unless it turns out that there is no room for all of them.
pub(super) async fn download(
    job: &Job<'_>,
    candidate: &Candidate,
    stream: &Stream,
    path: &Path,
    max_bytes: u64,
) -> Result<()> {
    let folder = folder(path);
    tokio::fs::create_dir_all(&folder).await?;
    // What was joined before we were interrupted: its segments are gone.
    remove(path).await?;
    let joined = pieces_into(job, candidate, stream, &folder, path, max_bytes).await;
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
pub(super) fn folder(path: &Path) -> PathBuf {
    path.with_extension("segments")
}

/// A list of pieces, or a key: a small answer to a request for the candidate.
async fn get(job: &Job<'_>, candidate: &Candidate, url: &Url, max_bytes: u64) -> Result<Reply> {
    let request = Get {
        url: url.to_string(),
        headers: headers_for(&candidate.headers, &candidate.url, url),
        max_bytes,
        ..Get::default()
    };
    let reply = tokio::select! {
        reply = job.services.net.get(request) => reply?,
        () = job.cancel.cancelled() => return Err(super::stopped()),
    };
    reply.check_status()?;
    Ok(reply)
}

/// The list of a stream's pieces, of `max_bytes` at most: half a list is a stream that ends too early.
pub(super) async fn list(job: &Job<'_>, candidate: &Candidate, url: &Url, max_bytes: u64) -> Result<Reply> {
    let reply = get(job, candidate, url, max_bytes).await?;
    if reply.truncated {
        let text = format!("The list of the stream's pieces is larger than {} MiB", max_bytes / (1024 * 1024));
        return Err(Error::new(Code::TooLarge, text).with_hint("Such a stream cannot be fetched."));
    }
    Ok(reply)
}

async fn pieces_into(
    job: &Job<'_>,
    candidate: &Candidate,
    stream: &Stream,
    folder: &Path,
    path: &Path,
    max_bytes: u64,
) -> Result<()> {
    let parts: Vec<&Segment> = stream.init.iter().chain(&stream.segments).collect();
    let keys = keys(job, candidate, &parts).await?;
    let total = parts.len() as u64;
    let files: Vec<PathBuf> = (0..parts.len()).map(|index| folder.join(format!("{index:05}"))).collect();
    let (mut started, mut done, mut received) = (0, 0, 0);
    let mut running = FuturesUnordered::new();
    loop {
        while running.len() < PARALLEL && started < parts.len() {
            let left = max_bytes.saturating_sub(received);
            running.push(fetch(job, candidate, parts[started], &keys, &files[started], left));
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

/// Every key that the pieces name.
async fn keys(job: &Job<'_>, candidate: &Candidate, parts: &[&Segment]) -> Result<Keys> {
    let mut keys = Keys::new();
    for Key { url, .. } in parts.iter().filter_map(|part| part.key.as_ref()) {
        if !keys.contains_key(url) {
            let reply = get(job, candidate, url, KEY as u64 + 1).await?;
            let key = reply.body.as_ref().try_into().map_err(|_| {
                Error::new(Code::SourceError, "The key of the stream is not one: it has another length than 16 bytes")
            })?;
            keys.insert(url.clone(), key);
        }
    }
    Ok(keys)
}

async fn fetch(
    job: &Job<'_>,
    candidate: &Candidate,
    part: &Segment,
    keys: &Keys,
    file: &Path,
    max_bytes: u64,
) -> Result<u64> {
    if let Ok(there) = tokio::fs::metadata(file).await {
        return Ok(there.len());
    }
    let unfinished = file.with_extension("part");
    let request = Download {
        url: part.url.to_string(),
        headers: headers_for(&candidate.headers, &candidate.url, &part.url),
        path: unfinished.clone(),
        // The list says offset and length, HTTP first and last byte.
        range: part.byte_range.map(|(offset, length)| (offset, (offset + length).saturating_sub(1))),
        min_bytes: 0,
        max_bytes,
        keep: false,
    };
    let downloaded = job.services.net.download(request, &|_| {}, job.cancel).await?;
    let key = part.key.as_ref().and_then(|key| Some((*keys.get(&key.url)?, key.iv)));
    let ready = match key {
        None => unfinished,
        Some((key, iv)) => {
            let plain = file.with_extension("plain");
            let (from, to) = (unfinished.clone(), plain.clone());
            let work = tokio::task::spawn_blocking(move || decrypt(&from, &to, key, iv));
            work.await.map_err(|error| {
                Error::new(Code::Internal, "The thread that decrypts a segment failed").with_source(error)
            })??;
            remove(&unfinished).await?;
            plain
        }
    };
    tokio::fs::rename(&ready, file).await?;
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
