//! Language models.

use std::{collections::BTreeMap, fmt, path::PathBuf};

use serde::Deserialize;
use url::Url;

use crate::{
    domain::Span,
    error::{Code, Error, Result},
};

/// The name of the model that `[llm]` itself describes.
const DEFAULT: &str = "default";
/// A smaller context holds no instructions beside a text, in tokens.
const LEAST_CONTEXT: u32 = 1024;
const MOST_CONTEXT: u32 = 10_000_000;

/// Language models: one, and more by name.
#[derive(Clone, Deserialize)]
pub struct LlmConfig {
    /// The address up to and with `/v1`; empty: none.
    pub base_url: String,
    /// Sent as a bearer token; empty: none.
    pub api_key: String,
    /// The model's name there.
    pub model: String,
    /// What the model reads and writes together, in tokens.
    pub context_tokens: u32,
    /// What it may write in one answer, in tokens.
    pub max_output_tokens: u32,
    /// The price of a million tokens that it reads; 0 for both prices: not counted.
    pub price_input: f64,
    /// The price of a million tokens that it writes.
    pub price_output: f64,
    /// Requests in a minute; 0: no limit.
    pub requests_per_minute: u32,
    /// For one request.
    pub timeout: Span,
    /// A folder with prompts; empty: none.
    pub prompts: PathBuf,
    /// More models by name.
    #[serde(default)]
    pub models: BTreeMap<String, More>,
}

/// One more model. What is left out is as in `[llm]`.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct More {
    base_url: Option<String>,
    api_key: Option<String>,
    model: Option<String>,
    context_tokens: Option<u32>,
    max_output_tokens: Option<u32>,
    price_input: Option<f64>,
    price_output: Option<f64>,
    requests_per_minute: Option<u32>,
    timeout: Option<Span>,
}

/// One model with everything filled in.
#[derive(Clone, PartialEq)]
pub struct LlmModel {
    /// Its name here.
    pub alias: String,
    /// The address up to and with `/v1`, without a slash at its end.
    pub base_url: String,
    /// Sent as a bearer token; empty: none.
    pub api_key: String,
    /// Its name there.
    pub model: String,
    /// What it reads and writes together, in tokens.
    pub context_tokens: u32,
    /// What it may write in one answer, in tokens.
    pub max_output_tokens: u32,
    /// The price of a million tokens that it reads, and of those that it writes; none: not counted.
    pub prices: Option<(f64, f64)>,
    /// Requests in a minute; 0: no limit.
    pub requests_per_minute: u32,
    /// For one request.
    pub timeout: Span,
}

impl LlmConfig {
    /// Every model, by its name here. Empty when none is configured.
    pub fn all(&self) -> Vec<LlmModel> {
        let own = (!self.base_url.is_empty() && !self.models.contains_key(DEFAULT))
            .then(|| self.filled(DEFAULT, &More::default()));
        own.into_iter().chain(self.models.iter().map(|(alias, more)| self.filled(alias, more))).collect()
    }

    fn filled(&self, alias: &str, more: &More) -> LlmModel {
        // A key is told to the server that it is for and to no other.
        let key = if more.base_url.is_some() { "" } else { &self.api_key };
        let base_url = more.base_url.as_ref().unwrap_or(&self.base_url);
        let prices = (more.price_input.unwrap_or(self.price_input), more.price_output.unwrap_or(self.price_output));
        LlmModel {
            alias: alias.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            api_key: more.api_key.clone().unwrap_or_else(|| key.to_owned()),
            model: more.model.clone().unwrap_or_else(|| self.model.clone()),
            context_tokens: more.context_tokens.unwrap_or(self.context_tokens),
            max_output_tokens: more.max_output_tokens.unwrap_or(self.max_output_tokens),
            prices: Some(prices).filter(|prices| *prices != (0.0, 0.0)),
            requests_per_minute: more.requests_per_minute.unwrap_or(self.requests_per_minute),
            timeout: more.timeout.unwrap_or(self.timeout),
        }
    }

    /// Checks what can be checked without asking anyone; whether an address may be used, the guard says with each request.
    pub(super) fn check(&self) -> Result<()> {
        if self.base_url.is_empty() && !(self.api_key.is_empty() && self.model.is_empty()) {
            return Err(Error::new(Code::Config, "`llm.base_url` is missing")
                .with_hint("Set it to the server's address up to and with /v1."));
        }
        self.all().iter().try_for_each(LlmModel::check)
    }
}

impl LlmModel {
    /// The key of a setting of this model, as it is written in the configuration.
    pub fn key(&self, leaf: &str) -> String {
        match self.alias.as_str() {
            DEFAULT => format!("`llm.{leaf}`"),
            alias => format!("`llm.models.{alias}.{leaf}`"),
        }
    }

    fn check(&self) -> Result<()> {
        let wrong = |leaf: &str, rule: &str| {
            Err(Error::new(Code::Config, format!("{} must be {rule}", self.key(&leaf.escape_debug().to_string()))))
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if self.alias.is_empty() || self.alias.len() > 64 || !self.alias.chars().all(is_plain) {
            let detail = format!("A model in `llm.models` is named \"{}\"", self.alias.escape_debug());
            return Err(Error::new(Code::Config, detail).with_hint("Use letters, digits and -_. in its name."));
        }
        if !Url::parse(&self.base_url).is_ok_and(|url| super::is_plain_address(&url)) {
            return wrong(
                "base_url",
                "an http or https address such as https://llm.example/v1, without user name and query",
            );
        }
        if !self.api_key.bytes().all(|byte| byte.is_ascii_graphic()) {
            return wrong("api_key", "a key of printable ASCII characters without blanks");
        }
        if self.model.trim().is_empty() {
            return wrong("model", "the model's name at the server");
        }
        if !(LEAST_CONTEXT..=MOST_CONTEXT).contains(&self.context_tokens) {
            return wrong("context_tokens", "from 1024 to 10000000");
        }
        if !(1..=self.context_tokens / 2).contains(&self.max_output_tokens) {
            return wrong("max_output_tokens", "from 1 to half of context_tokens");
        }
        let is_price = |price: f64| price.is_finite() && price >= 0.0;
        if !self.prices.is_none_or(|(read, written)| is_price(read) && is_price(written)) {
            return wrong("price_input and price_output", "numbers from 0");
        }
        if self.timeout.0.is_zero() {
            return wrong("timeout", "longer than nothing");
        }
        Ok(())
    }
}

impl fmt::Debug for LlmConfig {
    /// Without keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LlmConfig").field("models", &self.all()).finish_non_exhaustive()
    }
}

impl fmt::Debug for LlmModel {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { alias, base_url, model, .. } = self;
        write!(f, "LlmModel({alias} = {model} at {base_url})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(more: &str) -> LlmConfig {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, more).unwrap();
        super::super::Config::load(Some(&file), &[]).map(|config| config.llm).unwrap()
    }

    fn error(more: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        std::fs::write(&file, more).unwrap();
        let error = super::super::Config::load(Some(&file), &[]).unwrap_err();
        assert_eq!(error.code, Code::Config);
        error.chain()
    }

    #[test]
    fn none_is_configured_at_first() {
        assert_eq!(config("").all(), []);
    }

    #[test]
    fn other_models_take_what_they_do_not_say_from_the_default() {
        let all = config(
            "[llm]\nbase_url = \"http://a.example/v1/\"\napi_key = \"sk-a\"\nmodel = \"big\"\nprice_input = 2.5\n\
             [llm.models.small]\nmodel = \"small\"\ncontext_tokens = 16000\n\
             [llm.models.other]\nbase_url = \"http://b.example/v1\"",
        )
        .all();
        let seen: Vec<_> = all
            .iter()
            .map(|one| {
                (
                    one.alias.as_str(),
                    one.base_url.as_str(),
                    one.api_key.as_str(),
                    one.model.as_str(),
                    one.context_tokens,
                )
            })
            .collect();
        assert_eq!(
            seen,
            [
                ("default", "http://a.example/v1", "sk-a", "big", 4096),
                // The key is not told to another server.
                ("other", "http://b.example/v1", "", "big", 4096),
                ("small", "http://a.example/v1", "sk-a", "small", 16000),
            ]
        );
        assert_eq!(all[0].prices, Some((2.5, 0.0)));
        assert_eq!(
            (all[0].key("api_key"), all[2].key("model")),
            ("`llm.api_key`".into(), "`llm.models.small.model`".into())
        );
        assert!(!format!("{all:?}").contains("sk-a"));
    }

    #[test]
    fn wrong_settings_are_refused_without_showing_keys() {
        let base = "[llm]\nbase_url = \"http://a.example/v1\"\nmodel = \"m\"\n";
        for (more, named) in [
            ("[llm]\napi_key = \"sk-secret\"".to_owned(), "llm.base_url"),
            ("[llm]\nbase_url = \"http://a.example/v1\"".to_owned(), "llm.model"),
            ("[llm]\nbase_url = \"ftp://a.example/v1\"\nmodel = \"m\"".to_owned(), "llm.base_url"),
            ("[llm]\nbase_url = \"http://sk-secret@a.example/v1\"\nmodel = \"m\"".to_owned(), "llm.base_url"),
            (format!("{base}api_key = \"sk-secret \""), "llm.api_key"),
            (format!("{base}context_tokens = 500"), "context_tokens"),
            (format!("{base}max_output_tokens = 3000"), "max_output_tokens"),
            (format!("{base}price_input = -1.0"), "price_input"),
            (format!("{base}timeout = \"0s\""), "timeout"),
            (format!("{base}[llm.models.x]\nmodle = \"y\""), "modle"),
            (format!("{base}[llm.models.\"a b\"]\nmodel = \"y\""), "a b"),
        ] {
            let told = error(&more);
            assert!(told.contains(named) && !told.contains("sk-secret"), "{told}");
        }
    }
}
