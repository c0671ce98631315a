//! A file that somebody is sending.

use std::path::{Path, PathBuf};

use tokio::{
    fs::{File, OpenOptions},
    io::{AsyncWriteExt, BufWriter},
};

use super::{Files, blocking, kept::describe};
use crate::{
    error::{Code, Error, Result},
    fault,
};

/// How often the free space is looked at.
const CHECK_EVERY: u64 = 16 * 1024 * 1024;

/// A file in `temp/uploads`, removed when this is dropped; [`Files::keep`] takes it away before that.
#[derive(Debug)]
pub struct UploadFile {
    path: PathBuf,
    file: BufWriter<File>,
    size: u64,
    files: Files,
}

impl Files {
    /// Creates an empty upload with a name of its own.
    pub async fn new_upload(&self) -> Result<UploadFile> {
        self.check_free(0)?;
        let path = self.inner.uploads.join(format!("{}.part", uuid::Uuid::new_v4()));
        let file = OpenOptions::new().write(true).create_new(true).open(&path).await?;
        let file = BufWriter::with_capacity(256 * 1024, file);
        Ok(UploadFile { path, file, size: 0, files: self.clone() })
    }
}

impl UploadFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes written.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The SHA-256 of what was written out, in hex.
    pub async fn sha256(&self) -> Result<String> {
        let path = self.path.clone();
        Ok(blocking(move || describe(&path)).await?.sha256)
    }

    /// Adds a piece. `too_large` above `uploads.max_bytes`, `insufficient_storage` before the disk is full.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let (size, limit) = (self.size + bytes.len() as u64, self.files.inner.max_upload);
        if size > limit {
            return Err(Error::new(Code::TooLarge, format!("The upload is larger than {limit} bytes")));
        }
        if size / CHECK_EVERY != self.size / CHECK_EVERY {
            self.files.check_free(0)?;
        }
        fault::disk("disk::upload")?;
        self.file.write_all(bytes).await?;
        self.size = size;
        Ok(())
    }

    /// Writes out what is still in memory. Zero bytes are `empty_media`.
    pub async fn finish(&mut self) -> Result<()> {
        if self.size == 0 {
            return Err(Error::new(Code::EmptyMedia, "The upload has zero bytes"));
        }
        self.file.flush().await?;
        Ok(self.file.get_ref().sync_all().await?)
    }
}

impl Drop for UploadFile {
    fn drop(&mut self) {
        // Usually it has been kept and is not here any more; and what cannot be removed is swept later.
        let _ = std::fs::remove_file(&self.path);
    }
}
