//! What lies here of a bucket: `temp/cache`, bounded, what is longest unused goes first.
//!
//! Callers may rely on this: a file that somebody holds stays, so that the folder may be larger than its bound while more
//! than that is in use; and whoever holds a file's gate is the only one who writes it.

use std::{
    collections::HashMap,
    ops::Deref,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{key::Key, sweep};
use crate::error::Result;

/// The files. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Cache {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    most: u64,
    shelf: Mutex<Shelf>,
}

#[derive(Debug, Default)]
struct Shelf {
    files: HashMap<String, Entry>,
    bytes: u64,
    clock: u64,
}

#[derive(Debug, Default)]
struct Entry {
    /// What it takes, or will take when it is whole.
    bytes: u64,
    /// When it was used last, by the shelf's clock.
    used: u64,
    holds: usize,
    is_whole: bool,
    /// Whether it goes when nobody holds it any more.
    is_doomed: bool,
    gate: Arc<tokio::sync::Mutex<()>>,
}

/// A kept file that stays where it is until this is dropped.
#[derive(Debug)]
pub struct KeptFile {
    path: PathBuf,
    _hold: Option<Hold>,
}

impl KeptFile {
    pub(super) fn new(path: PathBuf, hold: Option<Hold>) -> Self {
        Self { path, _hold: hold }
    }
}

impl Deref for KeptFile {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.path
    }
}

impl AsRef<Path> for KeptFile {
    fn as_ref(&self) -> &Path {
        &self.path
    }
}

/// The right to a file of the cache, whether it is there yet or not.
#[derive(Debug)]
pub(super) struct Hold {
    name: String,
    gate: Arc<tokio::sync::Mutex<()>>,
    cache: Cache,
}

impl Cache {
    /// The files of a folder, as an earlier run has left them; what it had not finished is removed.
    pub(super) fn open(dir: PathBuf, most: u64) -> Result<Self> {
        let mut found: Vec<_> = sweep::entries(&dir)?
            .into_iter()
            .filter_map(|(entry, about)| {
                let name = entry.file_name().to_str().map(str::to_owned).filter(|name| is_name(name));
                if name.is_none() && about.is_file() {
                    // Nothing here is anything but a copy.
                    let _ = std::fs::remove_file(entry.path());
                }
                Some((name?, about.len(), about.modified().ok()))
            })
            .collect();
        found.sort_by_key(|(_, _, modified)| *modified);
        let cache = Self { inner: Arc::new(Inner { dir, most, shelf: Mutex::default() }) };
        {
            let mut shelf = cache.shelf();
            for (name, bytes, _) in found {
                let used = shelf.tick();
                shelf.bytes += bytes;
                shelf.files.insert(name, Entry { bytes, used, is_whole: true, ..Entry::default() });
            }
            cache.evict(&mut shelf, most);
        }
        Ok(cache)
    }

    /// Its folder.
    pub(super) fn dir(&self) -> &Path {
        &self.inner.dir
    }

    /// Where a file lies when it is whole.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.inner.dir.join(name)
    }

    /// Takes the right to a file.
    pub(super) fn hold(&self, name: &str) -> Hold {
        let mut shelf = self.shelf();
        let used = shelf.tick();
        let entry = shelf.files.entry(name.to_owned()).or_default();
        (entry.used, entry.holds) = (used, entry.holds + 1);
        Hold { name: name.to_owned(), gate: Arc::clone(&entry.gate), cache: self.clone() }
    }

    /// Gives up what is longest unused until so many bytes more fit; false when they never will, or when nothing is left
    /// that could go.
    pub(super) fn make_room(&self, bytes: u64) -> bool {
        let mut shelf = self.shelf();
        self.inner.most.checked_sub(bytes).is_some_and(|most| self.evict(&mut shelf, most))
    }

    /// Gives up the file that is longest unused; false when there is none.
    pub(super) fn give_one(&self) -> bool {
        let mut shelf = self.shelf();
        self.give(&mut shelf)
    }

    /// Removes a file, as soon as nobody holds it.
    pub(super) fn forget(&self, name: &str) {
        let mut shelf = self.shelf();
        match shelf.files.get_mut(name) {
            Some(entry) if entry.holds > 0 => entry.is_doomed = true,
            Some(_) => self.remove(&mut shelf, name),
            None => {}
        }
    }

    /// The keys of the whole files.
    pub(super) fn keys(&self) -> Vec<String> {
        let shelf = self.shelf();
        let whole = shelf.files.iter().filter(|(_, entry)| entry.is_whole);
        whole.filter_map(|(name, _)| Key::whole_of(name)).collect()
    }

    /// What it takes, in bytes.
    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.shelf().bytes
    }

    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.inner.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn evict(&self, shelf: &mut Shelf, most: u64) -> bool {
        while shelf.bytes > most {
            if !self.give(shelf) {
                return false;
            }
        }
        true
    }

    fn give(&self, shelf: &mut Shelf) -> bool {
        let free = shelf.files.iter().filter(|(_, entry)| entry.holds == 0);
        let Some(name) = free.min_by_key(|(_, entry)| entry.used).map(|(name, _)| name.clone()) else { return false };
        self.remove(shelf, &name);
        true
    }

    fn remove(&self, shelf: &mut Shelf, name: &str) {
        // What cannot be removed is found at the next start.
        let path = self.path(name);
        let _ = std::fs::remove_file(part(&path));
        let _ = std::fs::remove_file(path);
        if let Some(entry) = shelf.files.remove(name) {
            shelf.bytes -= entry.bytes;
        }
    }
}

impl Hold {
    /// Waits until nobody else writes the file.
    pub(super) async fn gate(&self) -> tokio::sync::OwnedMutexGuard<()> {
        Arc::clone(&self.gate).lock_owned().await
    }

    /// Where it lies when it is whole.
    pub(super) fn path(&self) -> PathBuf {
        self.cache.path(&self.name)
    }

    /// Where it lies while it comes.
    pub(super) fn part(&self) -> PathBuf {
        part(&self.path())
    }

    /// Whether it is there, also for those who look into the folder.
    pub(super) fn is_whole(&self) -> bool {
        let is_whole = self.cache.shelf().files.get(&self.name).is_some_and(|entry| entry.is_whole);
        is_whole && self.path().is_file()
    }

    /// Notes what the file takes, and whether that is all there.
    pub(super) fn note(&self, bytes: u64, is_whole: bool) {
        let mut shelf = self.cache.shelf();
        if let Some(entry) = shelf.files.get_mut(&self.name) {
            let before = std::mem::replace(&mut entry.bytes, bytes);
            entry.is_whole = is_whole;
            shelf.bytes = shelf.bytes - before + bytes;
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut shelf = self.cache.shelf();
        let Some(entry) = shelf.files.get_mut(&self.name) else { return };
        entry.holds -= 1;
        let is_nothing = !entry.is_whole && !self.part().is_file();
        if entry.holds == 0 && (entry.is_doomed || is_nothing) {
            self.cache.remove(&mut shelf, &self.name);
        }
        // While much was in use there may have been more than there should be.
        self.cache.evict(&mut shelf, self.cache.inner.most);
    }
}

impl Shelf {
    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

fn part(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".part");
    name.into()
}

fn is_name(name: &str) -> bool {
    Key::whole_of(name).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(n: u8) -> String {
        format!("{}.mp3", format!("{n:02x}").repeat(32))
    }

    /// Puts a file of ten bytes there.
    fn put(cache: &Cache, n: u8) -> Hold {
        let hold = cache.hold(&name(n));
        cache.make_room(10);
        std::fs::write(hold.path(), [n; 10]).unwrap();
        hold.note(10, true);
        hold
    }

    fn names(cache: &Cache) -> Vec<u8> {
        let mut names: Vec<u8> = cache.keys().iter().map(|key| u8::from_str_radix(&key[..2], 16).unwrap()).collect();
        names.sort_unstable();
        let on_disk = std::fs::read_dir(cache.dir()).unwrap().count();
        assert_eq!(on_disk, names.len());
        names
    }

    #[test]
    fn what_is_longest_unused_goes_first_and_what_is_held_stays() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path().to_owned(), 30).unwrap();
        let first = put(&cache, 1);
        for n in [2, 3] {
            drop(put(&cache, n));
        }
        drop(cache.hold(&name(2)));
        drop(put(&cache, 4));
        assert_eq!(names(&cache), [1, 2, 4], "3 was the one that nobody had wanted for longest");
        let held: Vec<Hold> = [5, 6, 7].map(|n| put(&cache, n)).into();
        assert_eq!((names(&cache), cache.bytes()), (vec![1, 5, 6, 7], 40), "more is held than fits");
        assert!(!cache.give_one());
        drop(held);
        assert_eq!(cache.bytes(), 30);
        assert!(names(&cache).contains(&1) && first.is_whole());
    }

    #[test]
    fn what_is_forgotten_goes_when_it_is_free() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path().to_owned(), 30).unwrap();
        let hold = put(&cache, 1);
        cache.forget(&name(1));
        assert!(hold.path().is_file());
        drop(hold);
        cache.forget(&name(1));
        assert_eq!((names(&cache), cache.bytes()), (vec![], 0));
        drop(cache.hold(&name(2)));
        assert!(cache.shelf().files.is_empty(), "nothing came of it");
    }

    #[test]
    fn a_new_run_finds_what_is_whole() {
        let dir = tempfile::tempdir().unwrap();
        let cache = Cache::open(dir.path().to_owned(), 30).unwrap();
        for n in [1, 2, 3] {
            drop(put(&cache, n));
        }
        std::fs::write(part(&cache.path(&name(4))), "half").unwrap();
        std::fs::write(cache.path("something"), "else").unwrap();
        drop(cache);
        let cache = Cache::open(dir.path().to_owned(), 20).unwrap();
        assert_eq!((names(&cache).len(), cache.bytes()), (2, 20));
    }
}
