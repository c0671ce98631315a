//! `llm`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Llm;

impl Kind for Llm {
    const WORD: &'static str = "llm";
    const SECRETS: &'static [&'static str] = &["api_key"];
    type With = With;
    type Output = Output;
}

/// Asks a language model.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// The model's alias.
    #[serde(default)]
    pub model: Option<String>,
    /// What is to be done.
    #[serde(default)]
    pub system: Option<String>,
    /// What it is to be done with; the model is told that it is data.
    pub input: Value,
    /// The form of the answer.
    #[serde(default)]
    pub json_schema: Option<Value>,
    /// The key, such as `${secrets.NAME}`; that of the configuration when there is none.
    #[serde(default)]
    pub api_key: Option<String>,
}

/// The answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// In words.
    pub text: String,
    /// As JSON, where a `json_schema` was given.
    pub json: Value,
}
