//! Model files: names, places, checks, downloads.
//!
//! A model named `NAME` is the file `ggml-NAME.bin` in the models folder or one of its direct subfolders. Callers may
//! rely on: a [`ModelRef`] names a file that was there; a model for tests is never chosen unless someone names it; a
//! file appears under its final name only when it is whole and checked; no name from outside becomes a path: only names
//! that the table holds or a listing of the folder has shown are used.

mod ability;
pub mod catalogue;
mod check;
mod files;
mod list;
mod lock;
mod names;
mod pull;
mod pulls;

use std::{
    collections::{BTreeMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock},
    time::UNIX_EPOCH,
};

pub use self::{
    ability::validate,
    check::{Dims, ModelInfo, check_file},
    files::Verdict,
    list::Listed,
    pull::{Fetch, Progress},
    pulls::{Pull, PullState, Pulls, Started},
};
use crate::config::ModelsConfig;

/// A model that is here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelRef {
    /// Its name, with aliases resolved.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
    /// Which file that was: one that takes its place is another model.
    pub version: Version,
}

/// What tells a file from the one that takes its place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Version {
    /// Bytes.
    pub size: u64,
    /// When it was written to, in milliseconds since 1970.
    pub changed: u64,
}

impl ModelRef {
    /// The model in a file, as the file is now.
    pub fn new(name: impl Into<String>, path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        // A file that is gone fails where it is used.
        let version = path.metadata().map_or_else(
            |_| Version::default(),
            |file| {
                let age =
                    file.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
                Version { size: file.len(), changed: u64::try_from(age.as_millis()).unwrap_or(u64::MAX) }
            },
        );
        Self { name: name.into(), path, version }
    }
}

/// The models folder. Clones share what they know.
#[derive(Clone, Debug)]
pub struct Models {
    dir: PathBuf,
    default: String,
    base_urls: Vec<String>,
    offline: bool,
    aliases: BTreeMap<String, String>,
    /// Whether there is a GPU, once somebody has said so.
    gpu: Arc<OnceLock<bool>>,
    pulling: Arc<Mutex<HashSet<String>>>,
    checked: Arc<list::Checked>,
}

impl Models {
    /// The folder of this configuration. Nothing is read yet, so files may come and go.
    pub fn new(config: &ModelsConfig) -> Self {
        Self {
            dir: config.dir.clone(),
            default: config.default.clone(),
            base_urls: config.base_urls.clone(),
            offline: config.offline,
            aliases: config.aliases.clone(),
            gpu: Arc::default(),
            pulling: Arc::default(),
            checked: Arc::default(),
        }
    }
}

#[cfg(test)]
mod tests;
