//! `workflow`: another workflow, as a task of its own. The step waits for the task's end and takes its result.
//!
//! Input `{name, version?, params?, options?}`; output `{task_id, status, output}`, `output` being the task's result. The task has
//! the priority of the one it belongs to and sends no callback; it is cancelled and deleted with it.

use super::{Job, Outcome, owned};
use crate::{error::Result, intake::Submission, workflow::kinds::workflow::With};

pub(super) async fn run(job: &Job<'_>) -> Result<Outcome> {
    let with: With = job.input()?;
    let submission = Submission {
        workflow: with.name,
        revision: with.version,
        params: with.params,
        options: with.options,
        priority: Some(job.task.priority),
        // What the task may not name, its child may not name either.
        caller: owned::caller(job).await?,
        ..Submission::default()
    };
    let run = job.services.intake.check(submission).await?;
    Ok(Outcome::Task(Box::new(run)))
}
