//! Samples on their way to disk: counted, hashed, and given their name only when all is well.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    error::{Code, Error, Result, is_no_room},
    fault,
};

/// Where samples go.
pub(super) struct Pcm<W> {
    out: W,
    hash: Sha256,
    bytes: u64,
}

impl<W: Write> Pcm<W> {
    pub(super) fn new(out: W) -> Self {
        Self { out, hash: Sha256::new(), bytes: 0 }
    }

    pub(super) fn write(&mut self, samples: &[u8]) -> Result<()> {
        fault::disk("disk::samples").map_err(storage_error)?;
        self.out.write_all(samples).map_err(storage_error)?;
        self.hash.update(samples);
        self.bytes += samples.len() as u64;
        Ok(())
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The writer, the number of samples, and their SHA-256 in hexadecimal.
    pub(super) fn finish(self) -> (W, u64, String) {
        let hash = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        (self.out, self.bytes / 2, hash)
    }
}

/// A file beside its final place; gone when dropped without [`Draft::publish`].
#[derive(Debug)]
pub(super) struct Draft {
    file: File,
    path: PathBuf,
    published: bool,
}

impl Draft {
    /// A fresh file in the folder of `out`.
    pub(super) fn beside(out: &Path) -> Result<Self> {
        let path = out.with_file_name(format!(".{}.part", Uuid::new_v4()));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path).map_err(storage_error)?;
        Ok(Self { file, path, published: false })
    }

    /// On disk for good, under its name.
    pub(super) fn publish(mut self, out: &Path) -> Result<()> {
        self.file.sync_all().map_err(storage_error)?;
        fault::point("samples::written");
        fs::rename(&self.path, out).map_err(storage_error)?;
        fault::point("samples::named");
        self.published = true;
        if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            File::open(folder).and_then(|folder| folder.sync_all()).map_err(storage_error)?;
        }
        Ok(())
    }
}

impl Write for Draft {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.published
            && let Err(error) = fs::remove_file(&self.path)
        {
            tracing::warn!(%error, "an unfinished file of samples could not be removed");
        }
    }
}

fn storage_error(error: std::io::Error) -> Error {
    let kind = error.kind();
    let (code, text) = match is_no_room(kind) || kind == std::io::ErrorKind::FileTooLarge {
        true => (Code::InsufficientStorage, "There is no room for the samples of this file"),
        false => (Code::Io, "The samples could not be written"),
    };
    Error::new(code, text).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_hashes() {
        let mut pcm = Pcm::new(Vec::new());
        pcm.write(b"ab").unwrap();
        pcm.write(b"c\0").unwrap();
        let (bytes, samples, hash) = pcm.finish();
        assert_eq!((bytes.as_slice(), samples), (&b"abc\0"[..], 2));
        assert_eq!(hash, "dc1114cd074914bd872cc1f9a23ec910ea2203bc79779ab2e17da25782a624fc"); // sha256sum
    }

    #[test]
    fn a_full_disk_is_named() {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        assert_eq!(Pcm::new(full).write(&[0; 64]).unwrap_err().code, Code::InsufficientStorage);
    }

    #[test]
    fn a_draft_is_published_or_gone() {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("a.pcm");
        let count = || fs::read_dir(folder.path()).unwrap().count();
        drop(Draft::beside(&out).unwrap());
        assert_eq!(count(), 0);
        let mut draft = Draft::beside(&out).unwrap();
        draft.write_all(b"xy").unwrap();
        assert!(!out.exists());
        draft.publish(&out).unwrap();
        assert_eq!((fs::read(&out).unwrap().as_slice(), count()), (&b"xy"[..], 1));
    }
}
