//! Kept media: files named by their SHA-256, published whole.
//!
//! A key looks like `ab/ab12…ef.mp4`. The same bytes have one key, so whoever deletes must know that no other media uses
//! it.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    ops::Range,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, WriteMultipart, path::Path as Location};
use sha2::{Digest, Sha256};

use super::{Files, blocking, kind};
use crate::error::{Code, Error, Result};

const BUFFER: usize = 1024 * 1024;

/// A file that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Where, in the store.
    pub key: String,
    /// Its size in bytes.
    pub size: u64,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: String,
    /// What it is, by its bytes: `audio/…`, `video/…` or `application/octet-stream`.
    pub content_type: String,
}

/// A kept file, or a part of it, being read.
pub struct KeptStream {
    /// The whole file's size.
    pub total: u64,
    /// Which bytes these are.
    pub range: Range<u64>,
    /// The bytes.
    pub stream: BoxStream<'static, Result<Bytes>>,
}

impl std::fmt::Debug for KeptStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptStream").field("total", &self.total).field("range", &self.range).finish_non_exhaustive()
    }
}

impl Files {
    /// Moves a finished file into the store; afterwards it is gone from where it was. Nobody may write to it any more.
    pub async fn keep(&self, from: &Path) -> Result<Kept> {
        let source = from.to_owned();
        let kept = blocking(move || describe(&source)).await?;
        let (source, target) = (from.to_owned(), self.location(&kept.key)?.1);
        let size = kept.size;
        if !blocking(move || publish(&source, &target, size)).await? {
            self.copy(from, &kept.key).await?;
            tokio::fs::remove_file(from).await?;
        }
        Ok(kept)
    }

    /// The kept file's path, for programs which read files.
    pub async fn kept_path(&self, key: &str) -> Result<PathBuf> {
        let (_, path) = self.location(key)?;
        match tokio::fs::metadata(&path).await {
            Ok(about) if about.is_file() => Ok(path),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Err(missing()),
        }
    }

    /// Whether a kept file is here, with as many bytes as it had if that is known.
    pub async fn is_whole(&self, key: &str, size: Option<i64>) -> bool {
        let Ok(path) = self.kept_path(key).await else { return false };
        let here = tokio::fs::metadata(path).await.map(|about| about.len());
        here.is_ok_and(|here| size.is_none_or(|size| u64::try_from(size) == Ok(here)))
    }

    /// Reads a kept file or a part of it. A range that ends after the file is cut; one that begins there is refused.
    pub async fn open_kept(&self, key: &str, range: Option<Range<u64>>) -> Result<KeptStream> {
        let (location, _) = self.location(key)?;
        let store = &self.inner.store;
        if let Some(range) = &range {
            let total = store.head(&location).await.map_err(stored)?.size;
            if range.start >= total || range.is_empty() {
                let text = format!("The file has {total} bytes; the range asks for none of them");
                return Err(Error::new(Code::RangeNotSatisfiable, text));
            }
        }
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = store.get_opts(&location, options).await.map_err(stored)?;
        let (total, range) = (found.meta.size, found.range.clone());
        Ok(KeptStream { total, range, stream: found.into_stream().map(|bytes| bytes.map_err(stored)).boxed() })
    }

    /// Deletes a kept file. None is fine, too.
    pub async fn delete_kept(&self, key: &str) -> Result<()> {
        let (location, _) = self.location(key)?;
        match self.inner.store.delete(&location).await {
            Err(error) if !matches!(error, object_store::Error::NotFound { .. }) => Err(stored(error)),
            _ => Ok(()),
        }
    }

    /// The key as the store and as the file system see it. Anything that is no key of ours is "not there".
    fn location(&self, key: &str) -> Result<(Location, PathBuf)> {
        let hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let proper = key.split_once('/').is_some_and(|(folder, file)| {
            file.split_once('.').is_some_and(|(hash, extension)| {
                hash.len() == 64
                    && hex(hash)
                    && hash.get(..2) == Some(folder)
                    && (1..=8).contains(&extension.len())
                    && extension.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
            })
        });
        if !proper {
            return Err(missing());
        }
        Ok((Location::from(key), self.inner.media.join(key)))
    }

    /// Copies a file into the store, for one that lies on another file system.
    pub(super) async fn copy(&self, from: &Path, key: &str) -> Result<()> {
        let (location, _) = self.location(key)?;
        let mut file = tokio::fs::File::open(from).await?;
        let mut upload = WriteMultipart::new(self.inner.store.put_multipart(&location).await.map_err(stored)?);
        let mut buffer = vec![0; BUFFER];
        let copied: Result<()> = async {
            loop {
                let read = tokio::io::AsyncReadExt::read(&mut file, &mut buffer).await?;
                if read == 0 {
                    return Ok(());
                }
                upload.wait_for_capacity(2).await.map_err(stored)?;
                upload.write(&buffer[..read]);
            }
        }
        .await;
        match copied {
            Ok(()) => upload.finish().await.map(drop).map_err(stored),
            Err(error) => {
                // The first error is the one to tell; what cannot be cleaned up now is swept later.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }
}

/// Reads a file once for its hash, size and kind.
/// What a file is; it is on the disk afterwards.
pub(super) fn describe(path: &Path) -> Result<Kept> {
    // O_NONBLOCK: a pipe in place of the file must not hold us up.
    let flags = libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(Error::new(Code::Io, "What is to be kept is no regular file"));
    }
    let mut hash = Sha256::new();
    let mut head = Vec::new();
    let mut buffer = vec![0; BUFFER];
    let mut size = 0;
    loop {
        let read = match file.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            read => read?,
        };
        if read == 0 {
            break;
        }
        let bytes = &buffer[..read];
        hash.update(bytes);
        head.extend_from_slice(&bytes[..read.min(kind::HEAD - head.len())]);
        size += read as u64;
    }
    file.sync_all()?;
    let sha256: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let (content_type, extension) = kind::of(&head);
    let key = format!("{}/{sha256}.{extension}", &sha256[..2]);
    Ok(Kept { key, size, sha256, content_type: content_type.to_owned() })
}

/// Moves a file to its place; false when that is on another file system.
fn publish(source: &Path, target: &Path, size: u64) -> Result<bool> {
    if std::fs::metadata(target).is_ok_and(|there| there.is_file() && there.len() == size) {
        std::fs::remove_file(source)?;
        return Ok(true);
    }
    let Some(folder) = target.parent() else { return Ok(false) };
    std::fs::create_dir_all(folder)?;
    match std::fs::rename(source, target) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => return Ok(false),
        moved => moved?,
    }
    File::open(folder)?.sync_all()?;
    if let Some(media) = folder.parent() {
        File::open(media)?.sync_all()?;
    }
    Ok(true)
}

fn missing() -> Error {
    Error::new(Code::NotFound, "The media file is not here any more")
}

fn stored(error: object_store::Error) -> Error {
    if matches!(error, object_store::Error::NotFound { .. }) {
        return missing().with_source(error);
    }
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(&error);
    while let Some(inner) = cause {
        if inner.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::StorageFull) {
            return Error::new(Code::InsufficientStorage, "The disk is full").with_source(error);
        }
        cause = inner.source();
    }
    Error::new(Code::Io, "A media file could not be read or written").with_source(error)
}
