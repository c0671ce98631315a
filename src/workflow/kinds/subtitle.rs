//! `subtitle`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Subtitle;

impl Kind for Subtitle {
    const WORD: &'static str = "subtitle";
    type With = With;
    type Output = Output;
}

/// Lays segments out as a file of subtitles.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// What is said when: the `segments` of a `transcribe` step.
    pub segments: Vec<Value>,
    /// `srt`, `vtt`, `txt`, …
    pub format: String,
    /// The script of a Chinese text.
    #[serde(default)]
    pub zh: Option<String>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The kept file's key.
    pub file: String,
    /// Its text.
    pub text: String,
}
