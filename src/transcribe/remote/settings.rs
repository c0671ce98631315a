//! A server's settings, checked. Pure.

use std::time::Duration;

use crate::{
    config::{RemoteConfig, RemoteUse},
    error::Result,
    transcribe::audio::WAV_HEADER,
};

/// Room for the form's other fields, which a server may count.
const FIELDS: u64 = 16 * 1024;

/// What is known of a server. Has no `Debug`: it holds a key.
pub(super) struct Settings {
    pub name: String,
    /// Up to and with `/v1`, without a slash at the end.
    pub url: String,
    pub key: String,
    /// The model's name there; empty: the task's.
    pub model: String,
    pub models: Vec<String>,
    pub used: RemoteUse,
    pub slots: usize,
    /// The longest piece in samples, before the form's other fields are counted.
    pub longest: u64,
    pub timeout: Duration,
}

impl Settings {
    /// What a configuration says, which is checked once more: not every one was loaded from a file.
    pub(super) fn new(name: &str, config: &RemoteConfig) -> Result<Self> {
        config.check(name)?;
        Ok(Self {
            name: name.to_owned(),
            url: config.url.trim_end_matches('/').to_owned(),
            key: config.api_key.clone(),
            model: config.model.trim().to_owned(),
            models: config.models.clone(),
            used: config.used,
            slots: config.slots,
            longest: (config.max_bytes - WAV_HEADER - FIELDS) / 2,
            timeout: config.timeout.0,
        })
    }

    /// The longest piece in samples beside fields of so many bytes.
    pub(super) fn longest_beside(&self, fields: u64) -> u64 {
        self.longest.saturating_sub(fields.saturating_sub(FIELDS).div_ceil(2)).max(1)
    }

    /// What decides which transcripts it makes: its name, address and model.
    pub(super) fn recipe(&self) -> [&str; 3] {
        [&self.name, &self.url, &self.model]
    }

    /// Its name as an engine.
    pub(super) fn engine(&self) -> String {
        format!("remote:{}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Code, Error};

    fn settings(toml: &str) -> Result<Settings> {
        let read = config::Config::builder().add_source(config::File::from_str(toml, config::FileFormat::Toml)).build();
        let read = read.unwrap().try_deserialize::<RemoteConfig>();
        read.map_err(|error| Error::new(Code::Config, error.to_string()))
            .and_then(|config| Settings::new("lab", &config))
    }

    #[test]
    fn the_usual_is_what_the_documentation_says() {
        let usual = settings("url = \"https://asr.example/v1/\"").unwrap();
        assert_eq!((usual.url.as_str(), usual.slots, usual.used), ("https://asr.example/v1", 2, RemoteUse::First));
        assert_eq!((usual.timeout.as_secs(), usual.engine().as_str()), (600, "remote:lab"));
        assert!(usual.longest * 2 + WAV_HEADER + FIELDS <= 25_000_000);
        assert_eq!(usual.longest_beside(FIELDS), usual.longest);
        assert!(usual.longest_beside(23_001) * 2 + WAV_HEADER + 23_001 <= 25_000_000);
    }

    #[test]
    fn settings_that_make_no_sense_are_refused() {
        for bad in [
            "",
            "url = \"asr.example\"",
            "url = \"ftp://asr.example/v1\"",
            "url = \"https://me:secret@asr.example/v1\"",
            "url = \"https://asr.example/v1?key=secret\"",
            "url = \"http://a/v1\"\napi_key = \"two words\"",
            "url = \"http://a/v1\"\nslots = 0",
            "url = \"http://a/v1\"\nslots = 65",
            "url = \"http://a/v1\"\nmax_bytes = 999999",
            "url = \"http://a/v1\"\nmodels = [\"\"]",
            "url = \"http://a/v1\"\ntimeout = \"0s\"",
            "url = \"http://a/v1\"\nuse = \"last\"",
            "url = \"http://a/v1\"\nkey = \"x\"",
        ] {
            let error = settings(bad).err().unwrap_or_else(|| panic!("{bad}"));
            assert_eq!(error.code, Code::Config, "{bad}");
            assert!(!error.detail.contains("secret"), "{}", error.detail);
        }
        let config = RemoteConfig {
            url: "http://a/v1".to_owned(),
            api_key: String::new(),
            model: String::new(),
            models: Vec::new(),
            used: RemoteUse::Overflow,
            slots: 1,
            max_bytes: 1_000_000,
            timeout: crate::domain::Span(Duration::from_secs(1)),
        };
        assert!(Settings::new("a lab", &config).is_err() && Settings::new("", &config).is_err());
        assert!(Settings::new("lab-1", &config).is_ok_and(|settings| settings.longest > 30 * 16_000));
    }
}
