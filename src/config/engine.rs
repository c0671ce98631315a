//! Recognition: the devices of this machine and servers elsewhere.

use std::{collections::BTreeMap, time::Duration};

use serde::Deserialize;

use super::{RemoteConfig, cores};
use crate::{
    domain::Span,
    error::{Code, Error, Result},
};

/// Recognition on this machine, and servers that help.
#[derive(Clone, Debug, Deserialize)]
pub struct EngineConfig {
    /// `auto`, `cpu`, `cuda:0`, `vulkan:0`, `hip:0`, `metal`; empty: only servers elsewhere recognise.
    pub devices: Vec<String>,
    /// Windows at the same time in one engine (a model on a device), 1 to 64.
    pub slots: usize,
    /// CPU threads of one engine over all its slots, at most 1024; 0 for all cores.
    pub threads: usize,
    /// Main memory in bytes that engines on the CPU may take together; 0: three quarters of the machine's.
    pub memory_bytes: u64,
    /// When an unused engine gives its memory back.
    pub idle_unload: Span,
    /// How long a working engine may say nothing; at least a second.
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

impl EngineConfig {
    /// Checks ranges, and every server.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |key: &str, rule: &str| Err(Error::new(Code::Config, format!("`engine.{key}` must be {rule}")));
        if !(1..=64).contains(&self.slots) {
            return wrong("slots", "from 1 to 64");
        }
        if self.threads > 1024 {
            return wrong("threads", "at most 1024; 0 for all cores");
        }
        if self.hang_timeout.0 < Duration::from_secs(1) {
            return wrong("hang_timeout", "at least 1s");
        }
        self.remote.iter().try_for_each(|(name, server)| server.check(name))
    }

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
