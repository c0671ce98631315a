//! Clearing away what crashes left.

use std::{
    collections::HashSet,
    fs::{DirEntry, Metadata},
    path::Path,
    time::{Duration, SystemTime},
};

use chrono::Utc;
use futures_util::{
    StreamExt, TryStreamExt,
    future::ready,
    stream::{self, BoxStream},
};
use object_store::ObjectMeta;

use super::{
    Files, blocking,
    key::Key,
    store::{Shelf, of_bucket},
};
use crate::{domain::TaskId, error::Result};

/// How old a file must be that another node may be writing.
const OTHERS: Duration = Duration::from_secs(24 * 60 * 60);

/// What was cleared away.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Folders of tasks.
    pub folders: u64,
    /// Parts of uploads, and copies into the store that were never finished.
    pub files: u64,
    /// Their size.
    pub bytes: u64,
}

impl Files {
    /// Removes the folders of tasks that are not `live`, and parts of uploads, when nobody has touched them for
    /// `older_than`. That age protects what has begun since `live` was read. Links are removed, never followed; names that
    /// are not trawl's are left alone; what cannot be removed is left for the next time.
    pub async fn sweep(&self, live: &HashSet<TaskId>, older_than: Duration) -> Result<Swept> {
        let (files, live) = (self.clone(), live.clone());
        blocking(move || {
            let mut swept = Swept::default();
            let old = |about: &Metadata| age(about).is_some_and(|age| age >= older_than);
            for (entry, about) in entries(&files.inner.temp)? {
                let name = entry.file_name();
                let Some(task) = name.to_str().and_then(|name| name.parse::<i64>().ok()) else { continue };
                if name.to_str() == Some(&task.to_string()) && !live.contains(&TaskId(task)) && old(&about) {
                    let bytes = size(&entry.path(), &about);
                    let removed = if about.is_dir() {
                        std::fs::remove_dir_all(entry.path())
                    } else {
                        std::fs::remove_file(entry.path())
                    };
                    if removed.is_ok() {
                        swept.folders += 1;
                        swept.bytes += bytes;
                    }
                }
            }
            let is_part = |name: &str| name.ends_with(".part");
            swept.files_in(&files.inner.uploads, is_part, old)?;
            if let Shelf::Folder { path, shared } = &files.inner.shelf {
                // Another node may be writing there, whatever is known of this one.
                let staged_for = if *shared { older_than.max(OTHERS) } else { older_than };
                let old = |about: &Metadata| age(about).is_some_and(|age| age >= staged_for);
                for (folder, about) in entries(path)? {
                    if about.is_dir() {
                        swept.files_in(&folder.path(), is_staged, old)?;
                    }
                }
            }
            Ok(swept)
        })
        .await
    }

    /// The keys of kept files that nobody has written for `older_than`. Whoever knows what is in use decides about them.
    pub async fn kept(&self, older_than: Duration) -> Result<BoxStream<'static, Result<String>>> {
        let path = match &self.inner.shelf {
            Shelf::Folder { path, .. } => path.clone(),
            Shelf::Bucket(_) => return Ok(self.kept_in_bucket(older_than)),
        };
        let keys = blocking(move || {
            let mut keys = Vec::new();
            for (folder, about) in entries(&path)? {
                if !about.is_dir() {
                    continue;
                }
                for (file, about) in entries(&folder.path())? {
                    let key = format!("{}/{}", folder.file_name().display(), file.file_name().display());
                    if about.is_file() && Key::parse(&key).is_some() && age(&about).is_some_and(|age| age >= older_than)
                    {
                        keys.push(Ok(key));
                    }
                }
            }
            Ok(keys)
        });
        Ok(stream::iter(keys.await?).boxed())
    }

    /// By the bucket's own clock, so that no node takes what another one has just sent.
    fn kept_in_bucket(&self, older_than: Duration) -> BoxStream<'static, Result<String>> {
        let is_old = move |about: &ObjectMeta| {
            let age = (Utc::now() - about.last_modified).to_std();
            age.is_ok_and(|age| age >= older_than) && Key::parse(about.location.as_ref()).is_some()
        };
        let listed = self.inner.store.list(None).map_err(of_bucket);
        let key = move |about: ObjectMeta| ready(Ok(is_old(&about).then(|| about.location.to_string())));
        listed.try_filter_map(key).boxed()
    }
}

impl Swept {
    fn files_in(
        &mut self,
        folder: &Path,
        ours: impl Fn(&str) -> bool,
        old: impl Fn(&Metadata) -> bool,
    ) -> std::io::Result<()> {
        for (entry, about) in entries(folder)? {
            let ours = entry.file_name().to_str().is_some_and(&ours);
            if ours && !about.is_dir() && old(&about) && std::fs::remove_file(entry.path()).is_ok() {
                self.files += 1;
                self.bytes += about.len();
            }
        }
        Ok(())
    }
}

/// The object store writes to `name#1` and renames when all is there.
fn is_staged(name: &str) -> bool {
    name.rsplit_once('#').is_some_and(|(_, number)| !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit()))
}

/// The entries of a folder with what they are themselves, links not followed. Those that vanish meanwhile are left out.
pub(super) fn entries(folder: &Path) -> std::io::Result<Vec<(DirEntry, Metadata)>> {
    let entries = std::fs::read_dir(folder)?.filter_map(|entry| {
        let entry = entry.ok()?;
        let about = entry.metadata().ok()?;
        Some((entry, about))
    });
    Ok(entries.collect())
}

/// How long ago it was last written; none for times in the future.
pub(super) fn age(about: &Metadata) -> Option<Duration> {
    SystemTime::now().duration_since(about.modified().ok()?).ok()
}

fn size(path: &Path, about: &Metadata) -> u64 {
    if !about.is_dir() {
        return about.len();
    }
    entries(path).map_or(0, |entries| entries.iter().map(|(entry, about)| size(&entry.path(), about)).sum())
}
