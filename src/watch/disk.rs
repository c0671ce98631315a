//! What is done with a watched folder's files: found, read, and results put beside them.

use std::{
    fs::{self, File},
    io::{self, ErrorKind, Write},
    os::unix::fs::{OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
    time::UNIX_EPOCH,
};

use super::settling::Found;

/// How deep folders are looked into.
const DEPTH: usize = 32;
/// How many results may have one name; the following ones are numbered.
const SAME: usize = 1_000;

/// The files below a folder with one of these endings. Symbolic links are not followed, hidden files and folders not
/// looked at; a file that is gone meanwhile is left out, and so is what cannot be read below the folder.
pub(super) fn walk(folder: &Path, endings: &[String]) -> io::Result<Vec<Found>> {
    let (mut found, mut folders) = (Vec::new(), vec![(folder.to_owned(), 0)]);
    while let Some((inside, depth)) = folders.pop() {
        let entries = match fs::read_dir(&inside) {
            Err(error) if depth == 0 => return Err(error),
            Err(_) => continue,
            Ok(entries) => entries,
        };
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let (path, Ok(kind)) = (entry.path(), entry.file_type()) else { continue };
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if kind.is_dir() && depth < DEPTH {
                folders.push((path, depth + 1));
            } else if kind.is_file()
                && has_ending(&path, endings)
                && let Ok(about) = entry.metadata()
            {
                found.push(Found { path, size: about.len(), changed_at: changed_at(&about) });
            }
        }
    }
    // The same order at every look.
    found.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(found)
}

fn has_ending(path: &Path, endings: &[String]) -> bool {
    let ending = path.extension().and_then(|ending| ending.to_str()).map(str::to_ascii_lowercase);
    ending.is_some_and(|ending| endings.contains(&ending))
}

fn changed_at(about: &fs::Metadata) -> i64 {
    let since = about.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// Opens a file that was found; something else that has taken its place meanwhile is refused.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    if file.metadata()?.is_file() { Ok(file) } else { Err(ErrorKind::InvalidInput.into()) }
}

/// Whether a file is as it was found.
pub(super) fn is_unchanged(file: &Found) -> bool {
    let about = fs::symlink_metadata(&file.path);
    about.is_ok_and(|about| about.is_file() && (about.len(), changed_at(&about)) == (file.size, file.changed_at))
}

/// Writes a result as `path.ending` below `folder`, whole or not at all. Another file of that name stays, and the result
/// is numbered, unless it is the same or `replaces` says that it is ours.
pub(super) fn publish(folder: &Path, path: &Path, ending: &str, text: &str, replaces: bool) -> io::Result<PathBuf> {
    let inside = path.parent().unwrap_or(folder);
    fs::create_dir_all(inside)?;
    // A symbolic link below the folder must not lead out of it.
    if !inside.canonicalize()?.starts_with(folder.canonicalize()?) {
        return Err(io::Error::new(ErrorKind::PermissionDenied, "the result's folder lies elsewhere"));
    }
    let stem = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let mut part = tempfile::Builder::new()
        .prefix(".trawl-")
        .suffix(".part")
        .permissions(fs::Permissions::from_mode(0o666))
        .tempfile_in(inside)?;
    part.write_all(text.as_bytes())?;
    part.as_file().sync_all()?;
    if replaces {
        let target = inside.join(format!("{stem}.{ending}"));
        part.persist(&target)?;
        return Ok(target);
    }
    for number in 1..SAME {
        let number = if number == 1 { String::new() } else { format!("-{number}") };
        let target = inside.join(format!("{stem}{number}.{ending}"));
        part = match part.persist_noclobber(&target) {
            Ok(_) => return Ok(target),
            Err(failed) if failed.error.kind() == ErrorKind::AlreadyExists => failed.file,
            Err(failed) => return Err(failed.error),
        };
        // As after a start that follows a stop right here.
        if holds(&target, text) {
            return Ok(target);
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn holds(path: &Path, text: &str) -> bool {
    let is_as_long = fs::symlink_metadata(path).is_ok_and(|about| about.is_file() && about.len() == text.len() as u64);
    is_as_long && fs::read(path).is_ok_and(|held| held == text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_whole_media_are_found() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at("a/b")).unwrap();
        fs::create_dir(at(".hidden")).unwrap();
        for name in ["a/b/one.MP3", "two.wav", ".three.wav", "four.wav.part", "five.txt", ".hidden/six.wav", "seven"] {
            fs::write(at(name), "x").unwrap();
        }
        fs::write(elsewhere.path().join("eight.wav"), "x").unwrap();
        symlink(elsewhere.path().join("eight.wav"), at("eight.wav")).unwrap();
        symlink(elsewhere.path(), at("c")).unwrap();
        let found = walk(folder.path(), &["mp3".to_owned(), "wav".to_owned()]).unwrap();
        let names: Vec<_> = found.iter().map(|file| file.path.strip_prefix(folder.path()).unwrap()).collect();
        assert_eq!(names, [Path::new("a/b/one.MP3"), Path::new("two.wav")]);
        assert!(is_unchanged(&found[0]));
        fs::write(&found[0].path, "longer").unwrap();
        assert!(!is_unchanged(&found[0]));
        assert!(open(&at("eight.wav")).is_err() && open(&at("a")).is_err() && open(&at("two.wav")).is_ok());
        assert!(walk(&at("nowhere"), &[]).is_err());
    }

    #[test]
    fn results_replace_nothing_of_others() {
        let folder = tempfile::tempdir().unwrap();
        let (path, file) = (folder.path().join("out/talk"), |name: &str| folder.path().join("out").join(name));
        let write = |text: &str, replaces| publish(folder.path(), &path, "txt", text, replaces).unwrap();
        assert_eq!(write("one", false), file("talk.txt"));
        assert_eq!(write("one", false), file("talk.txt"), "it is there");
        assert_eq!(write("two", false), file("talk-2.txt"));
        assert_eq!(write("three", true), file("talk.txt"));
        assert_eq!(fs::read_to_string(file("talk.txt")).unwrap(), "three");
        assert_eq!(fs::read_dir(folder.path().join("out")).unwrap().count(), 2, "parts are left");
    }

    #[test]
    fn results_stay_below_the_folder() {
        let (folder, elsewhere) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        symlink(elsewhere.path(), folder.path().join("out")).unwrap();
        let error = publish(folder.path(), &folder.path().join("out/talk"), "txt", "x", false).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::PermissionDenied);
        assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    }
}
