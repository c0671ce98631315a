//! Folders whose files are taken in by themselves.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::{
    domain::Span,
    error::{Code, Error, Result},
};

/// Watched folders.
#[derive(Clone, Debug, Deserialize)]
pub struct WatchConfig {
    /// How often they are looked at.
    pub poll: Span,
    /// How long a file must not have changed before it is taken in.
    pub settle: Span,
    /// The endings of files that are taken in, in lower case and without a dot.
    pub extensions: Vec<String>,
    /// The folders.
    pub folders: Vec<WatchFolder>,
}

/// A watched folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WatchFolder {
    /// Where it is, with everything below it.
    pub path: PathBuf,
    /// What is done with its files; `transcribe` when empty.
    #[serde(default)]
    pub workflow: String,
    /// Transcription options.
    #[serde(default)]
    pub options: Map<String, Value>,
    /// Where results go: `beside` the file, or a template of a path below the folder.
    #[serde(default = "beside")]
    pub result: String,
    /// The formats in which transcripts are written.
    #[serde(default = "formats")]
    pub formats: Vec<String>,
}

fn beside() -> String {
    "beside".to_owned()
}

fn formats() -> Vec<String> {
    vec!["txt".to_owned(), "srt".to_owned()]
}

impl WatchConfig {
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |key: &str, rule: &str| Err(Error::new(Code::Config, format!("`{key}` must be {rule}")));
        if self.poll.0.is_zero() {
            return wrong("watch.poll", "longer than nothing");
        }
        let is_ending = |word: &String| {
            !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
        };
        if !self.extensions.iter().all(is_ending) {
            return wrong("watch.extensions", "endings like \"mp3\": lower case, without a dot");
        }
        for (at, folder) in self.folders.iter().enumerate() {
            if folder.path.as_os_str().is_empty() {
                return wrong(&format!("watch.folders[{at}].path"), "the path of a folder");
            }
            if folder.formats.is_empty() {
                return wrong(&format!("watch.folders[{at}].formats"), "a list with at least one format");
            }
            let overlaps = |other: &WatchFolder| other.path.starts_with(&folder.path);
            if self.folders.iter().enumerate().any(|(other, folder)| other != at && overlaps(folder)) {
                return wrong(&format!("watch.folders[{at}].path"), "neither another watched folder nor around one");
            }
        }
        Ok(())
    }
}
