//! Recognition: the devices of this machine and servers elsewhere.

use std::{collections::BTreeMap, fmt};

use serde::Deserialize;

use super::cores;
use crate::domain::Span;

/// Recognition on this machine, and servers that help.
#[derive(Clone, Debug, Deserialize)]
pub struct EngineConfig {
    /// `auto`, `cpu`, `cuda:0`, `vulkan:0`, `hip:0`, `metal`; empty: only servers elsewhere recognise.
    pub devices: Vec<String>,
    /// Windows at the same time in one engine (a model on a device), 1 to 64.
    pub slots: usize,
    /// CPU threads of one engine over all its slots; 0 for all cores.
    pub threads: usize,
    /// Main memory in bytes that engines on the CPU may take together; 0: three quarters of the machine's.
    pub memory_bytes: u64,
    /// When an unused engine gives its memory back.
    pub idle_unload: Span,
    /// How long a working engine may say nothing.
    pub hang_timeout: Span,
    /// Models that are loaded and warmed up at the start and never unloaded.
    pub pinned: Vec<String>,
    /// Whether the CPU takes over, with a warning, when a GPU cannot be used.
    pub cpu_fallback: bool,
    /// Models for which windows shorter than 30 seconds use a shorter encoder context.
    pub short_context: Vec<String>,
    /// Servers elsewhere, by name.
    #[serde(default)]
    pub remote: BTreeMap<String, RemoteConfig>,
}

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

impl EngineConfig {
    /// CPU threads of one engine.
    pub fn threads(&self) -> usize {
        match self.threads {
            0 => cores(),
            threads => threads,
        }
    }
}

impl Default for EngineConfig {
    /// What `config/default.toml` says.
    fn default() -> Self {
        super::Config::defaults().engine
    }
}
