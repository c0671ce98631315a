//! Whether what expressions refer to is there, and may be referred to from where they stand.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Problem, World, calls,
    draft::Draft,
    places::{Owner, Place, Spot},
    shown,
};
use crate::{
    domain::options::nearest,
    workflow::{
        definition::{Foreach, OnItemError, StepDef},
        expr::Reference,
        kinds,
    },
};

/// What a step has beside its output.
const OF_STEP: [&str; 3] = ["output", "status", "error"];
/// What a task has.
const OF_TASK: [&str; 5] = ["id", "workflow", "revision", "started_at", "error"];
/// The names that mean something everywhere.
pub(super) const ROOTS: [&str; 6] = ["params", "steps", "task", "secrets", "event", "index"];
/// The fields that an item of a list brings, whatever its kind.
const COLLECTED: [&str; 2] = ["ok", "failed"];

/// By workflow: the parameters that decide there where something is sent.
type Addresses = BTreeMap<String, BTreeSet<String>>;

/// Checks every reference.
pub(super) fn check(draft: &Draft, places: &[Place<'_>], world: &World, problems: &mut Vec<Problem>) {
    let addresses = calls::addresses(draft, world);
    for place in places {
        for reference in &place.references {
            let problem = check_one(draft, place, reference, &addresses);
            problems.extend(problem.map(|problem| Problem { pointer: place.pointer.clone(), ..problem }));
        }
    }
}

fn check_one(draft: &Draft, place: &Place<'_>, reference: &Reference, addresses: &Addresses) -> Option<Problem> {
    let parts: Vec<&str> = reference.path.iter().map(String::as_str).collect();
    let owner = place.owner;
    let handler = owner.is_some_and(|owner| owner.handler);
    if let Spot::Trigger(is_event) = place.spot {
        return match parts.as_slice() {
            // What the task before was given by whoever made it may be handed on.
            ["event", rest @ ..] if is_event && !rest.starts_with(&["task", "params"]) => {
                let name = address(place.pointer.split("/params/").nth(1));
                name.map(|name| tainted(&format!("params.{}", shown(name)), "event.*")).or_else(|| event(rest))
            }
            ["event", rest @ ..] if is_event => event(rest),
            ["secrets", ..] => Some(secret("params")),
            _ if is_event => Some(no(&parts, "is not known when an event comes; event.* is")),
            _ => Some(no(&parts, "is not known at the time of a time table")),
        };
    }
    match parts.as_slice() {
        ["params"] | ["steps"] | ["task"] => None,
        ["params", name, ..] if draft.params.contains_key(*name) => None,
        ["params", name, ..] => {
            let meant = nearest(name, draft.params.keys().map(String::as_str));
            let message = format!("params.{} is not declared", shown(name));
            Some(Problem::new("E_PARAM", "", message).or(meant))
        }
        ["task", "error", ..] if !handler => Some(no(&["task", "error"], "is known in on_error only")),
        ["task", field, ..] if OF_TASK.contains(field) => None,
        ["task", field, ..] => {
            let message = format!("task has no \"{}\"; fields: {}", shown(field), OF_TASK.join(", "));
            Some(Problem::new("E_REF", "", message))
        }
        ["steps", name, rest @ ..] => step(draft, handler, name, rest),
        ["secrets", ..] => secrets(place, &parts),
        ["event", ..] => Some(no(&parts, "is known in the triggers of events only")),
        [root, ..] if is_item(owner, root) => match place.spot {
            Spot::With(_) => None,
            _ => Some(no(&[root], "is known in \"with\" only")),
        },
        ["index", ..] => Some(no(&parts, "is known in steps with \"foreach\" only")),
        [root, ..] => {
            let own = owner.and_then(|owner| owner.step.foreach.as_ref()).map(|list| list.name.as_str());
            let known = ROOTS.iter().copied().chain(own);
            let message = format!("\"{}\" is none of params, steps, task", shown(root));
            Some(Problem::new("E_REF", "", message).or(nearest(root, known)))
        }
        [] => None,
    }
    .or_else(|| taint(place, &parts, addresses))
}

/// What an event has, and what that has in turn; nothing where it is a value.
const OF_EVENT: [(&str, &[&str]); 5] = [
    ("type", &[]),
    ("time", &[]),
    ("task", &["id", "workflow", "revision", "link", "params", "status", "error"]),
    (
        "media",
        &[
            "id",
            "platform",
            "platform_id",
            "page_url",
            "title",
            "author",
            "duration_ms",
            "published_at",
            "size",
            "sha256",
            "content_type",
            "created_at",
        ],
    ),
    ("transcript", &["id", "language", "duration", "model", "text"]),
];

/// Checks what is asked of an event.
fn event(parts: &[&str]) -> Option<Problem> {
    let part = *parts.first()?;
    let Some((_, fields)) = OF_EVENT.iter().find(|(name, _)| *name == part) else {
        let message =
            format!("event has no \"{}\"; fields: {}", shown(part), OF_EVENT.map(|(name, _)| name).join(", "));
        return Some(Problem::new("E_REF", "", message).or(nearest(part, OF_EVENT.map(|(name, _)| name))));
    };
    let field = parts.get(1).filter(|field| !fields.is_empty() && !fields.contains(field))?;
    let message = format!("event.{part} has no \"{}\"; fields: {}", shown(field), fields.join(", "));
    Some(Problem::new("E_REF", "", message).or(nearest(field, fields.iter().copied())))
}

fn no(parts: &[&str], why: &str) -> Problem {
    Problem::new("E_REF", "", format!("{} {why}", shown(&parts.join("."))))
}

/// Whether a name is that of an item, or its place in the list, in the step's own expressions.
fn is_item(owner: Option<Owner<'_>>, root: &str) -> bool {
    let list = owner.and_then(|owner| owner.step.foreach.as_ref());
    list.is_some_and(|list| list.name == root || root == "index")
}

fn step(draft: &Draft, handler: bool, name: &str, rest: &[&str]) -> Option<Problem> {
    let found = draft.steps.get(name).or_else(|| draft.on_error.get(name).filter(|_| handler));
    let Some(step) = found else { return Some(no_step(draft, handler, name)) };
    match rest {
        [] | ["status" | "error", ..] => None,
        ["output", rest @ ..] => output(name, step, rest),
        [field, ..] => {
            let message = format!("steps.{name} has {}, not \"{}\"", OF_STEP.join(", "), shown(field));
            Some(Problem::new("E_REF", "", message).or(nearest(field, OF_STEP)))
        }
    }
}

/// The problem of a name that is no step's.
pub(super) fn no_step(draft: &Draft, handler: bool, name: &str) -> Problem {
    if !handler && draft.on_error.contains_key(name) {
        return Problem::new("E_REF", "", format!("step \"{name}\" runs on errors only: nothing else can wait for it"));
    }
    let more = draft.on_error.keys().filter(|_| handler);
    let meant = nearest(name, draft.steps.keys().chain(more).map(String::as_str));
    Problem::new("E_REF", "", format!("no step \"{}\"", shown(name))).or(meant)
}

fn output(name: &str, step: &StepDef, rest: &[&str]) -> Option<Problem> {
    let field = rest.first()?;
    let (whose, known): (String, Vec<&str>) = match &step.foreach {
        Some(Foreach { on_item_error: OnItemError::Collect, .. }) => {
            (format!("the list of {name}"), COLLECTED.to_vec())
        }
        Some(_) if field.bytes().all(|byte| byte.is_ascii_digit()) => return None,
        Some(_) => {
            let message =
                format!("{name} has a list of outputs, without \"{}\"; take one like output[0]", shown(field));
            return Some(Problem::new("E_REF_FIELD", "", message));
        }
        None => (step.kind.clone(), kinds::of(&step.kind)?.outputs.iter().map(String::as_str).collect()),
    };
    if known.is_empty() || known.contains(field) {
        return None;
    }
    let message = format!("{whose} has no output \"{}\"; fields: {}", shown(field), known.join(", "));
    let problem = Problem::new("E_REF_FIELD", "", message);
    Some(match nearest(field, known) {
        Some(meant) => problem.better(meant),
        None => problem,
    })
}

fn secret(field: &str) -> Problem {
    Problem::new("E_SECRET_SCOPE", "", format!("secrets.* is not allowed in \"{}\"", shown(field)))
}

fn secrets(place: &Place<'_>, parts: &[&str]) -> Option<Problem> {
    let (Spot::With(field), Some(owner)) = (place.spot, place.owner) else {
        return Some(secret(match place.spot {
            Spot::When => "when",
            Spot::List => "foreach",
            Spot::With(field) => field,
            Spot::Output | Spot::Trigger(_) => "output",
        }));
    };
    let kind = kinds::of(&owner.step.kind)?;
    // A program may be told any secret that is bound to it.
    if kind.word != kinds::EXEC && !kind.secrets.contains(&field) {
        return Some(secret(field));
    }
    let is_name = |name: &str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
    match parts {
        ["secrets", name] if is_name(name) => None,
        _ => Some(Problem::new("E_SECRET_SCOPE", "", "write a secret as ${secrets.NAME}")),
    }
}

/// What was made by a step, and with it what a stranger has said, must not say where something is sent.
fn taint(place: &Place<'_>, parts: &[&str], addresses: &Addresses) -> Option<Problem> {
    let (Spot::With(field), Some(owner)) = (place.spot, place.owner) else { return None };
    let kind = kinds::of(&owner.step.kind)?;
    let told = told(&owner, field, &place.pointer, addresses);
    if told.is_none() && !kind.ours.contains(&field) {
        return None;
    }
    let made = match parts.first()? {
        &"steps" => true,
        root => {
            is_item(place.owner, root) && owner.step.foreach.as_ref().is_some_and(|list| list.list.contains("steps"))
        }
    };
    let host_is_ours = field == "url" && has_host(&place.before);
    let what = || match told {
        Some(name) => format!("{}.params.{}", kind.word, shown(name)),
        None => format!("{}.{field}", kind.word),
    };
    (made && !host_is_ours).then(|| tainted(&what(), "steps.*"))
}

/// The parameter of another workflow that is an address: by what that one does with it where it is known, and by its name
/// where it is not.
fn told<'a>(owner: &Owner<'_>, field: &str, pointer: &'a str, addresses: &Addresses) -> Option<&'a str> {
    if owner.step.kind != "workflow" || field != "params" {
        return None;
    }
    let below = pointer.split("/with/params/").nth(1);
    let name = below?.split('/').next()?;
    let known = owner.step.with.get("name").and_then(|callee| addresses.get(callee.as_str()?));
    address(below).or_else(|| known.is_some_and(|names| names.contains(name)).then_some(name))
}

/// The name of a parameter that is an address by its name; `below` is where something stands in the parameters.
fn address(below: Option<&str>) -> Option<&str> {
    let name = below?.split('/').next()?;
    ["callback_url", "callback-url"].iter().any(|end| name.ends_with(end)).then_some(name)
}

fn tainted(what: &str, whence: &str) -> Problem {
    Problem::new("E_TAINT", "", format!("{what} may not come from {whence}"))
}

/// Whether a text begins with an address whose host is written out, so that what follows only names something there.
pub(super) fn has_host(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let end = rest.find(['/', '?', '#', '\\', '@']);
    end.is_some_and(|at| at > 0 && !rest[at..].starts_with(['\\', '@']))
}
