//! Which workflows stand behind a task: what an event has started does not start the same workflow again.

use std::collections::HashSet;

use crate::{domain::TaskId, error::Result, store::Store};

/// A longer chain of tasks is taken for a circle.
const LONGEST: usize = 64;

/// The workflows that events have started on the way to a task; none when the way is too long to be told.
pub(super) async fn behind(store: &Store, task: TaskId) -> Result<Option<HashSet<String>>> {
    let (mut workflows, mut at) = (HashSet::new(), task);
    for _ in 0..LONGEST {
        if let Some((workflow, source)) = store.event_fire_of(at).await? {
            workflows.insert(workflow);
            at = source;
            continue;
        }
        let Some(task) = store.task(at).await? else { return Ok(Some(workflows)) };
        let parent = match &task.parent_step {
            Some(step) => store.task_of_step(step).await?,
            None => None,
        };
        match parent.or(task.rerun_of) {
            Some(before) => at = before,
            None => return Ok(Some(workflows)),
        }
    }
    Ok(None)
}
