//! `llm`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Llm;

impl Kind for Llm {
    const WORD: &'static str = "llm";
    const SECRETS: &'static [&'static str] = &["api_key"];
    // All of these end up in what the model is told to do. What strangers said belongs into `input` and `segments`, which it
    // is told are data.
    const OURS: &'static [&'static str] = &["system", "variables", "prompt", "json_schema"];
    type With = With;
    type Output = Output;
}

/// Asks a language model about a text: with instructions (`system`), or with a ready-made `prompt`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct With {
    /// The model's name in the configuration; `default` when left out.
    pub model: Option<String>,
    /// A ready-made prompt: `summary`, `chapters`, `keywords`, `sentiment`, `actions`, `translation`, `title`.
    pub prompt: Option<String>,
    /// The prompt's variables, such as `language` or `target`: texts, numbers or booleans.
    pub variables: BTreeMap<String, Value>,
    /// What is to be done. Beside a `prompt` it is added to the prompt's own instructions.
    pub system: Option<String>,
    /// What it is to be done with; JSON is shown as such. The model is told that it is data.
    pub input: Option<Value>,
    /// What is said when, in place of `input`: the `segments` of a `transcribe` step. Lines begin with their time; a
    /// `translation` keeps the times.
    pub segments: Option<Vec<Timed>>,
    /// The form of the answer. References to other documents are refused.
    pub json_schema: Option<Value>,
    /// How free the model is, 0 to 2; the server's default when left out.
    pub temperature: Option<f64>,
    /// What it may write in one answer, in tokens; that of the configuration when left out, and never more.
    pub max_tokens: Option<u32>,
    /// How a text is cut that the model cannot read at once.
    pub chunk: Chunk,
    /// What becomes of the answers to the parts of a long text.
    pub merge: Option<Merge>,
    /// The key for the model's server, such as `${secrets.NAME}`; that of the configuration when left out.
    pub api_key: Option<String>,
}

/// How a long text is cut: at ends of sentences or segments.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Chunk {
    /// Estimated tokens of a part; as many as the model can read when left out.
    pub tokens: Option<u32>,
    /// Estimated tokens that a part repeats of the one before, at most half of a part; a twentieth when left out, none
    /// where answers are joined.
    pub overlap: Option<u32>,
}

/// What becomes of the answers to the parts of a long text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Merge {
    /// The model makes one of them. The default.
    Reduce,
    /// They are put one after the other.
    Join,
}

/// A text with its times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Timed {
    /// Its number.
    #[serde(default)]
    pub id: usize,
    /// Its start in seconds.
    pub start: f64,
    /// Its end in seconds.
    pub end: f64,
    /// What is said.
    pub text: String,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The answer in words, or the JSON as text.
    pub text: String,
    /// The answer as JSON, where a form was asked for.
    pub json: Option<Value>,
    /// The translated segments with the times of their originals.
    pub segments: Option<Vec<Timed>>,
    /// The model's name at the server.
    pub model: String,
    /// How many parts the text was sent in.
    pub parts: usize,
    /// What it took.
    pub usage: Usage,
    /// What a reader should know.
    pub warnings: Vec<String>,
}

/// What the answers took.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Usage {
    /// Tokens that the model read.
    pub input_tokens: u64,
    /// Tokens that it wrote.
    pub output_tokens: u64,
    /// Requests that were answered.
    pub requests: u64,
    /// What they cost, when prices are configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<f64>,
}
