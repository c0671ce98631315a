//! How much room there is.

use std::{ffi::CString, mem::MaybeUninit, os::unix::ffi::OsStrExt, path::Path};

use super::{Files, store::Shelf};
use crate::error::{Code, Error, Result};

impl Files {
    /// Bytes that trawl may still write, on the fuller one of its file systems.
    pub fn free_bytes(&self) -> Result<u64> {
        let kept = match &self.inner.shelf {
            Shelf::Folder { path, .. } => path.as_path(),
            Shelf::Bucket(cache) => cache.dir(),
        };
        let folders = [self.inner.temp.as_path(), &self.inner.partials, kept];
        folders.into_iter().try_fold(u64::MAX, |least, folder| Ok(least.min(free_bytes(folder)?)))
    }

    /// Bytes that may be written before the reserve (`uploads.reserve_bytes`) is touched.
    pub fn room(&self) -> Result<u64> {
        Ok(self.free_bytes()?.saturating_sub(self.inner.reserve))
    }

    /// Fails with `insufficient_storage` when writing this much would leave less than `uploads.reserve_bytes`.
    pub fn check_free(&self, needed: u64) -> Result<()> {
        fits(self.free_bytes()?, needed, self.inner.reserve)
    }
}

/// Fails with `insufficient_storage` when writing this much into another folder would leave less than `reserve` there.
pub fn check_room(folder: &Path, needed: u64, reserve: u64) -> Result<()> {
    fits(free_bytes(folder)?, needed, reserve)
}

fn fits(free: u64, needed: u64, reserve: u64) -> Result<()> {
    if free >= needed.saturating_add(reserve) {
        return Ok(());
    }
    let mib = |bytes: u64| bytes / (1024 * 1024);
    let text =
        format!("{} MiB are needed, {} MiB are free, {} MiB stay in reserve", mib(needed), mib(free), mib(reserve));
    Err(Error::new(Code::InsufficientStorage, text))
}

/// Bytes that an ordinary user may still write to the file system of a folder.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)] // the fields' types differ between systems
pub fn free_bytes(path: &Path) -> Result<u64> {
    let path = CString::new(path.as_os_str().as_bytes())
        .map_err(|error| Error::new(Code::Internal, "A folder's name holds a zero byte").with_source(error))?;
    let mut about = MaybeUninit::<libc::statvfs>::uninit();
    // SAFETY: `path` ends with a zero byte and `about` has room for what is written.
    if unsafe { libc::statvfs(path.as_ptr(), about.as_mut_ptr()) } != 0 {
        return Err(std::io::Error::last_os_error().into());
    }
    // SAFETY: statvfs has succeeded and filled it.
    let about = unsafe { about.assume_init() };
    if about.f_flag & libc::ST_RDONLY != 0 {
        return Err(Error::new(Code::InsufficientStorage, "The disk can only be read")
            .with_hint("Mount it so that it can be written again; the work goes on by itself."));
    }
    Ok((about.f_bavail as u64).saturating_mul(about.f_frsize as u64))
}
