//! The files in the models folder.

use std::{
    collections::BTreeMap,
    fs::File,
    io::Read,
    path::{Path, PathBuf},
};

use serde::Serialize;
use sha1::{Digest, Sha1};

use super::{ModelRef, Models, catalogue::official, check_file};
use crate::error::{Code, Error, Result};

/// What a full check of a file found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// The very file that whisper.cpp's table names.
    Official,
    /// Well formed, but no published hash to compare with.
    UnknownButValid {
        /// The file's SHA-1.
        sha1: String,
    },
}

impl Models {
    /// The file for a name, an alias, or the default when there is none.
    pub fn resolve(&self, name: Option<&str>) -> Result<ModelRef> {
        let name = self.name(name)?;
        match self.files().remove(&name) {
            Some(path) => Ok(ModelRef::new(name, path)),
            None => {
                let hint = format!(
                    "Run `trawl models pull {name}`, or put the file {} into the models folder.",
                    file_name(&name)
                );
                Err(Error::new(Code::ModelMissing, format!("The model {name} is not here yet")).with_hint(hint))
            }
        }
    }

    /// Reads the whole file: its structure, and its hash where one is published. Takes seconds; not for async threads.
    pub fn verify(&self, name: &str) -> Result<Verdict> {
        let model = self.resolve(Some(name))?;
        verify_file(&model.name, &model.path)
    }

    /// Deletes a model's file.
    pub fn remove(&self, name: &str) -> Result<()> {
        let model = self.resolve(Some(name))?;
        Ok(std::fs::remove_file(model.path)?)
    }

    /// The names of the models that are here. Looks at the folder; not for async threads.
    pub fn here(&self) -> Vec<String> {
        self.files().into_keys().collect()
    }

    /// The models in the folder and its direct subfolders. A file in the folder itself wins.
    pub(super) fn files(&self) -> BTreeMap<String, PathBuf> {
        let mut found = BTreeMap::new();
        let mut look = |dir: &Path| {
            let mut folders = Vec::new();
            for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
                let path = entry.path();
                let file = entry.file_name();
                let name = file.to_str().and_then(|name| name.strip_prefix("ggml-")?.strip_suffix(".bin"));
                if path.is_dir() {
                    folders.push(path);
                } else if let Some(name) = name {
                    found.entry(name.to_owned()).or_insert(path);
                }
            }
            folders.sort();
            folders
        };
        for folder in look(&self.dir) {
            look(&folder);
        }
        found
    }
}

pub(super) fn file_name(name: &str) -> String {
    format!("ggml-{name}.bin")
}

/// Checks structure and hash of a file that is said to be this model.
pub(super) fn verify_file(name: &str, path: &Path) -> Result<Verdict> {
    check_file(path)?;
    let mut hasher = Sha1::new();
    let (mut file, mut buffer) = (File::open(path)?, vec![0; 1 << 20]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            count => hasher.update(&buffer[..count]),
        }
    }
    let sha1: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    match official(name).and_then(|model| model.sha1) {
        Some(published) if published == sha1 => Ok(Verdict::Official),
        Some(_) => {
            let detail = format!("The file for {name} is well formed, but it is not the official one (SHA-1 {sha1})");
            Err(Error::new(Code::ModelInvalid, detail))
        }
        None => Ok(Verdict::UnknownButValid { sha1 }),
    }
}
