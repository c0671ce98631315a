//! From a definition to the rows of the queue, in an order in which they can run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    Definition, Retry, Rule,
    definition::StepDef,
    expr::{self, Reference},
    template,
};
use crate::domain::{Span, StepKind};

/// One row to be written.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned {
    /// The step's name, or `name:extract` for the first half of a `transcribe`.
    pub key: String,
    /// What it does.
    pub kind: StepKind,
    /// The keys of the rows it waits for.
    pub needs: Vec<String>,
    /// Its input, with references.
    pub with: Map<String, Value>,
    /// When it is tried again.
    pub retry: Retry,
    /// For one try.
    pub timeout: Option<Span>,
    /// What decides about it beside its input.
    pub rule: Rule,
}

/// Why a definition has no plan.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NeedsError {
    /// Steps wait for each other.
    #[error("steps wait for each other: {}", .0.join(" → "))]
    Cycle(Vec<String>),
    /// A kind that is not known.
    #[error("unknown kind \"{0}\"")]
    Kind(String),
}

/// What a step waits for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The steps that it refers to or names in `after`, each once, in the order of their names.
    pub all: Vec<String>,
    /// Those of them which may have been skipped or have failed: every reference to them is guarded, or there is none.
    pub loose: Vec<String>,
}

/// What a step waits for, from its expressions.
pub fn needs_of(step: &StepDef) -> Needs {
    let mut found: Vec<Reference> = Vec::new();
    let mut in_with = Vec::new();
    template::references(&Value::Object(step.with.clone()), "", &mut in_with);
    found.extend(in_with.into_iter().filter_map(|(_, reference)| reference.ok()));
    let bare = [step.when.as_deref(), step.foreach.as_ref().map(|list| list.list.as_str())];
    let cases = step.with.get("cases").and_then(Value::as_array).filter(|_| step.kind == StepKind::Condition.as_str());
    let whens = cases.into_iter().flatten().filter_map(|case| case.get("when")?.as_str());
    let bare = bare.into_iter().flatten().chain(whens);
    found.extend(bare.filter_map(|source| expr::references(source).ok()).flatten());
    let named = |reference: &Reference| match reference.path.as_slice() {
        [root, name, ..] if root == "steps" => Some(name.clone()),
        _ => None,
    };
    let strict: BTreeSet<String> = found.iter().filter(|reference| !reference.guarded).filter_map(named).collect();
    let all: BTreeSet<String> = step.after.iter().cloned().chain(found.iter().filter_map(named)).collect();
    let loose = all.difference(&strict).cloned().collect();
    Needs { all: all.into_iter().collect(), loose }
}

/// Turns a definition into rows. `transcribe` becomes two: decoding in lane `cpu` runs ahead of inference in lane `gpu`.
pub fn plan(definition: &Definition) -> Result<Vec<Planned>, NeedsError> {
    let mut rows = Vec::new();
    for name in order(definition)? {
        let step = &definition.steps[&name];
        let kind = kind_of(&step.kind).ok_or_else(|| NeedsError::Kind(step.kind.clone()))?;
        let retry = step.retry.clone().unwrap_or_else(|| Retry::for_kind(kind));
        let needs = needs_of(step);
        let rule = Rule::of(step, needs.loose, false);
        let (needs, with) = (needs.all, step.with.clone());
        let row = Planned { key: name, kind, needs, with, retry, timeout: step.timeout, rule };
        if kind == StepKind::Transcribe {
            let key = format!("{}:extract", row.key);
            rows.push(Planned { key: key.clone(), kind: StepKind::Extract, timeout: None, ..row.clone() });
            let needs = row.needs.iter().cloned().chain([key]).collect();
            rows.push(Planned { needs, ..row });
        } else {
            rows.push(row);
        }
    }
    Ok(rows)
}

/// What a word after `use` names.
pub fn kind_of(word: &str) -> Option<StepKind> {
    match word.split_once(':') {
        Some(("exec", name)) => (!name.is_empty()).then_some(StepKind::Exec),
        Some(_) => None,
        // `extract` is a half of `transcribe` and `exec` needs a name: neither stands alone.
        None => word.parse().ok().filter(|kind| !matches!(kind, StepKind::Extract | StepKind::Exec)),
    }
}

/// The steps' names, each after those it needs.
fn order(definition: &Definition) -> Result<Vec<String>, NeedsError> {
    let mut waiting: BTreeMap<&str, Vec<String>> =
        definition.steps.iter().map(|(name, step)| (name.as_str(), needs_of(step).all)).collect();
    let mut done: Vec<String> = Vec::new();
    while !waiting.is_empty() {
        let free: Vec<&str> = waiting
            .iter()
            .filter(|(_, needs)| needs.iter().all(|need| done.contains(need)))
            .map(|(name, _)| *name)
            .collect();
        if free.is_empty() {
            return Err(NeedsError::Cycle(cycle(&waiting)));
        }
        for name in free {
            waiting.remove(name);
            done.push(name.to_owned());
        }
    }
    Ok(done)
}

/// One cycle among steps of which each waits for another one of them.
fn cycle(waiting: &BTreeMap<&str, Vec<String>>) -> Vec<String> {
    let mut path: Vec<String> = Vec::new();
    let mut at = waiting.keys().next().copied();
    while let Some(name) = at {
        if let Some(start) = path.iter().position(|seen| seen == name) {
            path.drain(..start);
            path.push(name.to_owned());
            return path;
        }
        path.push(name.to_owned());
        at = waiting[name].iter().find_map(|need| waiting.get_key_value(need.as_str()).map(|(key, _)| *key));
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_workflow_becomes_four_rows() {
        let definition = Definition::parse(include_str!("../../workflows/transcribe.json")).unwrap();
        let rows = plan(&definition).unwrap();
        let told: Vec<_> = rows.iter().map(|row| (row.key.as_str(), row.kind, row.needs.join(" "))).collect();
        assert_eq!(
            told,
            [
                ("source", StepKind::Resolve, String::new()),
                ("media", StepKind::Download, "source".to_owned()),
                ("text:extract", StepKind::Extract, "media".to_owned()),
                ("text", StepKind::Transcribe, "media text:extract".to_owned()),
            ]
        );
    }
}
