//! Files that come in pieces, over as many connections as it takes: `data/uploads/<id>`.
//!
//! Callers may rely on this: whoever holds the [`Claim`] of a file is the only one who writes to it, and what
//! [`Files::partial_size`] tells is on the disk.

use std::{
    collections::HashMap,
    io::ErrorKind,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    fs::{File, OpenOptions},
    io::AsyncWriteExt,
    sync::Notify,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{Files, blocking, sweep};
use crate::error::Result;

/// How often the free space is looked at.
const CHECK_EVERY: u64 = 16 * 1024 * 1024;

/// Who works on which file.
#[derive(Debug, Default)]
pub(super) struct Claims {
    held: Mutex<HashMap<Uuid, CancellationToken>>,
    released: Notify,
}

/// The right to a partial file until this is dropped.
#[derive(Debug)]
pub struct Claim {
    id: Uuid,
    asked: CancellationToken,
    files: Files,
}

/// A partial file that is written to. What was written stays when this is dropped.
#[derive(Debug)]
pub struct PartialFile {
    file: File,
    start: u64,
    size: u64,
    files: Files,
}

impl Files {
    /// Takes the right to a partial file, unless somebody has it.
    pub fn claim(&self, id: Uuid) -> Option<Claim> {
        let mut held = self.inner.claims.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(&id) {
            return None;
        }
        let asked = CancellationToken::new();
        held.insert(id, asked.clone());
        Some(Claim { id, asked, files: self.clone() })
    }

    /// Asks whoever has the right to a partial file to give it up, and waits at most `patience` for it.
    pub async fn take_over(&self, id: Uuid, patience: Duration) -> Option<Claim> {
        let claims = &self.inner.claims;
        let taken = async {
            loop {
                let mut released = std::pin::pin!(claims.released.notified());
                // From here on no release goes unseen.
                released.as_mut().enable();
                if let Some(claim) = self.claim(id) {
                    return claim;
                }
                if let Some(asked) = claims.held.lock().unwrap_or_else(PoisonError::into_inner).get(&id) {
                    asked.cancel();
                }
                released.await;
            }
        };
        tokio::time::timeout(patience, taken).await.ok()
    }

    /// Where a partial file lies.
    pub fn partial_path(&self, id: Uuid) -> PathBuf {
        self.inner.partials.join(id.to_string())
    }

    /// Creates an empty partial file.
    pub async fn new_partial(&self, id: Uuid) -> Result<()> {
        OpenOptions::new().write(true).create_new(true).open(self.partial_path(id)).await?;
        Ok(())
    }

    /// How many bytes of a partial file are on the disk; none when there is no such file.
    pub async fn partial_size(&self, id: Uuid) -> Result<Option<u64>> {
        let found = async {
            let file = File::open(self.partial_path(id)).await?;
            file.sync_all().await?;
            Ok::<_, std::io::Error>(file.metadata().await?.len())
        };
        match found.await {
            Ok(size) => Ok(Some(size)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Removes a partial file. None is fine, too.
    pub async fn remove_partial(&self, claim: &Claim) -> Result<()> {
        match tokio::fs::remove_file(self.partial_path(claim.id)).await {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    /// The partial files that nobody has written to for `older_than`.
    pub async fn partials(&self, older_than: Duration) -> Result<Vec<Uuid>> {
        let folder = self.inner.partials.clone();
        blocking(move || {
            let old = sweep::entries(&folder)?.into_iter().filter_map(|(entry, about)| {
                let id = Uuid::try_parse(entry.file_name().to_str()?).ok()?;
                sweep::age(&about).is_some_and(|age| age >= older_than).then_some(id)
            });
            Ok(old.collect())
        })
        .await
    }
}

impl Claim {
    /// Where the file lies.
    pub fn path(&self) -> PathBuf {
        self.files.partial_path(self.id)
    }

    /// Waits until somebody else asks for the right.
    pub async fn asked_for(&self) {
        self.asked.cancelled().await;
    }

    /// Opens the file behind what is there.
    pub async fn open(&self) -> Result<PartialFile> {
        let file = OpenOptions::new().append(true).open(self.files.partial_path(self.id)).await?;
        let start = file.metadata().await?.len();
        Ok(PartialFile { file, start, size: start, files: self.files.clone() })
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let claims = &self.files.inner.claims;
        claims.held.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.id);
        claims.released.notify_waiters();
    }
}

impl PartialFile {
    /// Bytes that are there.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a piece. `insufficient_storage` before the disk is full.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let size = self.size + bytes.len() as u64;
        if size / CHECK_EVERY != self.size / CHECK_EVERY {
            self.files.check_free(0)?;
        }
        self.file.write_all(bytes).await?;
        self.size = size;
        Ok(())
    }

    /// Brings what was written to the disk.
    pub async fn settle(&mut self) -> Result<()> {
        self.file.flush().await?;
        Ok(self.file.sync_all().await?)
    }

    /// Takes back what was written since the file was opened.
    pub async fn undo(&mut self) -> Result<()> {
        self.file.flush().await?;
        self.file.set_len(self.start).await?;
        self.size = self.start;
        Ok(self.file.sync_all().await?)
    }
}
