//! Model files: names, places, checks, downloads.
//!
//! A model named `NAME` is the file `ggml-NAME.bin` in the models folder or one of its direct subfolders. Callers may
//! rely on: a [`ModelRef`] names a file that was there; a model for tests is never chosen unless someone names it; a
//! file appears under its final name only when it is whole and checked.

pub mod catalogue;
mod check;
mod pull;

use std::{
    collections::{BTreeMap, HashSet},
    fs::File,
    io::Read,
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use serde::Serialize;
use sha1::{Digest, Sha1};

use self::catalogue::{OFFICIAL, Official, official};
pub use self::{
    check::{Dims, ModelInfo, check_file},
    pull::{Fetch, Progress},
};
use super::language::language;
use crate::{
    config::ModelsConfig,
    domain::{
        Options,
        options::{Goal, nearest},
    },
    error::{Code, Error, Result},
};

/// What `models.default = "auto"` means on a CPU.
const DEFAULT_ON_CPU: &str = "base";

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

/// Whether the model of this name can do what is asked of it, whether it is here or not. Also checks the language.
pub fn validate(name: &str, options: &Options) -> Result<()> {
    let wrong = |field: &str, detail: String, hint: &str| {
        Err(Error::new(Code::InvalidValue, detail).with_hint(hint).with_field(field))
    };
    let language = options.language.as_deref().map(language).transpose()?;
    if catalogue::is_english_only(name) && language.is_some_and(|code| code != "en") {
        let asked = language.unwrap_or_default();
        let detail = format!("The model {name} knows English only, not \"{asked}\"");
        return wrong("language", detail, "Choose the model without \".en\" in its name.");
    }
    if options.task == Goal::Translate && !catalogue::translates(name) {
        let detail = format!("The model {name} cannot translate");
        return wrong("task", detail, "Choose a model such as \"medium\" or \"large-v3\".");
    }
    Ok(())
}

/// One model in a list.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Whether the file is here.
    pub present: bool,
    /// Where.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// Bytes of the file, or of the download as published.
    pub size: u64,
    /// Whether it is in whisper.cpp's table.
    pub official: bool,
    /// Whether tasks that name no model get it.
    pub default: bool,
    /// Other names from the configuration.
    pub aliases: Vec<String>,
    /// What the header says, when the file is here and good.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub info: Option<ModelInfo>,
    /// Why the file cannot be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

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

/// The models folder.
#[derive(Clone, Debug)]
pub struct Models {
    dir: PathBuf,
    default: String,
    base_urls: Vec<String>,
    offline: bool,
    aliases: BTreeMap<String, String>,
    pulling: Arc<Mutex<HashSet<String>>>,
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
            pulling: Arc::default(),
        }
    }

    /// The name behind a name, an alias or nothing; an error when there is no such model in the table or the folder.
    pub fn name(&self, name: Option<&str>) -> Result<String> {
        let given = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&self.default);
        let given =
            if given == "auto" { self.aliases.get("auto").map_or(DEFAULT_ON_CPU, String::as_str) } else { given };
        let name = self.aliases.get(given).map_or(given, String::as_str);
        let present = self.files();
        if official(name).is_some() || present.contains_key(name) {
            return Ok(name.to_owned());
        }
        let known = OFFICIAL.iter().map(|model| model.name);
        let known = known.chain(present.keys().map(String::as_str)).chain(self.aliases.keys().map(String::as_str));
        let shown: String = name.chars().take(100).collect();
        let error = Error::new(Code::UnknownModel, format!("There is no model \"{}\"", shown.escape_debug()));
        Err(match nearest(name, known) {
            Some(best) => error.with_hint(format!("Did you mean \"{best}\"?")),
            None => error,
        }
        .with_field("model"))
    }

    /// The file for a name, an alias, or the default when there is none.
    pub fn resolve(&self, name: Option<&str>) -> Result<ModelRef> {
        let name = self.name(name)?;
        match self.files().remove(&name) {
            Some(path) => Ok(ModelRef { name, path }),
            None => {
                let hint = format!(
                    "Run `trawl models pull {name}`, or put the file {} into the models folder.",
                    file_name(&name)
                );
                Err(Error::new(Code::ModelMissing, format!("The model {name} is not here yet")).with_hint(hint))
            }
        }
    }

    /// Every official model and every other one that is here.
    pub fn list(&self) -> Vec<Listed> {
        let mut files = self.files();
        let default = self.name(None).unwrap_or_default();
        let listed = |name: String, path: Option<PathBuf>| {
            let official = official(&name);
            let checked = path.as_deref().map(check_file);
            let size = path.as_deref().and_then(|path| Some(path.metadata().ok()?.len()));
            Listed {
                present: path.is_some(),
                size: size.unwrap_or_else(|| official.map_or(0, |model| u64::from(model.mib) << 20)),
                official: official.is_some(),
                default: name == default,
                aliases: self.aliases.iter().filter(|(_, to)| **to == name).map(|(alias, _)| alias.clone()).collect(),
                problem: checked.as_ref().and_then(|check| Some(check.as_ref().err()?.detail.clone())),
                info: checked.and_then(Result::ok),
                name,
                path,
            }
        };
        let mut all: Vec<_> =
            OFFICIAL.iter().map(|Official { name, .. }| listed((*name).to_owned(), files.remove(*name))).collect();
        all.extend(files.into_iter().map(|(name, path)| listed(name, Some(path))));
        all
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

    /// The models in the folder and its direct subfolders. A file in the folder itself wins.
    fn files(&self) -> BTreeMap<String, PathBuf> {
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

fn file_name(name: &str) -> String {
    format!("ggml-{name}.bin")
}

fn verify_file(name: &str, path: &Path) -> Result<Verdict> {
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

#[cfg(test)]
mod tests;
