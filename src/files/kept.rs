//! Kept media: files named by their SHA-256, published whole.
//!
//! In a folder the same bytes have one key, and everywhere rows share keys, so whoever deletes must know that no row names
//! it. See [`Key`] for what they look like.

use std::{
    fs::{File, OpenOptions},
    io::{ErrorKind, Read},
    ops::Range,
    os::unix::fs::OpenOptionsExt,
    path::Path,
};

use bytes::Bytes;
use futures_util::{StreamExt, stream::BoxStream};
use object_store::{GetOptions, GetRange, ObjectStore, ObjectStoreExt, WriteMultipart, path::Path as Location};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

use super::{
    Files, blocking,
    cache::{Cache, KeptFile},
    key::Key,
    kind,
    store::{Shelf, missing, of_bucket, of_folder},
};
use crate::{
    error::{Code, Error, Result},
    fault,
};

const BUFFER: usize = 1024 * 1024;

/// The least that a part of an upload to a bucket may hold, and the most of them.
const PART: u64 = 5 * 1024 * 1024;
const MOST_PARTS: u64 = 9_000;

/// How many parts are on their way at the same time.
const AT_ONCE: usize = 3;

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
    /// Whether it is an earlier file of the same bytes: then it is safe while a row names it, and not before.
    pub reused: bool,
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
    ///
    /// # Errors
    /// `storage` when a bucket does not take it; then it is still where it was.
    pub async fn keep(&self, from: &Path) -> Result<Kept> {
        self.keep_again(from, None).await
    }

    /// Like [`Files::keep`]; where the file of `known` holds the same bytes, it is the one that is kept.
    pub async fn keep_again(&self, from: &Path, known: Option<&str>) -> Result<Kept> {
        let source = from.to_owned();
        let kept = blocking(move || describe(&source)).await?;
        match &self.inner.shelf {
            Shelf::Folder { path, .. } => {
                let (source, target, size) = (from.to_owned(), path.join(&kept.key), kept.size);
                if !blocking(move || publish(&source, &target, size)).await? {
                    self.copy(from, &kept.key, kept.size, &CancellationToken::new()).await?;
                    tokio::fs::remove_file(from).await?;
                }
                Ok(kept)
            }
            Shelf::Bucket(cache) => {
                let same = known.filter(|known| Key::parse(known).is_some_and(|known| known.sha256 == kept.sha256));
                let kept = match same {
                    Some(same) if self.is_whole(same, i64::try_from(kept.size).ok()).await? => {
                        Kept { key: same.to_owned(), reused: true, ..kept }
                    }
                    _ => self.send(from, kept.by_itself()).await?,
                };
                self.shelve(cache, from, &kept).await?;
                Ok(kept)
            }
        }
    }

    /// The kept file's path, for programs which read files. It stays there as long as what is returned.
    ///
    /// # Errors
    /// `not_found`, and for a file in a bucket `storage` and `insufficient_storage`.
    pub async fn kept_path(&self, key: &str) -> Result<KeptFile> {
        let key = Key::parse(key).ok_or_else(missing)?;
        let path = match &self.inner.shelf {
            Shelf::Folder { path, .. } => path.join(key.whole),
            Shelf::Bucket(cache) => return self.fetched(cache, key).await,
        };
        match tokio::fs::metadata(&path).await {
            Ok(about) if about.is_file() => Ok(KeptFile::new(path, None)),
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Err(missing()),
        }
    }

    /// Makes sure that what was kept a moment ago is still there, for whoever is about to name it in a row and holds the
    /// transaction for that. Costs no request: what is new in a bucket is known to nobody who could delete it.
    pub async fn confirm(&self, key: &str) -> Result<()> {
        match &self.inner.shelf {
            Shelf::Folder { .. } => self.kept_path(key).await.map(drop),
            Shelf::Bucket(_) => Ok(()),
        }
    }

    /// Whether a kept file is there, with as many bytes as it had if that is known.
    ///
    /// # Errors
    /// `storage` or `io` when nobody can say.
    pub async fn is_whole(&self, key: &str, size: Option<i64>) -> Result<bool> {
        let Some(key) = Key::parse(key) else { return Ok(false) };
        match self.inner.store.head(&Location::from(key.whole)).await {
            Ok(there) => Ok(size.is_none_or(|size| u64::try_from(size) == Ok(there.size))),
            Err(object_store::Error::NotFound { .. }) => Ok(false),
            Err(error) => Err(self.wrong()(error)),
        }
    }

    /// Reads a kept file or a part of it. A range that ends after the file is cut; one that begins there is refused.
    pub async fn open_kept(&self, key: &str, range: Option<Range<u64>>) -> Result<KeptStream> {
        let location = Location::from(Key::parse(key).ok_or_else(missing)?.whole);
        let (store, wrong) = (&self.inner.store, self.wrong());
        if let Some(range) = &range {
            let total = store.head(&location).await.map_err(wrong)?.size;
            if range.start >= total || range.is_empty() {
                let text = format!("The file has {total} bytes; the range asks for none of them");
                return Err(Error::new(Code::RangeNotSatisfiable, text));
            }
        }
        let options = GetOptions { range: range.map(GetRange::Bounded), ..GetOptions::default() };
        let found = store.get_opts(&location, options).await.map_err(wrong)?;
        let (total, range) = (found.meta.size, found.range.clone());
        Ok(KeptStream { total, range, stream: found.into_stream().map(move |bytes| bytes.map_err(wrong)).boxed() })
    }

    /// Deletes a kept file. None is fine, too.
    pub async fn delete_kept(&self, key: &str) -> Result<()> {
        let key = Key::parse(key).ok_or_else(missing)?;
        let deleted = self.inner.store.delete(&Location::from(key.whole)).await;
        self.forget(key.whole);
        match deleted {
            Err(error) if !matches!(error, object_store::Error::NotFound { .. }) => Err(self.wrong()(error)),
            _ => Ok(()),
        }
    }

    /// Whether kept files lie in a bucket: then each has a key of its own, and asking for it takes a while.
    pub fn is_bucket(&self) -> bool {
        matches!(self.inner.shelf, Shelf::Bucket(_))
    }

    /// The keys of the files that lie here besides their bucket.
    pub fn cached(&self) -> Vec<String> {
        match &self.inner.shelf {
            Shelf::Folder { .. } => Vec::new(),
            Shelf::Bucket(cache) => cache.keys(),
        }
    }

    /// Removes what lies here of a file besides its bucket, as soon as nobody reads it.
    pub fn forget(&self, key: &str) {
        if let (Shelf::Bucket(cache), Some(key)) = (&self.inner.shelf, Key::parse(key)) {
            cache.forget(key.name);
        }
    }

    /// What the store's errors are to us.
    pub(super) fn wrong(&self) -> fn(object_store::Error) -> Error {
        if self.is_bucket() { of_bucket } else { of_folder }
    }

    /// Sends a file to the bucket. Nothing of it stays there when that fails, or when nobody waits for it any more.
    async fn send(&self, from: &Path, kept: Kept) -> Result<Kept> {
        let stop = CancellationToken::new();
        let _dropped = stop.clone().drop_guard();
        let (files, from, sent) = (self.clone(), from.to_owned(), kept.clone());
        let work = tokio::spawn(async move { files.copy(&from, &sent.key, sent.size, &stop).await });
        work.await.map_err(|error| Error::new(Code::Internal, "File work was lost").with_source(error))??;
        if !self.is_whole(&kept.key, i64::try_from(kept.size).ok()).await? {
            let _ = self.delete_kept(&kept.key).await;
            return Err(Error::new(Code::Storage, "The media storage has not kept all of a file"));
        }
        Ok(kept)
    }

    /// Moves a file that the bucket has into the cache, where it is likely to be wanted next; where that costs a copy, it
    /// is only removed.
    async fn shelve(&self, cache: &Cache, from: &Path, kept: &Kept) -> Result<()> {
        let Some(key) = Key::parse(&kept.key) else { return Err(missing()) };
        let hold = cache.hold(key.name);
        let _turn = hold.gate().await;
        if cache.make_room(kept.size) && tokio::fs::rename(from, hold.path()).await.is_ok() {
            hold.note(kept.size, true);
            return Ok(());
        }
        Ok(tokio::fs::remove_file(from).await?)
    }

    /// Copies a file into the store, piece by piece.
    pub(super) async fn copy(&self, from: &Path, key: &str, size: u64, stop: &CancellationToken) -> Result<()> {
        let (location, wrong) = (Location::from(key), self.wrong());
        let mut file = tokio::fs::File::open(from).await?;
        if size <= PART && self.is_bucket() {
            let mut bytes = Vec::new();
            tokio::io::AsyncReadExt::read_to_end(&mut file, &mut bytes).await?;
            return self.inner.store.put(&location, bytes.into()).await.map(drop).map_err(wrong);
        }
        // Buckets take so many parts at most.
        let part = usize::try_from(PART.max(size.div_ceil(MOST_PARTS))).unwrap_or(usize::MAX);
        let upload = self.inner.store.put_multipart(&location).await.map_err(wrong)?;
        let mut upload = WriteMultipart::new_with_chunk_size(upload, part);
        let mut buffer = vec![0; BUFFER];
        let copying = async {
            loop {
                let read = tokio::io::AsyncReadExt::read(&mut file, &mut buffer).await?;
                if read == 0 {
                    return upload.wait_for_capacity(0).await.map_err(wrong);
                }
                upload.wait_for_capacity(AT_ONCE).await.map_err(wrong)?;
                upload.write(&buffer[..read]);
            }
        };
        let stopped = || Error::new(Code::Cancelled, "Nobody waits for the file any more");
        let copied: Result<()> = tokio::select! {
            copied = copying => copied,
            () = stop.cancelled() => Err(stopped()),
        };
        match copied {
            Ok(()) => upload.finish().await.map(drop).map_err(wrong),
            Err(error) => {
                // A part that arrives after the end of its upload would stay there.
                while upload.wait_for_capacity(0).await.is_err() {}
                // The first error is the one to tell; what cannot be cleaned up now is swept later.
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }
}

/// Reads a file once for its hash, size and kind; it is on the disk afterwards.
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
    Ok(Kept { key, size, sha256, content_type: content_type.to_owned(), reused: false })
}

/// Moves a file to its place; false when that is on another file system.
fn publish(source: &Path, target: &Path, size: u64) -> Result<bool> {
    if std::fs::metadata(target).is_ok_and(|there| there.is_file() && there.len() == size) {
        std::fs::remove_file(source)?;
        return Ok(true);
    }
    let Some(folder) = target.parent() else { return Ok(false) };
    std::fs::create_dir_all(folder)?;
    fault::disk("disk::keep")?;
    fault::point("file::written");
    match std::fs::rename(source, target) {
        Err(error) if error.kind() == ErrorKind::CrossesDevices => return Ok(false),
        moved => moved?,
    }
    fault::point("file::named");
    File::open(folder)?.sync_all()?;
    if let Some(media) = folder.parent() {
        File::open(media)?.sync_all()?;
    }
    Ok(true)
}
