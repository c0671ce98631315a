//! Reads the layers, refuses keys that nobody knows, and checks ranges.

use std::path::Path;

use config::{Environment, File, FileFormat, Value, ValueKind};

use super::Config;
use crate::{
    domain::options::nearest,
    error::{Code, Error, Result},
};

const DEFAULT: &str = include_str!("../../config/default.toml");

/// Keys whose children are free names.
const OPEN: [&str; 2] = ["models.aliases", "engine.remote"];

impl Config {
    /// The defaults alone, without any file, variable or flag.
    pub fn defaults() -> Self {
        let source = File::from_str(DEFAULT, FileFormat::Toml);
        let read = config::Config::builder().add_source(source).build().and_then(config::Config::try_deserialize);
        // The file is part of the program, and every test reads it.
        read.expect("config/default.toml fits its types")
    }

    /// Reads the configuration: defaults, then `file` (or `config/local.toml` when it exists), then the environment,
    /// then `flags` as dotted keys with their values.
    pub fn load(file: Option<&Path>, flags: &[(&str, String)]) -> Result<Self> {
        let mut builder = config::Config::builder().add_source(File::from_str(DEFAULT, FileFormat::Toml));
        builder = match file {
            Some(file) => builder.add_source(File::from(file).format(FileFormat::Toml)),
            None => builder.add_source(File::new("config/local", FileFormat::Toml).required(false)),
        };
        builder = builder.add_source(environment());
        for (key, value) in flags {
            builder = builder.set_override(*key, value.as_str()).map_err(|error| invalid(&error))?;
        }
        let merged = builder.build().map_err(|error| invalid(&error))?;
        refuse_unknown_keys(&merged)?;
        let config: Self = merged.try_deserialize().map_err(|error| invalid(&error))?;
        config.check()?;
        Ok(config)
    }

    fn check(&self) -> Result<()> {
        let wrong = |key: &str, rule: &str| Err(Error::new(Code::Config, format!("`{key}` must be {rule}")));
        let base = &self.server.base_path;
        // The router gives a meaning of its own to characters outside these.
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "/-_.~".contains(c);
        if !base.is_empty() && (!base.starts_with('/') || base.ends_with('/') || !base.chars().all(is_plain)) {
            return wrong("server.base_path", "empty, or like /trawl: a slash, then letters, digits and -_.~");
        }
        if !self.database.url.is_empty() && !self.database.url.starts_with("sqlite:") {
            return wrong("database.url", "empty or start with \"sqlite:\" (other databases come later)");
        }
        if !self.storage.url.is_empty() {
            return wrong("storage.url", "empty (other stores come later)");
        }
        if self.auth.mode == super::AuthMode::Auto && !self.server.bind.ip().is_loopback() {
            return wrong(
                "server.bind",
                "a loopback address such as 127.0.0.1:8000, because trawl checks no tokens yet; \
                 with `auth.mode = \"off\"` it listens anywhere, open to everyone who reaches it",
            );
        }
        self.models.check()?;
        if !(1..=64).contains(&self.engine.slots) {
            return wrong("engine.slots", "from 1 to 64");
        }
        if self.queue.net == 0 || self.queue.deliver == 0 || self.queue.prefetch == 0 {
            return wrong("queue.net, queue.deliver and queue.prefetch", "at least 1");
        }
        if self.queue.heartbeat.0 * 2 > self.queue.lease.0 {
            return wrong("queue.heartbeat", "at most half of queue.lease");
        }
        if self.callbacks.schedule.is_empty() {
            return wrong("callbacks.schedule", "a list with at least one wait");
        }
        if self.net.per_host == 0 {
            return wrong("net.per_host", "at least 1");
        }
        Ok(())
    }
}

fn environment() -> Environment {
    Environment::with_prefix("TRAWL")
        .prefix_separator("__")
        .separator("__")
        .try_parsing(true)
        .list_separator(",")
        .with_list_parse_key("net.allow_hosts")
        .with_list_parse_key("net.ports")
        .with_list_parse_key("models.base_urls")
        .with_list_parse_key("engine.devices")
        .with_list_parse_key("engine.pinned")
        .with_list_parse_key("engine.short_context")
        .with_list_parse_key("callbacks.schedule")
        .ignore_empty(true)
}

fn invalid(error: &config::ConfigError) -> Error {
    Error::new(Code::Config, format!("The configuration cannot be read: {error}"))
}

fn refuse_unknown_keys(merged: &config::Config) -> Result<()> {
    let defaults = config::Config::builder()
        .add_source(File::from_str(DEFAULT, FileFormat::Toml))
        .build()
        .map_err(|error| invalid(&error))?;
    let mut known = Vec::new();
    collect(&defaults.cache, String::new(), &mut known);
    let mut given = Vec::new();
    collect(&merged.cache, String::new(), &mut given);
    for key in given {
        let is_open = OPEN.iter().any(|open| key.strip_prefix(open).is_some_and(|rest| rest.starts_with('.')));
        if !is_open && !known.contains(&key) {
            let hint = match nearest(&key, known.iter().map(String::as_str)) {
                Some(best) => format!("Did you mean `{best}`?"),
                None => "config/default.toml lists every key.".to_owned(),
            };
            return Err(Error::new(Code::Config, format!("There is no configuration key `{key}`")).with_hint(hint));
        }
    }
    Ok(())
}

fn collect(value: &Value, path: String, keys: &mut Vec<String>) {
    match &value.kind {
        ValueKind::Table(table) => {
            for (name, child) in table {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(child, path, keys);
            }
        }
        _ => keys.push(path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, text).unwrap();
        Config::load(Some(&file), &[])
    }

    #[test]
    fn the_default_is_valid() {
        let config = load("").unwrap();
        assert_eq!(config.server.bind.port(), 8000);
        assert_eq!(config.models.aliases["turbo"], "large-v3-turbo");
        assert_eq!(config.callbacks.schedule.len(), 10);
    }

    #[test]
    fn a_layer_wins_over_the_defaults() {
        let config = load("[net]\nallow_hosts = [\"127.0.0.1:9\"]\n[models.aliases]\nmine = \"base\"").unwrap();
        assert_eq!(config.net.allow_hosts, ["127.0.0.1:9"]);
        assert_eq!((config.models.aliases.len(), config.models.aliases["mine"].as_str()), (8, "base"));
    }

    #[test]
    fn an_unknown_key_is_refused_with_a_suggestion() {
        let error = load("[queue]\nlaese = \"5s\"").unwrap_err();
        assert_eq!(error.code, Code::Config);
        assert_eq!(error.hint, "Did you mean `queue.lease`?");
    }

    #[test]
    fn wrong_values_are_refused() {
        for bad in [
            "[server]\nbind = \"0.0.0.0:8000\"",
            "[server]\nbase_path = \"x/\"",
            "[server]\nbase_path = \"/a:b\"",
            "[engine]\nslots = 0",
            "[queue]\nlease = \"5 minutes\"",
            "[queue]\nheartbeat = \"50s\"",
            "[database]\nurl = \"oracle:x\"",
        ] {
            assert_eq!(load(bad).unwrap_err().code, Code::Config, "{bad}");
        }
        assert!(load("[server]\nbind = \"0.0.0.0:8000\"\n[auth]\nmode = \"off\"").is_ok());
    }
}
