//! Whether a step is tried again, and when.

use std::time::Duration;

use crate::{
    domain::Task,
    error::Error,
    store::StepRow,
    workflow::{Retry, Rule},
};

/// How long a step that failed with this error waits for its next try; none when there is no other.
pub(super) fn next_try(row: &StepRow, error: &Error) -> Option<Duration> {
    if error.for_good {
        return None;
    }
    let retry: Retry = serde_json::from_value(row.retry.clone()).unwrap_or_default();
    retry.wait(row.step.attempt, error.code.class(), error.retry_after, rand::random())
}

/// Whether a try after `wait` begins before every deadline that holds for the row. The steps of `on_error` run after
/// their task's.
pub(super) fn is_in_time(task: &Task, row: &StepRow, now: i64, wait: Duration) -> bool {
    let at = now.saturating_add(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX));
    deadline(task, row).is_none_or(|deadline| at < deadline)
}

/// Whether the row's task is late, which fails it whatever the row's own rule says.
pub(super) fn is_late(task: &Task, row: &StepRow, now: i64) -> bool {
    of_task(task, row).is_some_and(|deadline| deadline <= now)
}

/// When all tries at a row must be over, in milliseconds since 1970.
pub fn deadline(task: &Task, row: &StepRow) -> Option<i64> {
    row.deadline_at.into_iter().chain(of_task(task, row)).min()
}

fn of_task(task: &Task, row: &StepRow) -> Option<i64> {
    let handler = Rule::read(&row.rule).handler;
    task.deadline_at.filter(|_| !handler).map(|at| at.timestamp_millis())
}
