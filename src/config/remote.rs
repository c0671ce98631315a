//! Servers elsewhere.

use std::fmt;

use serde::Deserialize;
use url::Url;

use crate::{
    domain::Span,
    error::{Code, Error, Result},
};

/// Smaller files would cut what whisper hears at once.
const LEAST_BYTES: u64 = 1_000_000;
/// A WAV file cannot be larger.
const MOST_BYTES: u64 = u32::MAX as u64;

/// An OpenAI-compatible transcription server.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RemoteConfig {
    /// The address up to and with `/v1`.
    pub url: String,
    /// Sent as a bearer token; empty: none.
    #[serde(default)]
    pub api_key: String,
    /// The model's name there; empty: the task's.
    #[serde(default)]
    pub model: String,
    /// The models that it does, by their names here; empty: every one.
    #[serde(default)]
    pub models: Vec<String>,
    /// When it is used.
    #[serde(default, rename = "use")]
    pub used: RemoteUse,
    /// Requests at the same time.
    #[serde(default = "slots")]
    pub slots: usize,
    /// The largest file that it takes, in bytes.
    #[serde(default = "max_bytes")]
    pub max_bytes: u64,
    /// For one request.
    #[serde(default = "timeout")]
    pub timeout: Span,
}

impl fmt::Debug for RemoteConfig {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteConfig").field("url", &self.url).field("model", &self.model).finish_non_exhaustive()
    }
}

/// When a server elsewhere is used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RemoteUse {
    /// Before the devices of this machine.
    #[default]
    First,
    /// When no slot of this machine is free.
    Overflow,
}

fn slots() -> usize {
    2
}

fn max_bytes() -> u64 {
    25_000_000
}

fn timeout() -> Span {
    Span(std::time::Duration::from_secs(600))
}

impl RemoteConfig {
    /// Checks what can be checked without asking anyone; whether the address may be used, the guard says with each request.
    pub fn check(&self, name: &str) -> Result<()> {
        let wrong = |leaf: &str, rule: &str| {
            Err(Error::new(Code::Config, format!("`engine.remote.{}.{leaf}` must be {rule}", name.escape_debug())))
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if name.is_empty() || name.len() > 64 || !name.chars().all(is_plain) {
            let detail = format!("A server in `engine.remote` is named \"{}\"", name.escape_debug());
            return Err(Error::new(Code::Config, detail).with_hint("Use letters, digits and -_. in its name."));
        }
        if !Url::parse(&self.url).is_ok_and(|url| super::is_plain_address(&url)) {
            return wrong(
                "url",
                "an http or https address such as https://asr.example/v1, without user name and query",
            );
        }
        if !self.api_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("api_key", "a key of printable ASCII characters without blanks");
        }
        if self.models.iter().any(|model| model.trim().is_empty() || model.trim() != model) {
            return wrong("models", "a list of names of models");
        }
        if !(1..=64).contains(&self.slots) {
            return wrong("slots", "from 1 to 64");
        }
        if !(LEAST_BYTES..=MOST_BYTES).contains(&self.max_bytes) {
            return wrong("max_bytes", "from 1000000 to 4294967295");
        }
        if self.timeout.0.is_zero() {
            return wrong("timeout", "longer than nothing");
        }
        Ok(())
    }
}
