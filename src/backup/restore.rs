//! Taking a backup back.

use std::{fs, path::Path};

use super::{
    DATABASE, Done, KEYS, MEDIA, io,
    list::{self, Entry, List},
    media_folder, write,
};
use crate::{
    config::Config,
    error::{Code, Error, Result},
    store::{check_sqlite, sqlite_file, take_place},
};

/// Takes a backup back into the folders of a configuration, where no database may be yet.
///
/// # Errors
/// `invalid_value` when the folder holds no backup, `conflict` when a database or another key is there already, `database` when
/// the backup is damaged or from a newer trawl.
pub async fn restore(config: &Config, from: &Path) -> Result<Done> {
    let backup = List::read(from)?;
    let database = sqlite_file(&config.database_url())?;
    list::folder(&config.paths.data)?;
    // Held until all is here: no daemon begins in between.
    let _lock = take_place(&database)?;
    let copy = from.join(DATABASE);
    whole(&copy, &backup.database)?;
    check_sqlite(&copy).await?;
    for key in &backup.keys {
        plain(key)?;
        whole(&from.join(KEYS).join(&key.file), key)?;
        let here = config.paths.data.join(&key.file);
        if here.exists() && list::look(&here, &key.file)? != *key {
            return Err(Error::new(Code::Conflict, format!("There is another key already: {}", here.display()))
                .with_hint("Restore into an empty data folder, or move this file away first."));
        }
    }
    let mut done = Done { database: backup.database.size, keys: backup.keys.len(), ..Done::default() };
    done.media = backup.media.len();
    for media in &backup.media {
        let to = media_folder(config).join(&media.file);
        if !is_key(&media.file) {
            return Err(damaged(&media.file));
        }
        // What lies elsewhere is not looked at.
        if !config.storage.url.is_empty() && !backup.with_media {
            continue;
        }
        let is_here = to.is_file() && list::look(&to, &media.file)? == *media;
        if is_here || write::media(&from.join(MEDIA).join(&media.file), &to, media)? {
            done.copied += 1;
        } else {
            done.missing.push(media.file.clone());
        }
    }
    for key in &backup.keys {
        list::copy(&from.join(KEYS).join(&key.file), &config.paths.data.join(&key.file), &key.file)?;
    }
    list::sync(&config.paths.data)?;
    list::copy(&copy, &database, DATABASE)?;
    if let Some(folder) = database.parent() {
        list::sync(folder)?;
    }
    Ok(done)
}

/// Refuses a file that is not what the list says.
fn whole(path: &Path, named: &Entry) -> Result<()> {
    if fs::metadata(path).map_err(io(path))?.len() == named.size && list::look(path, &named.file)? == *named {
        return Ok(());
    }
    Err(damaged(&named.file))
}

/// Refuses names that would lead out of the folder.
fn plain(key: &Entry) -> Result<()> {
    let is_plain = key.file.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if is_plain && !key.file.starts_with('.') { Ok(()) } else { Err(damaged(&key.file)) }
}

/// Whether a name is the key of a kept file: `ab/ab12…ef.mp4`.
fn is_key(file: &str) -> bool {
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    file.split_once('/')
        .and_then(|(folder, name)| Some((folder, name.split_once('.')?)))
        .is_some_and(|(folder, (hash, ending))| is_word(folder) && is_word(hash) && is_word(ending))
}

fn damaged(file: &str) -> Error {
    Error::new(Code::Database, format!("The backup is damaged: {} is not what its list says", file.escape_debug()))
        .with_hint("Take another backup.")
}
