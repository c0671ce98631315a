//! From the bucket to the cache.

use std::{io::ErrorKind, path::Path};

use futures_util::TryStreamExt;
use object_store::{GetOptions, GetRange, ObjectStoreExt, path::Path as Location};
use tokio::{
    fs::OpenOptions,
    io::{AsyncWriteExt, BufWriter},
};

use super::{
    Files, blocking,
    cache::{Cache, Hold, KeptFile},
    kept::describe,
    key::Key,
    store::of_bucket,
};
use crate::error::{Code, Error, Result};

impl Files {
    /// A kept file in the cache. Whoever wants the same one meanwhile waits for it; what had come when a connection broke
    /// is not fetched again; and nothing is used whose SHA-256 is not the key's.
    pub(super) async fn fetched(&self, cache: &Cache, key: Key<'_>) -> Result<KeptFile> {
        let hold = cache.hold(key.name);
        let _turn = hold.gate().await;
        if !hold.is_whole() {
            let location = Location::from(key.whole);
            let size = self.inner.store.head(&location).await.map_err(of_bucket)?.size;
            self.make_room(cache, &hold, size).await?;
            self.fetch(&location, size, &hold.part()).await?;
            let mut is_good = is_this(&hold, key).await?;
            if !is_good {
                // It may have been damaged on its way, or what was here of it was wrong.
                self.fetch(&location, size, &hold.part()).await?;
                is_good = is_this(&hold, key).await?;
            }
            if !is_good {
                return Err(Error::new(
                    Code::Storage,
                    "The media file in the storage is damaged: its SHA-256 is another one",
                )
                .with_hint("Submit the link or the file again.")
                .for_good());
            }
            tokio::fs::rename(hold.part(), hold.path()).await?;
            hold.note(size, true);
        }
        Ok(KeptFile::new(hold.path(), Some(hold)))
    }

    /// Reserves what a file takes, in the cache and on the disk.
    async fn make_room(&self, cache: &Cache, hold: &Hold, size: u64) -> Result<()> {
        hold.note(size, false);
        // What is in use stays, so it may become more than there should be.
        cache.make_room(0);
        let here = tokio::fs::metadata(hold.part()).await.map_or(0, |about| about.len());
        while let Err(full) = self.check_free(size.saturating_sub(here)) {
            if !cache.give_one() {
                return Err(full);
            }
        }
        Ok(())
    }

    /// Brings what is missing of a file.
    async fn fetch(&self, location: &Location, size: u64, part: &Path) -> Result<()> {
        let mut here = tokio::fs::metadata(part).await.map_or(0, |about| about.len());
        if here > size {
            tokio::fs::remove_file(part).await?;
            here = 0;
        }
        let file = OpenOptions::new().append(true).create(true).open(part).await?;
        if here < size {
            let options = GetOptions { range: Some(GetRange::Bounded(here..size)), ..GetOptions::default() };
            let found = self.inner.store.get_opts(location, options).await.map_err(of_bucket)?;
            let mut file = BufWriter::with_capacity(256 * 1024, file);
            let mut stream = found.into_stream();
            let copied: Result<()> = async {
                while let Some(bytes) = stream.try_next().await.map_err(of_bucket)? {
                    file.write_all(&bytes).await?;
                }
                Ok(())
            }
            .await;
            // What has come is good for the next try.
            file.flush().await?;
            copied?;
        }
        Ok(())
    }
}

/// Whether what has come is what was kept; it is removed when it is not.
async fn is_this(hold: &Hold, key: Key<'_>) -> Result<bool> {
    let part = hold.part();
    let found = blocking(move || describe(&part)).await?;
    let is_good = found.sha256 == key.sha256;
    if !is_good {
        tracing::error!(
            key = key.whole,
            found = found.sha256,
            "a file of the storage has another SHA-256 than it was kept with"
        );
        match tokio::fs::remove_file(hold.part()).await {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(is_good)
}
