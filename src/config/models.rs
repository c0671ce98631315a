//! Where models come from, and what they are called.

use std::{collections::BTreeMap, path::PathBuf};

use serde::Deserialize;
use url::Url;

use crate::error::{Code, Error, Result};

/// Model files.
#[derive(Clone, Debug, Deserialize)]
pub struct ModelsConfig {
    /// The folder; models in its direct subfolders are found too.
    pub dir: PathBuf,
    /// The model of tasks that name none, or `auto`.
    pub default: String,
    /// Where official models are downloaded from, tried in order.
    pub base_urls: Vec<String>,
    /// An HTTP proxy for downloads of models; empty: none.
    pub proxy: String,
    /// Whether downloads are off.
    pub offline: bool,
    /// Other names for models.
    #[serde(default)]
    pub aliases: BTreeMap<String, String>,
}

impl ModelsConfig {
    /// An alias leads straight to a model, or to `auto`; capitals do not matter. Mirrors are plain addresses.
    pub(super) fn check(&self) -> Result<()> {
        let wrong = |text: String, hint: String| Err(Error::new(Code::Config, text).with_hint(hint));
        // What is wrong with an address may be a password, so none is shown.
        if !self.base_urls.iter().all(|base| Url::parse(base).is_ok_and(|url| super::is_plain_address(&url))) {
            let text = "`models.base_urls` must hold http or https addresses without user name, password and query";
            let hint = "Name a mirror that wants no password, or put model files into `models.dir`.";
            return wrong(text.to_owned(), hint.to_owned());
        }
        let is_auto = |name: &str| name.trim().eq_ignore_ascii_case("auto");
        for (alias, to) in &self.aliases {
            let shown = alias.escape_debug();
            if is_auto(alias) {
                let text = "`models.aliases` gives \"auto\" a meaning, but it stands for `models.default`".to_owned();
                return wrong(text, "Set `models.default` instead.".to_owned());
            }
            if alias.trim().is_empty() || to.trim().is_empty() {
                let text = format!("`models.aliases` holds an empty name: \"{shown}\" = \"{}\"", to.escape_debug());
                return wrong(text, "Write alias = \"the model's name\".".to_owned());
            }
            if let Some((next, behind)) = self.alias(to) {
                let text = format!("The alias \"{shown}\" in `models.aliases` leads to another alias, \"{next}\"");
                let mut end = behind;
                for _ in &self.aliases {
                    end = self.alias(end).map_or(end, |(_, to)| to);
                }
                return wrong(
                    text,
                    match self.alias(end) {
                        Some(_) => "Name a model: these lead in a circle.".to_owned(),
                        None => format!("Add {shown} = \"{}\".", end.escape_debug()),
                    },
                );
            }
        }
        match self.alias(&self.default) {
            Some((alias, to)) if is_auto(to) => {
                let text =
                    format!("`models.default` is the alias \"{}\", which leads back to it", alias.escape_debug());
                wrong(text, "Name a model, or write models.default = \"auto\".".to_owned())
            }
            _ => Ok(()),
        }
    }

    fn alias(&self, name: &str) -> Option<(&String, &String)> {
        self.aliases.iter().find(|(alias, _)| alias.trim().eq_ignore_ascii_case(name.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(default: &str, aliases: &[(&str, &str)]) -> Result<()> {
        let aliases = aliases.iter().map(|(alias, to)| ((*alias).to_owned(), (*to).to_owned())).collect();
        ModelsConfig { default: default.to_owned(), aliases, ..super::super::Config::defaults().models }.check()
    }

    #[test]
    fn mirrors_are_plain_addresses() {
        let check = |base: &str| {
            let base_urls = vec!["http://a.example/x/".to_owned(), base.to_owned()];
            ModelsConfig { base_urls, ..super::super::Config::defaults().models }.check()
        };
        check("https://b.example:8443/models").unwrap();
        for bad in ["https://me:secret@b.example/x", "https://secret@b.example", "b.example/secret", "ftp://secret/x"] {
            let error = check(bad).unwrap_err();
            assert!(error.code == Code::Config && error.detail.contains("models.base_urls"), "{}", error.detail);
            assert!(!format!("{} {}", error.chain(), error.hint).contains("secret"), "{}", error.chain());
        }
    }

    #[test]
    fn aliases_lead_straight_to_models() {
        check("auto", &[("x", "auto"), ("y", "tiny"), ("base", "base-q5_1")]).unwrap();
        check("y", &[("x", "AUTO"), ("y", "base")]).unwrap();
        for (default, aliases, told) in [
            ("auto", &[("x", "y"), ("y", "tiny")][..], "= \"tiny\""),
            ("auto", &[("x", "Y"), ("y", "tiny")], "= \"tiny\""),
            ("auto", &[("x", "x")], "circle"),
            ("auto", &[("x", "y"), ("y", "x")], "circle"),
            ("auto", &[("x", "y"), ("y", "z"), ("z", "x")], "Name a model"),
            ("auto", &[("Auto", "base")], "models.default"),
            ("auto", &[("x", " ")], "alias = "),
            ("X", &[("x", "auto")], "models.default = \"auto\""),
        ] {
            let error = check(default, aliases).unwrap_err();
            assert_eq!(error.code, Code::Config);
            assert!(error.hint.contains(told), "{aliases:?}: {} {}", error.detail, error.hint);
        }
    }
}
