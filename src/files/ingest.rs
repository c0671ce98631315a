//! Folders of the operator's whose files are taken in.
//!
//! Callers may rely on this: what is read lies below the root. The root is held open, and every name is looked up from it by
//! a library that lets neither `..` nor links lead out, whoever changes them meanwhile. Nothing there is changed.

use std::{
    ffi::OsString,
    io::{ErrorKind, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use cap_std::{
    ambient_authority,
    fs::{Dir, File, OpenOptions, OpenOptionsExt},
};
use tokio::io::AsyncReadExt;

use super::{Files, UploadFile, blocking, kind};
use crate::error::{Code, Error, Result};

/// The most media files of a folder.
const MOST: usize = 1000;

/// How much is read at once.
const PIECE: usize = 256 * 1024;

/// The longest shown name, in characters.
const MAX_NAME: usize = 255;

/// A folder below the ingest root.
#[derive(Debug)]
pub struct Ingest {
    dir: Arc<Dir>,
    /// The files in it that are audio or video by their names or their first bytes, by name; those of its folders not.
    pub media: Vec<OsString>,
    /// The names of its other files, for display. Hidden ones are not told.
    pub skipped: Vec<String>,
}

impl Ingest {
    /// Looks at a folder by its name below `root`.
    ///
    /// # Errors
    /// `invalid_request` for a name that leads out of the root or holds no media, `not_found`, `too_large` above 1000 files,
    /// `config` when the root is not there.
    pub async fn open(root: &Path, folder: &str) -> Result<Self> {
        let (root, folder) = (root.to_owned(), folder.to_owned());
        blocking(move || look(&root, &folder)).await
    }

    /// Copies one of the files, so that it stays as it is now whatever becomes of the one there.
    pub async fn copy(&self, name: &OsString, files: &Files) -> Result<UploadFile> {
        let (dir, file) = (Arc::clone(&self.dir), name.clone());
        let opened = blocking(move || open(&dir, &file)).await?;
        let opened = opened.ok_or_else(|| Error::new(Code::NotFound, format!("{} is gone", shown(name))))?;
        let mut source = tokio::fs::File::from_std(opened.into_std());
        let mut upload = files.new_upload().await?;
        let mut piece = vec![0; PIECE];
        loop {
            match source.read(&mut piece).await? {
                0 => break,
                count => upload.write(&piece[..count]).await?,
            }
        }
        upload.finish().await?;
        Ok(upload)
    }
}

/// A file's name for display.
pub fn shown(name: &OsString) -> String {
    name.to_string_lossy().chars().filter(|c| !c.is_control()).take(MAX_NAME).collect()
}

fn look(root: &Path, folder: &str) -> Result<Ingest> {
    let refused = |detail: &str| Error::new(Code::InvalidRequest, detail).with_field("dirname");
    let top = Dir::open_ambient_dir(root, ambient_authority()).map_err(|error| {
        Error::new(Code::Config, "The folder of `ingest.root` cannot be opened")
            .with_hint("Create the folder and let trawl's user read it, or change `ingest.root`.")
            .with_source(error)
    })?;
    let path = below(root, folder).ok_or_else(|| refused("The folder's name leads out of the ingest folder"))?;
    let dir = top.open_dir(&path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => {
            let hint = "Name a folder below the daemon's `ingest.root`.";
            Error::new(Code::NotFound, "There is no such folder").with_hint(hint).with_field("dirname")
        }
        // A link that leads out comes as this, too.
        ErrorKind::PermissionDenied => refused("The folder cannot be read, or a link leads out of the ingest folder"),
        _ => refused("The folder cannot be opened").with_source(error),
    })?;
    let (mut media, mut skipped) = (Vec::new(), Vec::new());
    for entry in dir.entries()? {
        let name = entry?.file_name();
        if name.as_encoded_bytes().starts_with(b".") {
            continue;
        }
        match open(&dir, &name)? {
            Some(file) if is_media(&name, &file)? => media.push(name),
            Some(_) => skipped.push(shown(&name)),
            None => {}
        }
        if media.len() > MOST {
            return Err(Error::new(Code::TooLarge, format!("The folder holds more than {MOST} media files"))
                .with_hint("Spread them over several folders.")
                .with_field("dirname"));
        }
    }
    if media.is_empty() {
        return Err(refused("The folder holds no audio or video").with_hint("Files in folders below it do not count."));
    }
    media.sort_unstable();
    skipped.sort_unstable();
    Ok(Ingest { dir: Arc::new(dir), media, skipped })
}

/// The folder's path from the root; none when it leads out. An absolute one must begin with the root.
fn below(root: &Path, folder: &str) -> Option<PathBuf> {
    let path = Path::new(folder.trim());
    let path = if path.is_absolute() {
        let real = root.canonicalize().ok();
        path.strip_prefix(root).ok().or_else(|| path.strip_prefix(real?).ok())?
    } else {
        path
    };
    let has_parent = path.components().any(|part| part == std::path::Component::ParentDir);
    (!has_parent).then(|| Path::new(".").join(path))
}

/// Opens a regular file; none for anything else, also when it is gone or a link leads out.
fn open(dir: &Dir, name: &OsString) -> Result<Option<File>> {
    let mut options = OpenOptions::new();
    // A pipe must not hold us up.
    options.read(true).custom_flags(libc::O_NONBLOCK);
    let file = match dir.open_with(name, &options) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::PermissionDenied) => return Ok(None),
        Err(error) if error.raw_os_error() == Some(libc::ENXIO) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    Ok(file.metadata()?.is_file().then_some(file))
}

/// Whether a file that holds anything is audio or video: some kinds are known by their bytes alone, some only by name.
fn is_media(name: &OsString, mut file: &File) -> Result<bool> {
    let mut head = vec![0; kind::HEAD];
    let count = file.read(&mut head)?;
    let by_name = mime_guess::from_path(name).iter().any(|mime| mime.type_() == "audio" || mime.type_() == "video");
    Ok(count > 0 && (by_name || kind::is_media(&head[..count])))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A root with a folder of everything, and something beside it that nobody may see.
    fn root() -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("root");
        let talks = root.join("a folder/talks");
        std::fs::create_dir_all(talks.join("below.mp3")).unwrap();
        std::fs::create_dir(home.path().join("outside")).unwrap();
        std::fs::write(home.path().join("outside/secret.mp3"), "secret").unwrap();
        for (name, bytes) in [
            ("b.mp3", b"some".as_slice()),
            ("a.bin", b"fLaC\0\0\0\x22"),
            (".hidden.mp3", b"x"),
            ("notes.txt", b"words"),
            ("empty.wav", b""),
        ] {
            std::fs::write(talks.join(name), bytes).unwrap();
        }
        symlink(home.path().join("outside/secret.mp3"), talks.join("out.mp3")).unwrap();
        symlink("../../../outside/secret.mp3", talks.join("out2.mp3")).unwrap();
        symlink("b.mp3", talks.join("in.mp3")).unwrap();
        symlink("nowhere.mp3", talks.join("dangling.mp3")).unwrap();
        symlink(home.path().join("outside"), root.join("escape")).unwrap();
        symlink("a folder", root.join("inside")).unwrap();
        let pipe = std::ffi::CString::new(talks.join("pipe.mp3").to_str().unwrap()).unwrap();
        // SAFETY: the path ends with a zero byte.
        assert_eq!(unsafe { libc::mkfifo(pipe.as_ptr(), 0o600) }, 0);
        (home, root)
    }

    #[tokio::test]
    async fn a_folder_gives_its_media_and_nothing_from_elsewhere() {
        let (_home, root) = root();
        for name in
            ["a folder/talks", "./a folder//talks/", "inside/talks", root.join("a folder/talks").to_str().unwrap()]
        {
            let found = Ingest::open(&root, name).await.unwrap();
            assert_eq!(found.media, ["a.bin", "b.mp3", "in.mp3"], "{name}");
            assert_eq!(found.skipped, ["empty.wav", "notes.txt"], "{name}");
        }
    }

    #[tokio::test]
    async fn no_name_leads_out() {
        let (home, root) = root();
        let outside = home.path().join("outside");
        for (name, code) in [
            ("../outside", Code::InvalidRequest),
            ("a folder/../../outside", Code::InvalidRequest),
            ("a folder/..", Code::InvalidRequest),
            (outside.to_str().unwrap(), Code::InvalidRequest),
            ("/etc", Code::InvalidRequest),
            ("escape", Code::InvalidRequest),
            ("a folder", Code::InvalidRequest),
            ("zero\0byte", Code::InvalidRequest),
            ("nowhere", Code::NotFound),
            ("a folder/talks/b.mp3", Code::NotFound),
        ] {
            let error = Ingest::open(&root, name).await.unwrap_err();
            assert_eq!((error.code, error.field.as_deref()), (code, Some("dirname")), "{name}: {error}");
            assert!(!error.to_string().contains(home.path().to_str().unwrap()), "{error}");
        }
        let error = Ingest::open(&home.path().join("gone"), "x").await.unwrap_err();
        assert_eq!(error.code, Code::Config);
    }
}
