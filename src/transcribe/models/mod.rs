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
};

pub use self::{
    ability::validate,
    check::{Dims, ModelInfo, check_file},
    files::Verdict,
    list::Listed,
    pull::{Fetch, Progress},
    pulls::{Pull, PullState, Pulls, Started},
};
use crate::{config::ModelsConfig, domain::Options, error::Result};

/// A model that is here.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ModelRef {
    /// Its name, with aliases resolved.
    pub name: String,
    /// Its file.
    pub path: PathBuf,
}

impl ModelRef {
    /// Whether this model can do what is asked of it.
    pub fn validate(&self, options: &Options) -> Result<()> {
        validate(&self.name, options)
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
