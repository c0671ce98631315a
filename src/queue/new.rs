//! New tasks: a task and its rows, written in the caller's transaction.

use serde_json::json;

use crate::{
    domain::{Span, StepKind, TaskId, Usage, media::named_in},
    error::Result,
    store::{ListItem, NewStep, NewTask, Tx},
    workflow::Planned,
};

/// A task that has passed every check, with its steps.
#[derive(Clone, Debug, Default)]
pub struct NewRun {
    /// The task.
    pub task: NewTask,
    /// Its steps, in an order in which they can run.
    pub planned: Vec<Planned>,
    /// How many tasks of its workflow may be at work at the same time.
    pub most: Option<u32>,
    /// The keys of the steps that may take the results of the task it repeats.
    pub reuse: Vec<String>,
}

/// Writes a task with its steps. When enough tasks of its workflow are at work it is held back, unless another task waits
/// for it: that one may be what it would wait for.
pub async fn write(tx: &Tx, run: NewRun) -> Result<TaskId> {
    let NewRun { mut task, planned, most, reuse } = run;
    task.held = task.parent_step.is_none() && is_enough(tx, &task.workflow, most).await?;
    let (level, held) = (task.priority.level(), task.held);
    let made = json!({ "workflow": task.workflow, "priority": task.priority });
    // From the start, so that they stay when the tasks that brought them here are deleted before this one needs them.
    let named = json!([task.link, task.params, planned.iter().map(|row| &row.with).collect::<Vec<_>>()]);
    let named = named_in(&named).into_iter().chain(task.media_id).collect();
    tx.add_usage(task.owner, Usage { tasks: 1, ..Usage::default() }).await?;
    let id = tx.insert_task(task).await?;
    tx.use_media(id, &named).await?;
    let rows = planned.into_iter().enumerate().map(|(position, planned)| {
        let may_reuse = reuse.contains(&planned.key);
        let row = new_step(tx, planned, position, level);
        NewStep { ready: row.ready && !held, reuse: may_reuse, ..row }
    });
    tx.insert_steps(id, rows.collect()).await?;
    tx.add_event(id, "created", made);
    tx.add_event(id, "status", json!({ "status": "queued" }));
    tracing::info!(task = %id, held, "task accepted");
    Ok(id)
}

/// Whether as many tasks of a workflow are at work as may be.
pub(super) async fn is_enough(tx: &Tx, workflow: &str, most: Option<u32>) -> Result<bool> {
    let Some(most) = most else { return Ok(false) };
    Ok(tx.active_tasks(workflow).await? >= u64::from(most))
}

/// A planned row as it is written. One that waits for nothing is ready, and its deadline counts from now.
pub(super) fn new_step(tx: &Tx, planned: Planned, position: usize, level: i64) -> NewStep {
    let ready = planned.needs.is_empty();
    let deadline_at = planned.rule.deadline.filter(|_| ready).map(|span| tx.now().saturating_add(ms(span)));
    NewStep {
        lane: planned.lane(),
        position: i32::try_from(position).unwrap_or(i32::MAX),
        retry: json!(planned.retry),
        timeout_ms: planned.timeout.map(ms),
        level,
        delay_ms: planned.rule.delay.filter(|_| ready).map_or(0, ms),
        rule: json!(planned.rule),
        reuse: false,
        ready,
        deadline_at,
        item: None,
        key: planned.key,
        kind: planned.kind,
        needs: planned.needs,
        with: planned.with,
    }
}

/// The rows that do a step's work for one item of its list.
pub(super) fn item_steps(tx: &Tx, step: &Planned, item: ListItem, position: i32, level: i64) -> Vec<NewStep> {
    let mut step = step.clone();
    step.key = format!("{}[{}]", item.list, item.index);
    // The list has waited for them, and was decided about.
    step.needs.clear();
    (step.rule.when, step.rule.delay, step.rule.deadline) = (None, None, None);
    let row = |planned: Planned| {
        let lane = planned.kind.lane();
        let row = new_step(tx, planned, 0, level);
        NewStep { lane, position, item: Some(item.clone()), ..row }
    };
    step.halves().into_iter().map(row).collect()
}

/// The kind of the first of the rows that do a step's work.
pub(super) fn first_kind(kind: StepKind) -> StepKind {
    if kind == StepKind::Transcribe { StepKind::Extract } else { kind }
}

/// A length of time in milliseconds.
pub(super) fn ms(span: Span) -> i64 {
    i64::try_from(span.0.as_millis()).unwrap_or(i64::MAX)
}
