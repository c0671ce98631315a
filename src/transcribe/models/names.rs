//! From what somebody writes to the name of a model.
//!
//! Aliases go first, then the names of models; either way the exact spelling wins, and capitals do not matter otherwise.
//! `auto`, as a name or behind an alias, stands for `models.default`; behind that it stands for what suits the device.
//! An alias is looked up once, so nothing here can run in circles, whatever the configuration says.

use std::{collections::BTreeMap, path::PathBuf};

use super::{
    Models,
    catalogue::{OFFICIAL, official},
};
use crate::{
    domain::options::nearest,
    error::{Code, Error, Result},
};

/// What `models.default = "auto"` means on a CPU.
const DEFAULT_ON_CPU: &str = "base";
/// And where there is a GPU.
const DEFAULT_ON_GPU: &str = "large-v3-turbo";

impl Models {
    /// Says whether recognition has a GPU, which decides what `models.default = "auto"` means: `base` without one (and
    /// before this is called), `large-v3-turbo` with one. The first call counts, for all clones.
    pub fn settle_default(&self, gpu: bool) {
        let _ = self.gpu.set(gpu);
    }

    /// The name behind a name, an alias or nothing; an error when there is no such model in the table or the folder.
    pub fn name(&self, name: Option<&str>) -> Result<String> {
        let files = self.files();
        let given = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or(&self.default);
        let wanted = self.target(given);
        if let Some(name) = find(wanted, &files) {
            return Ok(name);
        }
        let known = OFFICIAL.iter().map(|model| model.name);
        // An alias of a model that is not there is no help.
        let leads = self.led(&files);
        let known = known.chain(files.keys().map(String::as_str)).chain(leads.iter().map(|(alias, _)| *alias));
        let shown: String = wanted.chars().take(100).collect();
        let error = Error::new(Code::UnknownModel, format!("There is no model \"{}\"", shown.escape_debug()));
        Err(match nearest(wanted, known) {
            Some(best) => error.with_hint(format!("Did you mean \"{best}\"?")),
            None => error,
        }
        .with_field("model"))
    }

    /// Every alias with the model that it leads to now, as long as there is one.
    pub(super) fn led(&self, files: &BTreeMap<String, PathBuf>) -> Vec<(&str, String)> {
        self.aliases.keys().filter_map(|alias| Some((alias.as_str(), find(self.target(alias), files)?))).collect()
    }

    /// What a name stands for: an alias's model, or itself.
    fn target<'a>(&'a self, given: &'a str) -> &'a str {
        let to = self.alias(given);
        if !is_auto(to) {
            return to;
        }
        match self.alias(&self.default) {
            default if !is_auto(default) => default,
            _ if self.gpu.get() == Some(&true) => self.alias(DEFAULT_ON_GPU),
            _ => self.alias(DEFAULT_ON_CPU),
        }
    }

    fn alias<'a>(&'a self, name: &'a str) -> &'a str {
        let same = |(alias, _): &(&String, &String)| alias.eq_ignore_ascii_case(name);
        let loose = || self.aliases.iter().find(same).map(|(_, to)| to);
        self.aliases.get(name).or_else(loose).map_or(name, |to| to.trim())
    }
}

fn is_auto(name: &str) -> bool {
    name.eq_ignore_ascii_case("auto")
}

/// The model of this name, official or in the folder.
fn find(name: &str, files: &BTreeMap<String, PathBuf>) -> Option<String> {
    if official(name).is_some() || files.contains_key(name) {
        return Some(name.to_owned());
    }
    let mut all = OFFICIAL.iter().map(|model| model.name).chain(files.keys().map(String::as_str));
    all.find(|known| known.eq_ignore_ascii_case(name)).map(str::to_owned)
}
