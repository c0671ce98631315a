//! Which files have come to rest. Pure: whoever asks brings the time.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    time::Duration,
};

/// How long a file is left alone that could not be taken in.
const AFTER_FAILURE: Duration = Duration::from_secs(60);

/// A file as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub path: PathBuf,
    /// In bytes.
    pub size: u64,
    /// When it was last written to, in milliseconds since 1970.
    pub changed_at: i64,
}

/// What is known of a file.
struct Known {
    size: u64,
    changed_at: i64,
    /// Since when it looks like that.
    since: Duration,
    is_done: bool,
}

/// Files on their way to rest. Times are those of any clock that only goes forward.
#[derive(Default)]
pub(super) struct Settling(HashMap<PathBuf, Known>);

impl Settling {
    /// Whether a file has not changed for so long, and nobody has done with it yet.
    pub(super) fn is_settled(&mut self, file: &Found, settle: Duration, now: Duration) -> bool {
        let fresh = || Known { size: file.size, changed_at: file.changed_at, since: now, is_done: false };
        let known = self.0.entry(file.path.clone()).or_insert_with(fresh);
        if (known.size, known.changed_at) != (file.size, file.changed_at) {
            *known = fresh();
        }
        !known.is_done && file.size > 0 && now.saturating_sub(known.since) >= settle
    }

    /// A file as it is now needs nothing more.
    pub(super) fn done(&mut self, path: &Path) {
        if let Some(known) = self.0.get_mut(path) {
            known.is_done = true;
        }
    }

    /// A file could not be taken in: it is tried again after a while.
    pub(super) fn failed(&mut self, path: &Path, now: Duration) {
        if let Some(known) = self.0.get_mut(path) {
            known.since = now + AFTER_FAILURE;
        }
    }

    /// Forgets files below a folder that are not there any more.
    pub(super) fn keep(&mut self, folder: &Path, there: &[Found]) {
        let there: HashSet<&Path> = there.iter().map(|file| file.path.as_path()).collect();
        self.0.retain(|path, _| !path.starts_with(folder) || there.contains(path.as_path()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTLE: Duration = Duration::from_secs(10);

    fn file(size: u64, changed_at: i64) -> Found {
        Found { path: "/in/a.mp3".into(), size, changed_at }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_file_must_rest_in_size_and_time() {
        let mut settling = Settling::default();
        assert!(!settling.is_settled(&file(5, 1), SETTLE, at(0)));
        assert!(!settling.is_settled(&file(5, 1), SETTLE, at(9)));
        assert!(!settling.is_settled(&file(6, 1), SETTLE, at(11)), "it has grown");
        assert!(!settling.is_settled(&file(6, 2), SETTLE, at(21)), "it was written to");
        assert!(settling.is_settled(&file(6, 2), SETTLE, at(31)));
        settling.done(Path::new("/in/a.mp3"));
        assert!(!settling.is_settled(&file(6, 2), SETTLE, at(40)));
        assert!(!settling.is_settled(&file(7, 3), SETTLE, at(41)));
        assert!(settling.is_settled(&file(7, 3), SETTLE, at(51)), "it is another content");
    }

    #[test]
    fn empty_files_and_failures_wait() {
        let mut settling = Settling::default();
        settling.is_settled(&file(0, 1), SETTLE, at(0));
        assert!(!settling.is_settled(&file(0, 1), SETTLE, at(100)));
        settling.is_settled(&file(1, 1), SETTLE, at(100));
        assert!(settling.is_settled(&file(1, 1), SETTLE, at(110)));
        settling.failed(Path::new("/in/a.mp3"), at(110));
        assert!(!settling.is_settled(&file(1, 1), SETTLE, at(179)));
        assert!(settling.is_settled(&file(1, 1), SETTLE, at(180)));
        settling.keep(Path::new("/in"), &[]);
        assert!(!settling.is_settled(&file(1, 1), SETTLE, at(181)), "it was gone meanwhile");
    }
}
