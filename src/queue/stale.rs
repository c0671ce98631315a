//! Steps that succeeded and whose result is of no use for another try of their task.
//!
//! Addresses of media hold for minutes only, so what a download used is asked for anew. A file that ends too early, or
//! that is gone, is downloaded anew, whether it is a step's own or that of one item of a list. Items look after their own
//! links, so no list of links is asked for anew.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde_json::{Value, json};

use super::scope::{self, Sight};
use crate::{
    domain::{MediaId, StepKind, StepState, Task, media::named_in},
    error::{Code, Result},
    store::{StepRow, Tx},
    workflow::{Rule, template},
};

/// What is done anew.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Stale {
    /// The keys of steps.
    pub steps: Vec<String>,
    /// Of lists among them, the places of the items; the others stay.
    pub items: BTreeMap<String, Vec<i64>>,
}

/// What is done anew of a task that is tried again. `rows` are its rows with the items of its lists.
pub(super) async fn of(tx: &Tx, task: &Task, rows: &[StepRow]) -> Result<Stale> {
    let unreadable = unreadable_media(tx, task, rows).await?;
    let mut stale = Stale::default();
    let mut downloads: Vec<&StepRow> = Vec::new();
    for row in rows.iter().filter(|row| row.step.kind == StepKind::Download && !is_list(row)) {
        let has_fetched = || media_of(row).is_some_and(|media| unreadable.contains(&media));
        let is_stale = row.step.state == StepState::Succeeded && has_fetched();
        match (&row.list, row.item_index) {
            (Some(list), Some(place)) if is_stale => stale.items.entry(list.clone()).or_default().push(place),
            (None, _) => {
                if is_stale {
                    stale.steps.push(row.step.key.clone());
                }
                if is_stale || row.step.state != StepState::Succeeded {
                    downloads.push(row);
                }
            }
            _ => {}
        }
    }
    stale.steps.extend(stale.items.keys().cloned());
    let is_used = |row: &&StepRow| downloads.iter().any(|download| download.needs.contains(&row.step.key));
    let resolved = rows.iter().filter(|row| row.step.kind == StepKind::Resolve && row.list.is_none() && !is_list(row));
    stale.steps.extend(resolved.filter(is_used).map(|row| row.step.key.clone()));
    Ok(stale)
}

/// The media whose files steps that are tried again could not read to their end, or did not find.
async fn unreadable_media(tx: &Tx, task: &Task, rows: &[StepRow]) -> Result<HashSet<MediaId>> {
    let has_succeeded = |row: &&StepRow| row.step.state == StepState::Succeeded;
    let done: BTreeSet<&str> = rows.iter().filter(has_succeeded).map(|row| row.step.key.as_str()).collect();
    let codes = [Code::Truncated.as_str(), Code::NotFound.as_str()];
    let mut found = HashSet::new();
    for row in rows {
        let reads = matches!(row.step.kind, StepKind::Extract | StepKind::Transcribe) && !is_list(row);
        let is_again = row.list.as_deref().is_none_or(|list| !done.contains(list));
        if reads && is_again && row.step.error.as_ref().is_some_and(|error| codes.contains(&error.code.as_str())) {
            found.extend(given(tx, task, row).await?);
        }
    }
    Ok(found)
}

/// The media that a step was given; none when that cannot be told any more.
async fn given(tx: &Tx, task: &Task, row: &StepRow) -> Result<BTreeSet<MediaId>> {
    let wanted = json!({ "media": row.with.get("media") });
    let steps = tx.steps_named(task.id, &Sight::of(&wanted, &[]).steps()).await?;
    let mut scope = scope::build(task, &steps, &HashMap::new());
    scope::add_item(&mut scope, row);
    Ok(template::fill(&wanted, &scope).map(|given| named_in(&given)).unwrap_or_default())
}

/// The media whose file a download has made.
fn media_of(row: &StepRow) -> Option<MediaId> {
    row.step.output.as_ref()?.get("media_id").and_then(Value::as_i64).map(MediaId)
}

/// Whether a row stands for a list, and its items do the work.
fn is_list(row: &StepRow) -> bool {
    row.list.is_none() && Rule::read(&row.rule).foreach.is_some()
}
