//! Working folders and kept media.
//!
//! Callers may rely on this: names on the disk come from ids and hashes, never from people; a kept file appears whole or
//! not at all and the same bytes are kept once; links in the working folders are never followed; and nothing outside the
//! configured folders is touched.

mod cache;
mod fetch;
mod folders;
pub mod ingest;
mod kept;
mod key;
mod kind;
mod partial;
mod space;
mod store;
mod sweep;
#[cfg(test)]
mod tests;
mod upload;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use object_store::ObjectStore;

use self::{cache::Cache, store::Shelf};
pub use self::{
    cache::KeptFile,
    kept::{Kept, KeptStream},
    partial::{Claim, PartialFile},
    space::{check_room, free_bytes},
    store::check_storage,
    sweep::Swept,
    upload::UploadFile,
};
use crate::{
    config::{PathsConfig, StorageConfig, StoragePlace, UploadsConfig},
    error::{Code, Error, Result},
};

/// The daemon's files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Files {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    /// Absolute, like the others.
    temp: PathBuf,
    uploads: PathBuf,
    partials: PathBuf,
    claims: partial::Claims,
    shelf: Shelf,
    store: Arc<dyn ObjectStore>,
    max_upload: u64,
    reserve: u64,
    // Held, not read: the lock lasts as long as the folder is open.
    _lock: std::fs::File,
}

impl Files {
    /// Creates the folders where they are missing, and checks that they and a bucket can be written.
    pub async fn open(paths: &PathsConfig, storage: &StorageConfig, uploads: &UploadsConfig) -> Result<Self> {
        let place = storage.place()?;
        let bucket = match &place {
            StoragePlace::Bucket { .. } => Some(store::bucket(storage)?),
            StoragePlace::Data | StoragePlace::Folder(_) => None,
        };
        if let Some(bucket) = &bucket {
            store::probe(&**bucket, &storage.url).await?;
        }
        let (paths, uploads, cache_bytes) = (paths.clone(), uploads.clone(), storage.cache_bytes);
        blocking(move || {
            folder("paths.data", &paths.data)?;
            let partials = folder("paths.data", &paths.data.join("uploads"))?;
            let temp = folder("paths.temp", &paths.temp)?;
            let lock = lock(&temp)?;
            let parts = folder("paths.temp", &temp.join("uploads"))?;
            let (shelf, store) = match (place, bucket) {
                (_, Some(bucket)) => {
                    let cache = Cache::open(folder("paths.temp", &temp.join("cache"))?, cache_bytes)?;
                    (Shelf::Bucket(cache), bucket)
                }
                (StoragePlace::Folder(path), None) => {
                    let path = folder("storage.url", &path)?;
                    let store = store::local("storage.url", &path)?;
                    (Shelf::Folder { path, shared: true }, store)
                }
                (_, None) => {
                    let path = folder("paths.data", &paths.data.join("media"))?;
                    let store = store::local("paths.data", &path)?;
                    (Shelf::Folder { path, shared: false }, store)
                }
            };
            let (max_upload, reserve) = (uploads.max_bytes, uploads.reserve_bytes);
            let claims = partial::Claims::default();
            let inner =
                Inner { temp, uploads: parts, partials, claims, shelf, store, max_upload, reserve, _lock: lock };
            Ok(Self { inner: Arc::new(inner) })
        })
        .await
    }
}

/// Takes the working folders for this process: another daemon would sweep away what it does not know.
fn lock(temp: &Path) -> Result<std::fs::File> {
    let folder = std::fs::File::open(temp)?;
    match folder.try_lock() {
        Err(std::fs::TryLockError::WouldBlock) => {
            Err(Error::new(Code::Config, "Another trawl uses the folder `paths.temp`")
                .with_hint("Stop it, or give this one its own `paths.temp`."))
        }
        // Some file systems lock no folders; then the operator has to know.
        Ok(()) | Err(std::fs::TryLockError::Error(_)) => Ok(folder),
    }
}

/// Makes a folder usable, and its path absolute.
fn folder(key: &str, path: &Path) -> Result<PathBuf> {
    let made = std::fs::create_dir_all(path).and_then(|()| path.canonicalize());
    let path = made.map_err(|error| unusable(key, path, error))?;
    let probe = path.join(format!(".trawl-{}", uuid::Uuid::new_v4().simple()));
    let written = std::fs::write(&probe, b"").and_then(|()| std::fs::remove_file(&probe));
    written.map_err(|error| unusable(key, &path, error))?;
    Ok(path)
}

fn unusable(key: &str, path: &Path, error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::new(Code::Config, format!("The folder {} (`{key}`) cannot be created or written", path.display()))
        .with_hint("Give trawl's user the right to write there, or name another folder.")
        .with_source(error)
}

/// Runs file work off the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let lost = |error| Error::new(Code::Internal, "File work was lost").with_source(error);
    tokio::task::spawn_blocking(work).await.map_err(lost)?
}
