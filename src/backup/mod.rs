//! Backups: the database as it is at one moment, the keys of the data folder, and a list of the kept media with their
//! hashes; the media themselves where they are asked for.
//!
//! Callers may rely on this: a backup is made beside a running daemon and holds nobody up; its list is written last, so what
//! has none is no backup; nothing of a backup is taken back before all of it was checked, and the database comes last, so a
//! restore that broke off has restored nothing.

mod list;
mod restore;
mod write;

use std::path::{Path, PathBuf};

pub use self::{
    list::{Entry, List},
    restore::restore,
    write::write,
};
use crate::{
    config::Config,
    error::{Code, Error},
};

/// The names of what lies in a backup.
const DATABASE: &str = "trawl.db";
const KEYS: &str = "keys";
const MEDIA: &str = "media";
const LIST: &str = "backup.json";

/// What was written or taken back.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// The database's size in bytes.
    pub database: u64,
    /// How many keys.
    pub keys: usize,
    /// How many kept media the database names.
    pub media: usize,
    /// How many of them are with it.
    pub copied: usize,
    /// The keys of files that should be with it and are not there, or are not what they should be.
    pub missing: Vec<String>,
}

/// Where kept media lie.
fn media_folder(config: &Config) -> PathBuf {
    config.paths.data.join(MEDIA)
}

/// Says which file cannot be used.
fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
    let path = path.display().to_string();
    move |error| Error::new(Code::Io, format!("{path} cannot be read or written")).with_source(error)
}
