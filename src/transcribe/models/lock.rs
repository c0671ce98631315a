//! One download of a model at a time, over all processes.

use std::{
    fs::{File, OpenOptions, TryLockError, remove_file, symlink_metadata},
    io::{ErrorKind, Result},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::PathBuf,
};

/// The right to make a model's file, from the first byte to its name. It ends with the process, however that ends.
pub(super) struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes it; none while somebody else has it.
    pub(super) fn take(path: PathBuf) -> Result<Option<Self>> {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).custom_flags(libc::O_NOFOLLOW);
        loop {
            let file = options.open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                // File systems that know no locks have one process that uses them, as far as anyone can tell.
                Err(TryLockError::Error(error)) if error.kind() == ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // Whoever had it may have removed the file after it was opened here.
            let held = file.metadata()?;
            match symlink_metadata(&path) {
                Ok(there) if (there.dev(), there.ino()) == (held.dev(), held.ino()) => {
                    return Ok(Some(Self { path, _file: file }));
                }
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A file that stays is no lock: nobody holds it.
        let _ = remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_belongs_to_one_at_a_time_and_leaves_nothing() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.lock");
        let first = Lock::take(path.clone()).unwrap();
        assert!(first.is_some() && Lock::take(path.clone()).unwrap().is_none());
        drop(first);
        assert!(!path.exists());
        std::fs::write(&path, "left by a process that died").unwrap();
        assert!(Lock::take(path).unwrap().is_some());
        assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_file_that_was_removed_is_no_lock() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.lock");
        // Many hands, each for a moment: never two at the same time.
        let holders = std::sync::atomic::AtomicUsize::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..500 {
                        if let Some(_lock) = Lock::take(path.clone()).unwrap() {
                            assert_eq!(holders.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                            holders.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                        }
                    }
                });
            }
        });
    }
}
