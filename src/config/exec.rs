//! Programs that workflows may run.

use std::{collections::BTreeMap, path::PathBuf, time::Duration};

use serde::Deserialize;

use crate::{
    domain::Span,
    error::{Code, Error, Result},
};

/// One program. What a definition can say about it is its name; everything else is the operator's.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExecConfig {
    /// The program and its arguments; never a shell. Arguments that name files may be read.
    pub argv: Vec<String>,
    /// For one run.
    #[serde(default = "timeout")]
    pub timeout: Span,
    /// Seconds of the processor for one run.
    #[serde(default = "cpu_seconds")]
    pub cpu_seconds: u64,
    /// Its address space in bytes.
    #[serde(default = "memory_bytes")]
    pub memory_bytes: u64,
    /// The most that it may print, in bytes.
    #[serde(default = "max_output")]
    pub max_output: u64,
    /// Files and folders that it may read, besides the system's programs and libraries.
    #[serde(default)]
    pub read: Vec<PathBuf>,
    /// Names of variables of the daemon that it may see.
    #[serde(default)]
    pub env: Vec<String>,
    /// Variables that hold a secret, with the secrets' names.
    #[serde(default)]
    pub secrets: BTreeMap<String, String>,
    /// Whether it may speak http and https through the daemon's rules.
    #[serde(default)]
    pub network: bool,
}

fn timeout() -> Span {
    Span(Duration::from_secs(60))
}

fn cpu_seconds() -> u64 {
    60
}

fn memory_bytes() -> u64 {
    1 << 30
}

fn max_output() -> u64 {
    1 << 20
}

impl ExecConfig {
    /// Checks ranges.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let wrong = |key: &str, rule: &str| Err(Error::new(Code::Config, format!("`exec.{name}{key}` must be {rule}")));
        let is_name = name.len() <= 63
            && name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'));
        if !is_name {
            return wrong("", "a name of a-z, 0-9, - and _ which starts with a letter");
        }
        if self.argv.first().is_none_or(|program| program.trim().is_empty()) {
            return wrong(".argv", "a program with its arguments");
        }
        if self.timeout.0 < Duration::from_millis(100) || self.timeout.0 > Duration::from_secs(24 * 3600) {
            return wrong(".timeout", "from 100ms to 1d");
        }
        if !(1..=86_400).contains(&self.cpu_seconds) {
            return wrong(".cpu_seconds", "from 1 to 86400");
        }
        if self.memory_bytes < 1 << 24 {
            return wrong(".memory_bytes", "at least 16777216");
        }
        if !(1..=16 << 20).contains(&self.max_output) {
            return wrong(".max_output", "from 1 to 16777216");
        }
        Ok(())
    }
}
