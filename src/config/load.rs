//! Reads the layers, refuses keys that nobody knows, and checks ranges.

use std::path::Path;

use config::{ConfigError, Environment, File, FileFormat, Map, Source, Value, ValueKind};

use super::Config;
use crate::{
    domain::options::nearest,
    error::{Code, Error, Result},
};

const DEFAULT: &str = include_str!("../../config/default.toml");

/// Keys whose children are free names.
const OPEN: [&str; 7] = [
    "models.aliases",
    "engine.remote",
    "exec",
    "llm.models",
    "net.host_map",
    "crawlers.douyin.params",
    "crawlers.tiktok.params",
];

impl Config {
    /// The defaults alone, without any file, variable or flag.
    pub fn defaults() -> Self {
        // The file is part of the program, and every test reads it.
        default().try_deserialize().expect("config/default.toml fits its types")
    }

    /// Reads the configuration: defaults, then `file` (or `config/local.toml` when it exists), then the environment,
    /// then `flags` as dotted keys with their values.
    pub fn load(file: Option<&Path>, flags: &[(&str, String)]) -> Result<Self> {
        Self::read(file, Environment::default(), flags)
    }

    fn read(file: Option<&Path>, environment: Environment, flags: &[(&str, String)]) -> Result<Self> {
        let mut builder = config::Config::builder().add_source(File::from_str(DEFAULT, FileFormat::Toml));
        builder = match file {
            Some(file) => builder.add_source(File::from(file).format(FileFormat::Toml)),
            None => builder.add_source(File::new("config/local", FileFormat::Toml).required(false)),
        };
        builder = builder.add_source(Variables::of(environment));
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
        let is_origin = |text: &str| {
            let plain = text.trim_end_matches('/');
            text == "*"
                || url::Url::parse(text).is_ok_and(|url| url.origin().ascii_serialization() == plain.to_lowercase())
        };
        if !self.server.cors_origins.iter().all(|origin| is_origin(origin)) {
            return wrong("server.cors_origins", "origins such as \"https://app.example\", or \"*\"");
        }
        let kinds = ["sqlite:", "postgres://", "postgresql://", "mysql://", "mariadb://"];
        if !self.database.url.is_empty() && !kinds.iter().any(|kind| self.database.url.starts_with(kind)) {
            return wrong(
                "database.url",
                "empty, or an address of SQLite (sqlite:), PostgreSQL (postgres://) or MySQL (mysql://)",
            );
        }
        self.storage.check()?;
        if self.auth.jwt_life.0.as_secs() == 0 || self.auth.session_life.0.as_secs() == 0 {
            return wrong("auth.jwt_life and auth.session_life", "at least 1s");
        }
        self.check_role()?;
        self.models.check()?;
        self.engine.check()?;
        self.llm.check()?;
        self.watch.check()?;
        self.retention.check()?;
        if self.log.max_bytes < 4096 || self.log.keep == 0 {
            return wrong("log.max_bytes and log.keep", "at least 4096 and at least 1");
        }
        self.exec.iter().try_for_each(|(name, program)| program.check(name))?;
        let places = [self.queue.net, self.queue.deliver, self.queue.flow, self.queue.llm, self.queue.prefetch];
        if places.contains(&0) {
            return wrong("queue.net, queue.deliver, queue.flow, queue.llm and queue.prefetch", "at least 1");
        }
        if self.queue.heartbeat.0 * 2 > self.queue.lease.0 {
            return wrong("queue.heartbeat", "at most half of queue.lease");
        }
        if self.callbacks.schedule.is_empty() {
            return wrong("callbacks.schedule", "a list with at least one wait");
        }
        if self.net.per_host == 0 || self.callbacks.per_endpoint == 0 {
            return wrong("net.per_host and callbacks.per_endpoint", "at least 1");
        }
        Ok(())
    }
}

/// The variables. Everything in them is text, and the types that it goes into read from it what they need; lists are split
/// at commas.
#[derive(Clone, Debug)]
struct Variables {
    environment: Environment,
    lists: Vec<String>,
}

impl Variables {
    fn of(environment: Environment) -> Self {
        let environment = environment.prefix("TRAWL").prefix_separator("__").separator("__").ignore_empty(true);
        let is_list = |kind: &ValueKind| matches!(kind, ValueKind::Array(_));
        let defaults = default();
        let lists = keys(&defaults).into_iter().filter(|(_, kind)| is_list(kind)).map(|(key, _)| key);
        Self { environment, lists: lists.collect() }
    }

    fn is_list(&self, key: &str) -> bool {
        let of_server = key.strip_prefix("engine.remote.").is_some_and(|key| key.ends_with(".models"));
        let of_program = key.starts_with("exec.") && [".argv", ".read", ".env"].iter().any(|end| key.ends_with(end));
        of_server || of_program || self.lists.iter().any(|list| list == key)
    }
}

impl Source for Variables {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let mut variables = self.environment.collect()?;
        for (key, value) in &mut variables {
            if let ValueKind::String(text) = &value.kind
                && self.is_list(key)
            {
                let items = text.split(',').map(|item| Value::from(item.trim()));
                value.kind = ValueKind::Array(items.collect());
            }
        }
        Ok(variables)
    }
}

fn default() -> config::Config {
    let source = File::from_str(DEFAULT, FileFormat::Toml);
    // The file is part of the program, and every test reads it.
    config::Config::builder().add_source(source).build().expect("config/default.toml is TOML")
}

fn invalid(error: &config::ConfigError) -> Error {
    Error::new(Code::Config, format!("The configuration cannot be read: {error}"))
}

fn refuse_unknown_keys(merged: &config::Config) -> Result<()> {
    let known: Vec<String> = keys(&default()).into_iter().map(|(key, _)| key).collect();
    for (key, _) in keys(merged) {
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

/// Every key with what it holds.
fn keys(config: &config::Config) -> Vec<(String, &ValueKind)> {
    let mut keys = Vec::new();
    collect(&config.cache, String::new(), &mut keys);
    keys
}

fn collect<'a>(value: &'a Value, path: String, keys: &mut Vec<(String, &'a ValueKind)>) {
    match &value.kind {
        ValueKind::Table(table) => {
            for (name, child) in table {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                collect(child, path, keys);
            }
        }
        kind => keys.push((path, kind)),
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
        assert_eq!((config.models.aliases.len(), config.models.aliases["mine"].as_str()), (10, "base"));
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
            "[auth]\nmode = \"open\"",
            "[auth]\njwt_life = \"0s\"",
            "[server]\nbase_path = \"x/\"",
            "[server]\nbase_path = \"/a:b\"",
            "[engine]\nslots = 0",
            "[engine]\nthreads = 1025",
            "[engine]\nhang_timeout = \"999ms\"",
            "[engine.remote.lab]\nurl = \"ftp://asr.example/v1\"",
            "[engine.remote.lab]\nurl = \"https://asr.example/v1\"\nslots = 65",
            "[engine.remote.lab]\nurl = \"https://asr.example/v1\"\nmax_bytes = 1",
            "[engine.remote.lab]\nurl = \"https://asr.example/v1\"\ntimeout = \"0s\"",
            "[engine.remote.\"a lab\"]\nurl = \"https://asr.example/v1\"",
            "[queue]\nlease = \"5 minutes\"",
            "[queue]\nheartbeat = \"50s\"",
            "[queue]\nlanes = [\"gpu\"]",
            "[queue]\nlanes = [\"net\", \"tpu\"]",
            "[server]\nrole = \"worker\"",
            "[server]\nrole = \"boss\"",
            "[database]\nurl = \"oracle:x\"",
            "[storage]\nurl = \"ftp://media\"",
            "[log]\nkeep = 0",
            "[log]\nrotate = \"hourly\"",
            "[retention]\nevery = \"0s\"",
            "[retention]\nleftovers = \"0s\"",
            "[retention]\ntasks = \"never\"",
            "[watch]\npoll = \"0s\"",
            "[watch]\nextensions = [\".mp3\"]",
            "[[watch.folders]]\npath = \"\"",
            "[[watch.folders]]\npath = \"/in\"\nformat = [\"txt\"]",
            "[[watch.folders]]\npath = \"/in\"\n[[watch.folders]]\npath = \"/in/a\"",
        ] {
            assert_eq!(load(bad).unwrap_err().code, Code::Config, "{bad}");
        }
        assert!(load("[server]\nbind = \"0.0.0.0:8000\"").is_ok());
        assert!(load("[engine]\nthreads = 1024\nhang_timeout = \"1s\"\nidle_unload = \"0s\"").is_ok());
    }

    fn with(variables: &[(&str, &str)]) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, "[engine.remote.lab]\nurl = \"https://asr.example/v1\"").unwrap();
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Some(&file), Environment::default().source(Some(variables.collect())), &[])
    }

    #[test]
    fn variables_are_what_their_keys_are() {
        let config = with(&[
            ("TRAWL__ENGINE__REMOTE__LAB__MODELS", "base, small"),
            ("TRAWL__ENGINE__REMOTE__LAB__API_KEY", "007"),
            ("TRAWL__ENGINE__REMOTE__LAB__SLOTS", "3"),
            ("TRAWL__NET__PORTS", "8080"),
            ("TRAWL__NET__ALLOW_HOSTS", "1.5"),
            ("TRAWL__ENGINE__CPU_FALLBACK", "False"),
            ("TRAWL__ENGINE__PINNED", ""),
            ("TRAWL__CALLBACKS__SCHEDULE", "0s,5s"),
            ("TRAWL__MODELS__DEFAULT", "1e3"),
            ("TRAWLER__NET__PORTS", "1"),
        ])
        .unwrap();
        let lab = &config.engine.remote["lab"];
        assert_eq!((lab.models.join("|").as_str(), lab.api_key.as_str(), lab.slots), ("base|small", "007", 3));
        assert_eq!((config.net.ports, config.net.allow_hosts), (vec![8080], vec!["1.5".to_owned()]));
        assert_eq!((config.engine.cpu_fallback, config.engine.pinned.len()), (false, 0));
        assert_eq!((config.callbacks.schedule.len(), config.models.default.as_str()), (2, "1e3"));
        assert_eq!(
            with(&[("TRAWL__ENGINE__REMOTE__LAB__API_KEY", "true")]).unwrap().engine.remote["lab"].api_key,
            "true"
        );
        for wrong in [("TRAWL__NET__PORTS", "80,x"), ("TRAWL__NET__PORTZ", "80"), ("TRAWL__ENGINE__SLOTS", "many")] {
            assert_eq!(with(&[wrong]).unwrap_err().code, Code::Config, "{wrong:?}");
        }
    }
}
