//! What is late: found again and again, because nobody works on what waits.

use super::{Queue, after::After, finish::is_over};
use crate::{
    domain::Span,
    error::{Code, Error, Report, Result},
    workflow::Rule,
};

impl Queue {
    /// Fails the tasks and the waiting steps whose deadline is over; how many. Running steps end themselves.
    pub async fn fail_overdue(&self) -> Result<usize> {
        let (tasks, steps) = (self.store.overdue_tasks().await?, self.store.overdue_steps().await?);
        let found = tasks.len() + steps.len();
        if found == 0 {
            return Ok(0);
        }
        let tx = self.store.begin().await?;
        let mut after = After::default();
        for id in tasks {
            // It may have ended since.
            let late = tx.lock_task(id).await?.filter(|task| !task.status.is_final() && task.error.is_none());
            if let Some(task) = late {
                self.fail_task(&tx, &task, &late_task(), &mut after).await?;
            }
        }
        for id in steps {
            let Some(row) = tx.step(&id).await? else { continue };
            let Some(task) = tx.lock_task(row.step.task_id).await?.filter(|task| !is_over(task, &row)) else {
                continue;
            };
            let report = late_step(&row.step.key, Rule::read(&row.rule).deadline).report();
            if tx.fail_idle(&id, &report).await? {
                self.stop_below(&tx, &row, &mut after).await?;
                self.failed_for_good(&tx, &task, &row, &report, &mut after).await?;
            }
        }
        tx.commit().await?;
        self.announce(after);
        Ok(found)
    }
}

/// Why a task has failed that took too long.
pub(super) fn late_task() -> Report {
    Error::new(Code::Deadline, "The task has not ended within its deadline").report()
}

/// Why a step has failed that took too long over all its tries.
pub fn late_step(key: &str, deadline: Option<Span>) -> Error {
    let within = deadline.map_or_else(|| "its deadline".to_owned(), |span| span.to_string());
    Error::new(Code::Deadline, format!("Step \"{key}\" has not ended within {within}")).for_good()
}
