//! Workflows that run others: how deep, not themselves for ever, and with what they take.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::{
    Problem, World,
    draft::Draft,
    params,
    places::{self, Spot},
    refs::has_host,
    shown,
};
use crate::{domain::options::nearest, workflow::definition::StepDef};

/// How deep tasks may lie in each other whose steps run workflows: the first one counts. A workflow that runs itself is ended
/// by it at the latest.
pub const NESTING: usize = 4;

/// Checks what the steps of a definition run, as far as the other workflows are known.
pub(super) fn check(draft: &Draft, world: &World, problems: &mut Vec<Problem>) {
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let Some(callee) = callee(step) else { continue };
            let pointer = format!("/{group}/{name}/with");
            let others = &world.workflows;
            // Without a server nobody knows which there are.
            if !others.is_empty() && callee != draft.name && !others.contains_key(callee) {
                let meant = nearest(callee, others.keys().map(String::as_str));
                let message = format!("no workflow \"{}\" is here yet", shown(callee));
                problems.push(Problem::new("W_UNKNOWN", format!("{pointer}/name"), message).or(meant));
            }
            let mut path = vec![draft.name.as_str(), callee];
            if let Some(message) = too_deep(&draft.name, step, world, &mut path) {
                problems.push(Problem::new("E_LIMIT", format!("{pointer}/name"), message));
            }
            given(draft, step, world, &pointer, problems);
        }
    }
}

/// The workflow that a step runs, where it is written out.
fn callee(step: &StepDef) -> Option<&str> {
    let name = step.with.get("name").and_then(Value::as_str).filter(|_| step.kind == "workflow");
    name.filter(|name| !name.contains("${"))
}

/// Follows one path after the other; what is wrong is told with the path.
fn too_deep<'a>(start: &'a str, step: &StepDef, world: &'a World, path: &mut Vec<&'a str>) -> Option<String> {
    let at = *path.last()?;
    if at == start {
        // With a `when` it may end, and if it does not, the depth of the tasks ends it.
        let endless = step.when.is_none();
        return endless.then(|| format!("{} without a \"when\" that ends it", path.join(" → ")));
    }
    if path.len() > NESTING {
        return Some(format!("{} are more than {NESTING} workflows in each other", path.join(" → ")));
    }
    for next in world.workflows.get(at)?.calls() {
        path.push(next);
        if let Some(message) = too_deep(start, step, world, path) {
            return Some(message);
        }
        path.pop();
    }
    None
}

/// Checks what a step gives to the workflow that it runs.
fn given(draft: &Draft, step: &StepDef, world: &World, pointer: &str, problems: &mut Vec<Problem>) {
    let Some(callee) = callee(step) else { return };
    let pinned = step.with.get("version").filter(|version| !version.is_null());
    let declared = if callee == draft.name {
        pinned.is_none().then(|| draft.params.clone())
    } else {
        // Of other revisions than the newest nobody has told.
        let other = world.workflows.get(callee);
        let other = other.filter(|other| pinned.is_none_or(|version| version.as_i64() == other.revision));
        other.map(|other| Draft::of(&other.definition).params)
    };
    let none = Map::new();
    let given = match step.with.get("params") {
        None => Some(&none),
        Some(params) => params.as_object(),
    };
    let (Some(declared), Some(given)) = (declared, given) else { return };
    let words = params::Words {
        undeclared: &|name| format!("workflow \"{callee}\" has no parameter \"{name}\""),
        missing: &|name| format!("workflow \"{callee}\" needs its parameter \"{name}\", which has no default"),
    };
    params::given(&declared, given, pointer, &words, problems);
}

/// By name of a workflow that the draft runs: the parameters that decide there, or in what that runs in turn, where
/// something is sent.
pub(super) fn addresses(draft: &Draft, world: &World) -> BTreeMap<String, BTreeSet<String>> {
    let steps = draft.groups().into_iter().flat_map(|(_, steps)| steps.values());
    let callees: BTreeSet<&str> = steps.filter_map(callee).filter(|callee| *callee != draft.name).collect();
    callees.into_iter().map(|callee| (callee.to_owned(), deciding(callee, world, NESTING))).collect()
}

fn deciding(workflow: &str, world: &World, levels: usize) -> BTreeSet<String> {
    let Some(other) = world.workflows.get(workflow).filter(|_| levels > 0) else { return BTreeSet::new() };
    let draft = Draft::of(&other.definition);
    let mut found = BTreeSet::new();
    for place in places::read(&draft, &mut Vec::new()) {
        let (Some(owner), Spot::With(field)) = (place.owner, place.spot) else { continue };
        let decides = match (owner.step.kind.as_str(), field) {
            ("http" | "callback", "url") => !has_host(&place.before),
            ("workflow", "params") => {
                let name = place.pointer.split("/with/params/").nth(1).and_then(|below| below.split('/').next());
                let below = callee(owner.step).map(|callee| deciding(callee, world, levels - 1));
                below.zip(name).is_some_and(|(below, name)| below.contains(name))
            }
            _ => false,
        };
        let names = place.references.iter().filter_map(|reference| match reference.path.as_slice() {
            [root, name, ..] if decides && root == "params" => Some(name.clone()),
            _ => None,
        });
        found.extend(names);
    }
    found
}
