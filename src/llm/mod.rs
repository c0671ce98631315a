//! Language models behind OpenAI's chat API.
//!
//! Callers may rely on this: what strangers said reaches a model only inside a fence of data; nothing is cut silently,
//! long texts go in parts and the answer says how many; an answer that has to have a form has been checked; keys go to
//! their server and nowhere else; every request passes `net`; and nothing is tried again here, but for an answer in the
//! wrong form, once.

mod answer;
mod dialect;
mod failure;
mod fence;
mod material;
mod memory;
mod merge;
mod model;
mod pieces;
mod prompt;
mod run;
mod schema;
mod segments;
mod session;
#[cfg(test)]
mod tests;
mod times;
mod tokens;
mod wire;

use std::{collections::BTreeMap, sync::Arc};

use url::Url;

pub use self::session::{Context, Heard};
use self::{model::Model, prompt::Prompts};
use crate::{
    config::LlmConfig,
    domain::options::unknown,
    error::{Code, Error, Result},
    net::Net,
};

/// The names of the ready-made prompts that steps may use.
///
/// # Errors
/// `config` when the folder `llm.prompts` cannot be read.
pub fn prompts(config: &LlmConfig) -> Result<Vec<String>> {
    prompt::names(&config.prompts).map(|names| names.into_iter().collect())
}

/// The name of the model that is asked when a step names none.
const DEFAULT: &str = "default";

/// Every language model that is configured. Cheap to clone.
#[derive(Clone)]
pub struct Llm {
    inner: Arc<Inner>,
}

struct Inner {
    models: BTreeMap<String, Model>,
    prompts: Prompts,
}

impl Llm {
    /// Nothing is sent until there is a step. Fails with `config` when a prompt in `llm.prompts` cannot be used.
    pub fn new(config: &LlmConfig, net: &Net) -> Result<Self> {
        let models = config.all().into_iter().map(|settings| (settings.alias.clone(), Model::new(settings, net)));
        Ok(Self { inner: Arc::new(Inner { models: models.collect(), prompts: Prompts::load(&config.prompts)? }) })
    }

    /// The host that a model's key is told to.
    pub fn host(&self, alias: Option<&str>) -> Result<String> {
        let url = &self.model(alias)?.settings.base_url;
        let host = Url::parse(url).ok().and_then(|url| url.host_str().map(str::to_owned));
        host.ok_or_else(|| Error::new(Code::Config, "A language model's address names no host"))
    }

    fn model(&self, alias: Option<&str>) -> Result<&Model> {
        let models = &self.inner.models;
        let alias = alias.unwrap_or(DEFAULT);
        if models.is_empty() {
            return Err(Error::new(Code::Config, "No language model is configured")
                .with_hint("Set `llm.base_url` and `llm.model`, for example to those of an Ollama on this machine."));
        }
        models.get(alias).ok_or_else(|| {
            Error::new(Code::InvalidValue, format!("There is no language model \"{}\"", alias.escape_debug()))
                .with_hint(unknown("model", alias, models.keys().map(String::as_str)).hint)
                .with_field("model")
        })
    }
}
