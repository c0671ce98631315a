//! `download`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Download;

impl Kind for Download {
    const WORD: &'static str = "download";
    type With = With;
    type Output = Output;
}

/// Downloads media and keeps its file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The output of a `resolve` step.
    pub from: Value,
}

/// The file. Fields that nobody knows are null.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The media's id: `media:<id>` is a link to it.
    pub media_id: Value,
    /// The kept file's key; null when there is nothing to hear.
    pub file: Option<String>,
    /// Its size in bytes.
    pub size: Option<i64>,
    /// The SHA-256 of its bytes, in hex.
    pub sha256: Option<String>,
    /// What it is.
    pub content_type: Option<String>,
    /// How long it is, in milliseconds.
    pub duration_ms: Option<u64>,
    /// Why there is nothing to hear, in a sentence.
    pub silent: Option<String>,
    /// Whether no sound in the file is a result.
    pub may_be_silent: bool,
    /// The platform's own subtitles, when they are wanted.
    pub subtitles: Option<Value>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// How the media was found when it had to be looked up again.
    pub attempts: Vec<Value>,
}
