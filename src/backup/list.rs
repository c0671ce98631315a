//! The list of a backup, and how files are copied with their hashes.

use std::{
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{LIST, io};
use crate::error::{Code, Error, Result};

/// The list's format; another one is not read.
const FORMAT: u32 = 1;
const BUFFER: usize = 1024 * 1024;

/// What is in a backup.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// The list's format.
    pub format: u32,
    /// The version that wrote it.
    pub trawl: String,
    /// When the database was copied.
    pub made_at: DateTime<Utc>,
    /// The newest change of the database's schema.
    pub schema: String,
    /// The database.
    pub database: Entry,
    /// The keys of the data folder.
    pub keys: Vec<Entry>,
    /// The kept media that the database names.
    pub media: Vec<Entry>,
    /// Whether the media are in the backup.
    pub with_media: bool,
}

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its name; of a media, its key.
    pub file: String,
    /// Its size in bytes.
    pub size: u64,
    /// Its SHA-256 in hex.
    pub sha256: String,
}

impl List {
    /// A list of a database that was copied just now.
    pub(super) fn new(schema: String, database: Entry) -> Self {
        let (trawl, made_at) = (env!("CARGO_PKG_VERSION").to_owned(), Utc::now());
        let (keys, media) = (Vec::new(), Vec::new());
        Self { format: FORMAT, trawl, made_at, schema, database, keys, media, with_media: false }
    }

    /// Reads the list of a backup.
    ///
    /// # Errors
    /// `invalid_value` when it is none, or one of a newer trawl.
    pub fn read(folder: &Path) -> Result<Self> {
        let wrong = |why: &str| {
            Error::new(Code::InvalidValue, format!("{} {why}", folder.display()))
                .with_hint("Name the folder that `trawl backup` has written.")
        };
        let text = match fs::read(folder.join(LIST)) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(wrong("holds no backup, or one that was not finished"));
            }
            text => text.map_err(io(&folder.join(LIST)))?,
        };
        let list: Self = serde_json::from_slice(&text)
            .map_err(|error| wrong("holds a list that cannot be read").with_source(error))?;
        if list.format != FORMAT {
            return Err(wrong("was written by a newer trawl"));
        }
        Ok(list)
    }

    /// Writes it: the backup is whole then.
    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)
            .map_err(|error| Error::new(Code::Internal, "The list cannot be written as JSON").with_source(error))?;
        put(&folder.join(LIST), |file| file.write_all(&text))?;
        sync(folder)
    }
}

/// Makes a folder that nobody else may look into.
pub(super) fn folder(path: &Path) -> Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(io(path))
}

/// Copies a file to a place where there is none, or takes the place of an older one, and returns what was copied. It is
/// there whole or not at all.
pub(super) fn copy(from: &Path, to: &Path, name: &str) -> Result<Entry> {
    let mut source = File::open(from).map_err(io(from))?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    put(to, |file| {
        loop {
            let read = source.read(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            hash.update(&buffer[..read]);
            size += read as u64;
            file.write_all(&buffer[..read])?;
        }
    })?;
    Ok(Entry { file: name.to_owned(), size, sha256: hex(hash) })
}

/// What a file is.
pub(super) fn look(path: &Path, name: &str) -> Result<Entry> {
    let mut source = File::open(path).map_err(io(path))?;
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; BUFFER]);
    loop {
        let read = source.read(&mut buffer).map_err(io(path))?;
        if read == 0 {
            return Ok(Entry { file: name.to_owned(), size, sha256: hex(hash) });
        }
        hash.update(&buffer[..read]);
        size += read as u64;
    }
}

/// Sees to it that the names in a folder are on the disk.
pub(super) fn sync(folder: &Path) -> Result<()> {
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(io(folder))
}

fn put(to: &Path, write: impl FnOnce(&mut File) -> std::io::Result<()>) -> Result<()> {
    // Beside its place first: half a file must never be taken for one.
    let mut draft = to.as_os_str().to_owned();
    draft.push(".new");
    let draft = Path::new(&draft);
    let written = (|| {
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(draft)?;
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(draft, to)
    })();
    written.map_err(io(to))
}

fn hex(hash: Sha256) -> String {
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
