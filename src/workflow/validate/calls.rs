//! Workflows that run others: how deep, and not themselves for ever.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Problem, draft::Draft, shown};
use crate::{domain::options::nearest, workflow::definition::StepDef};

/// How deep tasks may lie in each other whose steps run workflows: the first one counts. A workflow that runs itself is ended
/// by it at the latest.
pub const NESTING: usize = 4;

/// By workflow: those that it runs.
pub type Calls = BTreeMap<String, Vec<String>>;

/// The workflows that a stored definition runs, by their names.
pub fn called(definition: &Value) -> Vec<String> {
    let groups = ["steps", "on_error"].into_iter().filter_map(|group| definition.get(group)?.as_object());
    let steps = groups.flat_map(|steps| steps.values()).filter(|step| step["use"] == "workflow");
    steps.filter_map(|step| step["with"]["name"].as_str()).map(str::to_owned).collect()
}

/// Checks what the steps of a definition run, as far as the other workflows are known.
pub(super) fn check(draft: &Draft, others: &Calls, problems: &mut Vec<Problem>) {
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            let Some(callee) = callee(step) else { continue };
            // Without a server nobody knows which there are.
            if !others.is_empty() && callee != draft.name && !callee.contains("${") && !others.contains_key(callee) {
                let meant = nearest(callee, others.keys().map(String::as_str));
                let message = format!("no workflow \"{}\" is here yet", shown(callee));
                let pointer = format!("/{group}/{name}/with/name");
                problems.push(Problem::new("W_UNKNOWN", pointer, message).or(meant));
            }
            let mut path = vec![draft.name.as_str(), callee];
            if let Some(message) = too_deep(&draft.name, step, others, &mut path) {
                problems.push(Problem::new("E_LIMIT", format!("/{group}/{name}/with/name"), message));
            }
        }
    }
}

fn callee(step: &StepDef) -> Option<&str> {
    step.with.get("name").and_then(Value::as_str).filter(|_| step.kind == "workflow")
}

/// Follows one path after the other; what is wrong is told with the path.
fn too_deep<'a>(start: &'a str, step: &StepDef, others: &'a Calls, path: &mut Vec<&'a str>) -> Option<String> {
    let at = *path.last()?;
    if at == start {
        // With a `when` it may end, and if it does not, the depth of the tasks ends it.
        let endless = step.when.is_none();
        return endless.then(|| format!("{} without a \"when\" that ends it", path.join(" → ")));
    }
    if path.len() > NESTING {
        return Some(format!("{} are more than {NESTING} workflows in each other", path.join(" → ")));
    }
    for next in others.get(at).into_iter().flatten() {
        path.push(next);
        if let Some(message) = too_deep(start, step, others, path) {
            return Some(message);
        }
        path.pop();
    }
    None
}
