//! What there is and what could be.

use std::{
    collections::HashMap,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use serde::Serialize;

use super::{
    ModelInfo, Models,
    catalogue::{OFFICIAL, official},
    check_file,
};
use crate::error::Result;

/// One model in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Whether the file is here.
    pub present: bool,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Bytes of the file, or of the download as published; none where nothing is published.
    pub size: Option<u64>,
    /// Whether it is in whisper.cpp's table.
    pub official: bool,
    /// Whether tasks that name no model get it.
    pub default: bool,
    /// Other names from the configuration that lead to it, sorted.
    pub aliases: Vec<String>,
    /// What the header says, when the file is here and good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<ModelInfo>,
    /// Why the file cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Models {
    /// Every official model and every other one that is here. Reads the headers of files that have changed since the last
    /// call; not for async threads.
    pub fn list(&self) -> Vec<Listed> {
        let mut files = self.files();
        let look = Look { default: self.name(None).unwrap_or_default(), aliases: self.led(&files), models: self };
        let official: Vec<_> = OFFICIAL.iter().map(|model| (model.name.to_owned(), files.remove(model.name))).collect();
        let others = files.into_iter().map(|(name, path)| (name, Some(path)));
        official.into_iter().chain(others).map(|(name, path)| look.at(name, path)).collect()
    }

    /// One of the list, by its name, an alias, or the default when there is none.
    pub fn look(&self, name: Option<&str>) -> Result<Listed> {
        let name = self.name(name)?;
        let mut files = self.files();
        let path = files.remove(&name);
        let aliases = self.led(&files.into_iter().chain(path.clone().map(|path| (name.clone(), path))).collect());
        Ok(Look { default: self.name(None).unwrap_or_default(), aliases, models: self }.at(name, path))
    }
}

/// What every entry of a list needs.
struct Look<'a> {
    default: String,
    aliases: Vec<(&'a str, String)>,
    models: &'a Models,
}

impl Look<'_> {
    fn at(&self, name: String, path: Option<PathBuf>) -> Listed {
        let official = official(&name);
        let (size, checked) = path.as_deref().and_then(|path| self.models.checked.look(path)).unzip();
        let (info, problem) = checked.map_or((None, None), |checked| match checked {
            Ok(info) => (Some(info), None),
            Err(problem) => (None, Some(problem)),
        });
        Listed {
            present: path.is_some(),
            size: size.or_else(|| official.and_then(|model| model.bytes())),
            official: official.is_some(),
            default: name == self.default,
            aliases: self.aliases.iter().filter(|(_, to)| *to == name).map(|(alias, _)| (*alias).to_owned()).collect(),
            info,
            problem,
            name,
            path,
        }
    }
}

/// Verdicts about files, by what tells whether a file is still the same. A check reads some hundred scattered pieces of
/// a file, which takes milliseconds from memory and seconds from a slow disk.
#[derive(Debug, Default)]
pub(super) struct Checked(Mutex<HashMap<PathBuf, (Stamp, Verdict)>>);

/// The header's facts, or why the file cannot be used.
type Verdict = Result<ModelInfo, String>;

/// Device, inode, size, and the times of the last change of content and of anything, in seconds and nanoseconds.
type Stamp = (u64, u64, u64, (i64, i64), (i64, i64));

impl Checked {
    /// The file's size and the verdict about it; none when it is not there.
    fn look(&self, path: &Path) -> Option<(u64, Verdict)> {
        let about = path.metadata().ok()?;
        let changed = ((about.mtime(), about.mtime_nsec()), (about.ctime(), about.ctime_nsec()));
        let stamp = (about.dev(), about.ino(), about.len(), changed.0, changed.1);
        if let Some((known, verdict)) = self.known().get(path)
            && *known == stamp
        {
            return Some((about.len(), verdict.clone()));
        }
        let verdict = check_file(path).map_err(|error| error.detail);
        self.known().insert(path.to_owned(), (stamp, verdict.clone()));
        Some((about.len(), verdict))
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<PathBuf, (Stamp, Verdict)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
