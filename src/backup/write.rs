//! Writing a backup.

use std::{fs, io::ErrorKind, path::Path};

use super::{
    DATABASE, Done, KEYS, MEDIA, io,
    list::{self, Entry, List},
    media_folder,
};
use crate::{
    config::Config,
    error::{Code, Error, Result},
    store::{check_sqlite, copy_sqlite, sqlite_file},
};

/// Writes a backup into a folder that is empty or not there yet.
///
/// # Errors
/// `invalid_value` when the folder holds something, `not_found` without a database, `config` for a database that trawl cannot
/// copy, `database` when the copy is damaged.
pub async fn write(config: &Config, to: &Path, with_media: bool) -> Result<Done> {
    let database = sqlite_file(&config.database_url())?;
    if !database.exists() {
        return Err(Error::new(Code::NotFound, format!("There is no database: {}", database.display()))
            .with_hint("Check `paths.data`; it is made at the daemon's first start."));
    }
    if with_media && !config.storage.url.is_empty() {
        return Err(Error::new(
            Code::Config,
            "Media lie in `storage.url`, and trawl copies those of `paths.data` only",
        )
        .with_hint("Leave --media out: the list of the backup names every file with its hash."));
    }
    list::folder(to)?;
    if fs::read_dir(to).map_err(io(to))?.next().is_some() {
        return Err(Error::new(Code::InvalidValue, format!("{} is not empty", to.display()))
            .with_hint("Name a folder that is not there yet."));
    }
    let copy = to.join(DATABASE);
    copy_sqlite(&database, &copy).await?;
    keep_from_others(&copy)?;
    let copied = check_sqlite(&copy).await?;
    let mut written = List::new(copied.schema, list::look(&copy, DATABASE)?);
    written.keys = keys(&config.paths.data, &to.join(KEYS))?;
    written.with_media = with_media;
    let mut done = Done { database: written.database.size, keys: written.keys.len(), ..Done::default() };
    for (file, size, sha256) in copied.files {
        let named = Entry { file, size: u64::try_from(size).unwrap_or_default(), sha256 };
        if with_media {
            match media(&media_folder(config).join(&named.file), &to.join(MEDIA).join(&named.file), &named)? {
                true => done.copied += 1,
                // Deleted since the database was copied, or damaged: the operator is told.
                false => done.missing.push(named.file.clone()),
            }
        }
        written.media.push(named);
    }
    done.media = written.media.len();
    written.write(to)?;
    Ok(done)
}

/// Copies what signs and encrypts.
fn keys(from: &Path, to: &Path) -> Result<Vec<Entry>> {
    let mut keys = Vec::new();
    list::folder(to)?;
    for entry in fs::read_dir(from).map_err(io(from))? {
        let entry = entry.map_err(io(from))?;
        let name = entry.file_name();
        let Some(name) = name.to_str().filter(|name| name.ends_with(".key") || name.ends_with(".secret")) else {
            continue;
        };
        if entry.file_type().is_ok_and(|kind| kind.is_file()) {
            keys.push(list::copy(&entry.path(), &to.join(name), name)?);
        }
    }
    list::sync(to)?;
    keys.sort_by(|one, other| one.file.cmp(&other.file));
    Ok(keys)
}

/// Copies a kept file; whether it is what it should be.
pub(super) fn media(from: &Path, to: &Path, named: &Entry) -> Result<bool> {
    match fs::metadata(from) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(false),
        about => about.map_err(io(from))?,
    };
    if let Some(folder) = to.parent() {
        list::folder(folder)?;
    }
    let copied = list::copy(from, to, &named.file)?;
    if copied == *named {
        return Ok(true);
    }
    fs::remove_file(to).map_err(io(to))?;
    Ok(false)
}

fn keep_from_others(file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o600)).map_err(io(file))?;
    fs::File::open(file).and_then(|file| file.sync_all()).map_err(io(file))
}
