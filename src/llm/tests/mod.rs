//! Steps against a server that speaks OpenAI's wire format.

mod answers;
mod failures;
mod long;
#[path = "../../tests/support/llm.rs"]
mod server;

use std::sync::Mutex;

use serde_json::{Value, json};
use tempfile::TempDir;

use self::server::{LlmServer, Say};
use super::{Context, Heard, Llm};
use crate::{
    config::Config,
    error::{Error, Result},
    net::Net,
    workflow::kinds::llm::Output,
};

/// A step's world: models at a server, and a place to work.
struct Stage {
    llm: Llm,
    folder: TempDir,
    heard: Mutex<Vec<(Option<usize>, usize, String)>>,
    progress: Mutex<Vec<f64>>,
}

impl Stage {
    /// `default` is a model at this server; more settings as TOML lines of `[llm]`.
    fn new(url: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.toml");
        let text = format!(
            "net.allow_hosts = [\"127.0.0.1\"]\n[llm]\nbase_url = \"{url}\"\nmodel = \"stub-1\"\napi_key = \"sk-geheim\"\n{more}"
        );
        std::fs::write(&file, text).unwrap();
        let config = Config::load(Some(&file), &[]).unwrap();
        let llm = Llm::new(&config.llm, &Net::new(&config.net).unwrap()).unwrap();
        Self { llm, folder, heard: Mutex::default(), progress: Mutex::default() }
    }

    async fn run(&self, with: Value) -> Result<Output> {
        let hear = |heard: Heard<'_>| match heard {
            Heard::Text { part, parts, text } => self.heard.lock().unwrap().push((part, parts, text.to_owned())),
            Heard::Progress(fraction) => self.progress.lock().unwrap().push(fraction),
        };
        let context = Context {
            key: "7/say".to_owned(),
            folder: self.folder.path().join("work"),
            hear: &hear,
            hide: &|text| text,
        };
        self.llm.run(serde_json::from_value(with).unwrap(), &context).await
    }

    async fn fail(&self, with: Value) -> Error {
        let error = self.run(with).await.unwrap_err();
        let all = format!("{} {} {}", error.chain(), error.hint, error.detail);
        assert!(!all.contains("sk-geheim"), "{all}");
        error
    }
}

/// A question without a form.
fn plain() -> Value {
    json!({ "system": "Answer.", "input": "Something." })
}
