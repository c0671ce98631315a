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

/// Lays out what is said as a file of subtitles.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// What is said when: the `segments` of a `transcribe` step, or a list of `{start, end, text}` in seconds.
    #[serde(default)]
    pub segments: Option<Vec<Line>>,
    /// Instead of `segments`: the output of a `transcribe` step, a transcript's id, or `media:<id>`.
    #[serde(default)]
    pub transcript: Value,
    /// `srt`, `vtt`, `txt`, `lrc`, `tsv`, `md` or `json`; `srt` when there is none.
    #[serde(default)]
    pub format: Option<String>,
    /// The language's code, where `segments` are given; without it a guess by the script.
    #[serde(default)]
    pub language: Option<String>,
    /// The script of a Chinese text: `none`, `hans`, `hant`, `tw` or `hk`.
    #[serde(default)]
    pub zh: Option<String>,
    /// The widest line in columns, 8 to 200; a Chinese, Japanese or Korean character takes two.
    #[serde(default)]
    pub max_chars: Option<u32>,
    /// The most lines of a cue, 1 to 6.
    #[serde(default)]
    pub max_lines: Option<u32>,
    /// The longest cue in seconds, 0.5 to 60.
    #[serde(default)]
    pub max_seconds: Option<f64>,
    /// The most characters to read in a second, 1 to 100.
    #[serde(default)]
    pub max_cps: Option<f64>,
    /// Marks each word with its time in `vtt` and `lrc`, where there are word times.
    #[serde(default)]
    pub words: bool,
}

/// Something that is said. What else a segment holds does not matter.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Line {
    /// Start in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
    /// The words.
    pub text: String,
    /// Word by word, as a `transcribe` step tells it.
    #[serde(default)]
    pub words: Vec<Value>,
}

/// The file.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// Where it can be had from this server, such as `/api/tasks/7/files/subtitle.srt`.
    pub file: String,
    /// What it is.
    pub format: String,
    /// What is in it.
    pub text: String,
}
