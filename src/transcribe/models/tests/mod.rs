//! The models folder: names, lists, downloads.

mod names;
mod pull;
mod pulls;

use std::{
    collections::BTreeMap,
    fs,
    ops::RangeInclusive,
    path::Path,
    sync::atomic::{AtomicU64, Ordering},
};

use async_trait::async_trait;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::{catalogue::OFFICIAL, *};
use crate::{
    domain::{Options, options::Goal},
    error::{Code, Error, Result},
};

fn smoke() -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("models/smoke/ggml-smoke-q8_0.bin")).unwrap()
}

fn models(dir: &Path) -> Models {
    with(dir, "auto", &[("smoke", "smoke-q8_0")])
}

fn with(dir: &Path, default: &str, aliases: &[(&str, &str)]) -> Models {
    Models::new(&ModelsConfig {
        dir: dir.to_owned(),
        default: default.to_owned(),
        base_urls: ["https://one/x/", "https://two/y"].map(str::to_owned).into(),
        proxy: String::new(),
        offline: false,
        aliases: aliases.iter().map(|(alias, to)| ((*alias).to_owned(), (*to).to_owned())).collect::<BTreeMap<_, _>>(),
    })
}

#[test]
fn models_say_what_they_cannot_do() {
    let ask =
        |language: Option<&str>, task| Options { language: language.map(str::to_owned), task, ..Options::default() };
    let field = |name: &str, options: &Options| validate(name, options).unwrap_err().field.unwrap();
    assert_eq!(field("base.en", &ask(Some("zh"), Goal::Transcribe)), "language");
    assert_eq!(field("tiny.en-q5_1", &ask(None, Goal::Translate)), "task");
    assert_eq!(field("large-v3-turbo-q5_0", &ask(None, Goal::Translate)), "task");
    assert_eq!(field("base", &ask(Some("klingon"), Goal::Transcribe)), "language");
    validate("base.en", &ask(Some("english"), Goal::Transcribe)).unwrap();
    validate("large-v3", &ask(Some("zh"), Goal::Translate)).unwrap();
}
