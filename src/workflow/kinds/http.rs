//! `http`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Kind;

pub(super) struct Http;

impl Kind for Http {
    const WORD: &'static str = "http";
    const SECRETS: &'static [&'static str] = &["headers", "body"];
    const OURS: &'static [&'static str] = &["url"];
    type With = With;
    type Output = Output;
}

/// Asks a server.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct With {
    /// Where.
    pub url: String,
    /// GET when there is none.
    #[serde(default)]
    pub method: Option<String>,
    /// Headers by name.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// What is sent.
    #[serde(default)]
    pub body: Option<Value>,
}

/// The answer.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Output {
    /// The HTTP status.
    pub status: u16,
    /// Headers by name.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub text: String,
    /// The body as JSON where it is JSON.
    pub json: Value,
}
