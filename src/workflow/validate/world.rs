//! What lies around a definition: the workflows that it may run, and the machine that is to run it.

use std::collections::BTreeMap;

use serde_json::Value;

/// What is known of the world around a definition. Of what is not known nothing is said.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// The workflows that there are, by their names. Empty: nobody knows which there are.
    pub workflows: BTreeMap<String, Other>,
    /// The machine that is to run it.
    pub machine: Machine,
}

/// A workflow beside the one that is looked at.
#[derive(Clone, Debug)]
pub struct Other {
    /// The revision's number; none when it is not stored yet.
    pub revision: Option<i64>,
    /// Its newest definition, as it was written.
    pub definition: Value,
}

/// What steps find on a machine, by name; none where that is not known.
#[derive(Clone, Debug, Default)]
pub struct Machine {
    /// The programs of `exec:<name>`.
    pub programs: Option<Vec<String>>,
    /// The ready-made prompts of `llm`.
    pub prompts: Option<Vec<String>>,
    /// The language models.
    pub models: Option<Vec<String>>,
    /// The secrets.
    pub secrets: Option<Vec<String>>,
}

impl Other {
    /// The workflows that it runs, as far as their names are written out.
    pub(super) fn calls(&self) -> impl Iterator<Item = &str> {
        let groups = ["steps", "on_error"].into_iter().filter_map(|group| self.definition.get(group)?.as_object());
        let steps = groups.flat_map(|steps| steps.values()).filter(|step| step["use"] == "workflow");
        steps.filter_map(|step| step["with"]["name"].as_str()).filter(|name| !name.contains("${"))
    }
}
