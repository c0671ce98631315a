//! What the steps are to each other: cycles, results that nobody uses, results that may not be there.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Problem,
    draft::{Draft, Steps},
    places::{Place, Spot},
    refs::no_step,
};
use crate::workflow::definition::OnError;

/// The kinds whose only use is their output.
const PURE: [&str; 4] = ["resolve", "subtitle", "llm", "condition"];

/// By step: the steps that it names, and whether some reference to each is unguarded.
type Needs<'a> = BTreeMap<&'a str, BTreeMap<&'a str, bool>>;

/// Checks what `after` names, cycles, and what is odd about results.
pub(super) fn check(draft: &Draft, places: &[Place<'_>], problems: &mut Vec<Problem>) {
    let mut needs = needs(places);
    for (group, steps) in draft.groups() {
        let handler = group == "on_error";
        for (name, step) in steps {
            for other in &step.after {
                let is_there = draft.steps.contains_key(other) || (handler && draft.on_error.contains_key(other));
                if is_there {
                    needs.entry(name).or_default().entry(other).or_insert(false);
                } else {
                    let pointer = format!("/{group}/{name}/after");
                    problems.push(Problem { pointer, ..no_step(draft, handler, other) });
                }
            }
        }
        if let Some(path) = cycle(steps, &needs) {
            problems.push(Problem::new("E_CYCLE", format!("/{group}"), path.join(" → ")));
        }
    }
    for name in draft.on_error.keys().filter(|name| draft.steps.contains_key(*name)) {
        let message = format!("\"{name}\" is the name of one of the steps already");
        problems.push(Problem::new("E_FIELD", format!("/on_error/{name}"), message));
    }
    unguarded(draft, places, &needs, problems);
    unused(draft, places, problems);
}

fn named(path: &[String]) -> Option<&str> {
    match path {
        [root, name, ..] if root == "steps" => Some(name),
        _ => None,
    }
}

fn needs<'a>(places: &'a [Place<'_>]) -> Needs<'a> {
    let mut needs: Needs<'a> = BTreeMap::new();
    for place in places {
        let Some(owner) = place.owner else { continue };
        for reference in &place.references {
            let Some(other) = named(&reference.path) else { continue };
            *needs.entry(owner.name).or_default().entry(other).or_insert(false) |= !reference.guarded;
        }
    }
    needs
}

/// One cycle among the steps of a group, written out.
fn cycle(steps: &Steps, needs: &Needs<'_>) -> Option<Vec<String>> {
    let others = |name: &str| needs.get(name).into_iter().flat_map(|needs| needs.keys().copied());
    // Steps that wait for nothing that still waits are taken away until none is left, or only those in and behind cycles.
    let mut waiting: BTreeSet<&str> = steps.keys().map(String::as_str).collect();
    loop {
        let free: Vec<&str> =
            waiting.iter().copied().filter(|name| !others(name).any(|other| waiting.contains(other))).collect();
        if free.is_empty() {
            break;
        }
        free.iter().for_each(|name| {
            waiting.remove(name);
        });
    }
    let mut path: Vec<&str> = Vec::new();
    let mut at = *waiting.iter().next()?;
    while !path.contains(&at) {
        path.push(at);
        at = others(at).find(|other| waiting.contains(other))?;
    }
    let start = path.iter().position(|name| *name == at)?;
    // A step waits for those it names; what is read is the order in which they would run.
    let mut path: Vec<String> = path[start..].iter().map(|name| (*name).to_owned()).collect();
    path.push(at.to_owned());
    Some(path)
}

/// The steps which may end without an output though the task goes on.
fn loose<'a>(draft: &'a Draft, needs: &Needs<'_>) -> BTreeSet<&'a str> {
    let mut loose: BTreeSet<&str> = BTreeSet::new();
    loop {
        let more: Vec<&str> = draft
            .groups()
            .into_iter()
            .flat_map(|(_, steps)| steps)
            .filter(|(name, step)| {
                let waits = needs.get(name.as_str()).into_iter().flatten();
                let mut strict = waits.filter(|(_, strict)| **strict);
                step.when.is_some()
                    || step.on_error == OnError::Continue
                    || strict.any(|(other, _)| loose.contains(other))
            })
            .map(|(name, _)| name.as_str())
            .filter(|name| !loose.contains(name))
            .collect();
        if more.is_empty() {
            return loose;
        }
        loose.extend(more);
    }
}

fn unguarded(draft: &Draft, places: &[Place<'_>], needs: &Needs<'_>, problems: &mut Vec<Problem>) {
    let loose = loose(draft, needs);
    for place in places {
        let handler = place.owner.is_some_and(|owner| owner.handler);
        if place.spot != Spot::Output && !handler {
            // A step whose reference leads to a skipped one is skipped, too: that is how branches are written.
            continue;
        }
        let mut told = BTreeSet::new();
        for reference in place.references.iter().filter(|reference| !reference.guarded) {
            let Some(name) = named(&reference.path) else { continue };
            if reference.path.get(2).is_none_or(|field| field != "output") || !told.insert(name) {
                continue;
            }
            let message = if loose.contains(name) {
                format!("steps.{name} may be skipped: wrap it in default")
            } else if handler && draft.steps.contains_key(name) {
                format!("steps.{name} may not have run: wrap it in default")
            } else {
                continue;
            };
            problems.push(Problem::new("W_UNGUARDED", place.pointer.clone(), message));
        }
    }
}

fn unused(draft: &Draft, places: &[Place<'_>], problems: &mut Vec<Problem>) {
    let references = || places.iter().flat_map(|place| &place.references);
    let whole = |root: &str| references().any(|reference| reference.path.len() == 1 && reference.path[0] == root);
    let mut used: BTreeSet<&str> = references().filter_map(|reference| named(&reference.path)).collect();
    for (_, steps) in draft.groups() {
        used.extend(steps.values().flat_map(|step| step.after.iter().map(String::as_str)));
    }
    for (group, steps) in draft.groups() {
        for (name, step) in steps {
            if PURE.contains(&step.kind.as_str()) && !used.contains(name.as_str()) && !whole("steps") {
                let message = format!("the result of step \"{name}\" is never used");
                problems.push(Problem::new("W_UNUSED", format!("/{group}/{name}"), message));
            }
        }
    }
    for name in draft.params.keys() {
        let is_used = |reference: &&crate::workflow::expr::Reference| matches!(reference.path.as_slice(), [root, param, ..] if root == "params" && param == name);
        if !whole("params") && !references().any(|reference| is_used(&reference)) {
            let message = format!("parameter \"{name}\" is never used");
            problems.push(Problem::new("W_UNUSED", format!("/params/{name}"), message));
        }
    }
}
