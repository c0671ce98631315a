//! A file that is being downloaded, with what is needed to go on later.
//!
//! Beside the part file lies a small JSON file (`<path>.meta`) with the validators of the answer which began it. It goes
//! when the download is complete. A part without it is begun anew.

use std::{
    io::SeekFrom,
    path::{Path, PathBuf},
};

use reqwest::header::{ETAG, HeaderMap, HeaderValue, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncSeekExt, AsyncWriteExt, BufWriter},
};

use super::{download::Download, headers::text};
use crate::{
    error::{Code, Error, Result, is_no_room},
    fault,
};

const BUFFER: usize = 256 * 1024;

/// What is known of the file being downloaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Meta {
    /// A hash of the link without its query: links can hold tokens, which do not belong on the disk.
    link: String,
    range: Option<(u64, u64)>,
    etag: Option<String>,
    last_modified: Option<String>,
    /// The part's size when complete.
    pub(super) size: Option<u64>,
}

impl Meta {
    /// What an answer says.
    pub(super) fn new(request: &Download, headers: &HeaderMap, size: Option<u64>) -> Self {
        Self {
            link: fingerprint(&request.url),
            range: request.range,
            etag: text(headers, ETAG),
            last_modified: text(headers, LAST_MODIFIED),
            size,
        }
    }

    /// For `If-Range`: the strong ETag, or the date.
    pub(super) fn validator(&self) -> Option<HeaderValue> {
        let strong = self.etag.as_ref().filter(|etag| etag.starts_with('"'));
        strong.or(self.last_modified.as_ref()).and_then(|value| HeaderValue::from_str(value).ok())
    }

    /// Whether what is here can be continued: the bytes to come must be provably of the same file.
    fn is_resumable(&self, request: &Download) -> bool {
        let same_link = self.link == fingerprint(&request.url);
        let evidence = [same_link, self.validator().is_some(), self.size.is_some()];
        self.range == request.range && evidence.into_iter().filter(|known| *known).count() >= 2
    }

    /// Whether a later answer speaks of another file.
    pub(super) fn contradicts(&self, later: &Self) -> bool {
        let differ = |a: &Option<String>, b: &Option<String>| a.is_some() && b.is_some() && a != b;
        differ(&self.etag, &later.etag) || (self.size.is_some() && later.size.is_some() && self.size != later.size)
    }
}

fn fingerprint(link: &str) -> String {
    let plain = link.split(['?', '#']).next().unwrap_or_default();
    Sha256::digest(plain).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The part file, open for writing at its end.
pub(super) struct Part {
    path: PathBuf,
    file: BufWriter<File>,
    /// Bytes written so far.
    pub(super) len: u64,
    pub(super) meta: Meta,
}

impl Part {
    /// Opens or creates it. That nobody else does so at the same time is the caller's concern.
    pub(super) async fn open(path: &Path) -> Result<Self> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).custom_flags(libc::O_NOFOLLOW);
        let mut file = options.open(path).await.map_err(disk)?;
        let meta = fs::read(meta_path(path)).await.ok().and_then(|json| serde_json::from_slice(&json).ok());
        if meta.is_none() {
            file.set_len(0).await.map_err(disk)?;
        }
        let len = file.seek(SeekFrom::End(0)).await.map_err(disk)?;
        let file = BufWriter::with_capacity(BUFFER, file);
        Ok(Self { path: path.to_owned(), file, len, meta: meta.unwrap_or_default() })
    }

    /// Empties it unless it can be continued by this request.
    pub(super) async fn prepare(&mut self, request: &Download) -> Result<()> {
        self.flush().await?;
        let sized = self.meta.size.is_none_or(|size| self.len <= size);
        if self.len > 0 && !(sized && self.meta.is_resumable(request)) {
            self.restart().await?;
        }
        Ok(())
    }

    /// Begins anew.
    pub(super) async fn restart(&mut self) -> Result<()> {
        self.flush().await?;
        let file = self.file.get_mut();
        file.set_len(0).await.map_err(disk)?;
        file.seek(SeekFrom::Start(0)).await.map_err(disk)?;
        self.len = 0;
        self.meta = Meta::default();
        Ok(())
    }

    /// Remembers what the answer says before its body is written.
    pub(super) async fn describe(&mut self, meta: Meta) -> Result<()> {
        let json = serde_json::to_vec(&meta)
            .map_err(|error| Error::new(Code::Internal, "A download cannot be noted").with_source(error))?;
        fs::write(meta_path(&self.path), json).await.map_err(disk)?;
        self.meta = meta;
        Ok(())
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) -> Result<()> {
        fault::disk("disk::download").map_err(disk)?;
        self.file.write_all(bytes).await.map_err(disk)?;
        self.len += bytes.len() as u64;
        Ok(())
    }

    pub(super) async fn flush(&mut self) -> Result<()> {
        self.file.flush().await.map_err(disk)
    }

    /// Makes the complete file durable.
    pub(super) async fn finish(&mut self) -> Result<()> {
        self.flush().await?;
        self.file.get_ref().sync_all().await.map_err(disk)?;
        remove(&meta_path(&self.path)).await
    }

    /// After a failure: kept for the next call to continue, removed when it is empty, or, unless told to `keep` it, when
    /// it is of no use or only fills the disk. Gives back what to report.
    pub(super) async fn leave(&mut self, error: Error, keep: bool) -> Error {
        let is_useless = |error: &Error| {
            use Code::{EmptyMedia, InsufficientStorage, NotMedia, TooLarge, Truncated};
            !keep && matches!(error.code, TooLarge | NotMedia | EmptyMedia | Truncated | InsufficientStorage)
        };
        let is_full = error.code == Code::InsufficientStorage;
        let error = match is_full || is_useless(&error) {
            true => error,
            false => self.flush().await.err().unwrap_or(error),
        };
        match is_useless(&error) || self.len == 0 {
            true => self.discard().await.err().unwrap_or(error),
            false => error,
        }
    }

    /// Removes it: what it holds is of no use.
    async fn discard(&mut self) -> Result<()> {
        remove(&meta_path(&self.path)).await?;
        remove(&self.path).await
    }
}

/// Whether a part was downloaded to its end, so that there is nothing to go on with.
pub fn is_complete(path: &Path) -> bool {
    path.is_file() && !meta_path(path).exists()
}

fn meta_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".meta");
    name.into()
}

async fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path).await {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(disk(error)),
        _ => Ok(()),
    }
}

fn disk(error: std::io::Error) -> Error {
    let kind = error.kind();
    let (code, text) = match is_no_room(kind) || kind == std::io::ErrorKind::FileTooLarge {
        true => (Code::InsufficientStorage, "The disk takes nothing more"),
        false => (Code::Io, "The download cannot be written to the disk"),
    };
    Error::new(code, text).with_source(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told() {
        assert_eq!(disk(std::io::Error::from_raw_os_error(libc::ENOSPC)).code, Code::InsufficientStorage);
        assert_eq!(disk(std::io::Error::from_raw_os_error(libc::EDQUOT)).code, Code::InsufficientStorage);
        assert_eq!(disk(std::io::Error::from_raw_os_error(libc::EFBIG)).code, Code::InsufficientStorage);
        assert_eq!(disk(std::io::Error::from_raw_os_error(libc::EIO)).code, Code::Io);
    }

    #[tokio::test]
    async fn a_part_that_fills_the_disk_goes() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("a.part");
        let part = || async {
            fs::write(&path, "there").await.unwrap();
            fs::write(meta_path(&path), "{}").await.unwrap();
            let full = OpenOptions::new().write(true).open("/dev/full").await.unwrap();
            Part { path: path.clone(), file: BufWriter::new(full), len: 5, meta: Meta::default() }
        };
        let broken = || Error::new(Code::SourceError, "broken");
        assert_eq!(part().await.leave(broken(), false).await.code, Code::SourceError);
        assert!(path.exists(), "a part that is durable was not kept");
        let mut full = part().await;
        full.write(b"more").await.unwrap();
        assert_eq!(full.leave(broken(), false).await.code, Code::InsufficientStorage);
        assert!(!path.exists() && !meta_path(&path).exists());
        let mut full = part().await;
        full.write(b"more").await.unwrap();
        assert_eq!(full.leave(Error::new(Code::InsufficientStorage, "full"), false).await.detail, "full");
        assert!(!path.exists());
        let mut full = part().await;
        full.write(b"more").await.unwrap();
        assert_eq!(full.leave(broken(), true).await.code, Code::InsufficientStorage);
        assert!(path.exists() && meta_path(&path).exists(), "a part that was to be kept is gone");
    }

    #[test]
    fn a_part_is_continued_only_on_good_evidence() {
        let request = |url: &str, range| Download {
            url: url.to_owned(),
            headers: vec![],
            path: PathBuf::new(),
            range,
            min_bytes: 0,
            max_bytes: 1,
            keep: false,
        };
        let ask = request("http://a/b?sign=1", None);
        let meta = |etag: Option<&str>, size| Meta {
            etag: etag.map(str::to_owned),
            ..Meta::new(&ask, &HeaderMap::new(), size)
        };
        let elsewhere = request("http://c/b", None);
        for (meta, request, expected) in [
            (meta(Some("\"x\""), Some(5)), &request("http://a/b?sign=2", None), true),
            (meta(Some("\"x\""), None), &ask, true),
            (meta(None, Some(5)), &ask, true),
            (meta(None, None), &ask, false),
            (meta(Some("W/\"x\""), None), &ask, false),
            (meta(Some("\"x\""), Some(5)), &elsewhere, true),
            (meta(Some("\"x\""), None), &elsewhere, false),
            (meta(None, Some(5)), &elsewhere, false),
            (meta(Some("\"x\""), Some(5)), &request("http://a/b", Some((0, 4))), false),
            (Meta::default(), &ask, false),
        ] {
            assert_eq!(meta.is_resumable(request), expected, "{meta:?} {request:?}");
        }
    }
}
