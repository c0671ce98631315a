//! Tasks of tasks: a `workflow` step's work is a task of its own, which ends the step when it ends.

use std::time::Duration;

use serde_json::json;

use super::{
    Queue, Work,
    after::After,
    finish::requeue,
    holds,
    new::{self, NewRun},
    onward::definition,
    retry, step_event,
};
use crate::{
    domain::{StepState, Task, TaskStatus},
    error::{Code, Error, Report, Result},
    store::{StepRow, Tx},
    workflow::validate::NESTING,
};

/// How long a step waits for a task that is still stopping before it tries it again.
const STOPPING: Duration = Duration::from_secs(1);

impl Queue {
    /// Makes a task for a `workflow` step, which then waits for its end. The same step has one task, however often it is
    /// tried: a task of it that has failed is tried again from the steps that did not succeed.
    pub(super) async fn call(
        &self,
        tx: &Tx,
        task: &Task,
        work: &Work,
        (run, input): (&NewRun, Option<&str>),
        after: &mut After,
    ) -> Result<bool> {
        tx.must_be_alone()?;
        let row = &work.row;
        let child = tx.child_of(&row.step.id).await?;
        if let Some(child) = &child
            && matches!(child.status, TaskStatus::Failed | TaskStatus::Cancelled)
            && tx.steps_of(child.id).await?.iter().any(|row| row.step.state == StepState::Running)
        {
            return requeue(tx, work, STOPPING, true, None).await;
        }
        if child.is_none()
            && let Err(error) = check_nesting(tx, task).await?
        {
            let report = error.report();
            tx.end_step(&work.fence, StepState::Failed, &report).await?;
            return self.failed_for_good(tx, task, row, &report, after).await.map(|()| true);
        }
        tx.park_step(&work.fence, None, input).await?;
        step_event(tx, row, StepState::Waiting, None);
        match child {
            None => {
                let mut run = run.clone();
                run.task.parent_step = Some(row.step.id.clone());
                run.task.owner = task.owner;
                new::write(tx, run).await?;
                after.anything();
            }
            Some(child) if child.status == TaskStatus::Completed => {
                Box::pin(self.child_ended(tx, &child, after)).await?;
            }
            Some(child) if child.status.is_final() => Box::pin(self.reopen(tx, &child, after)).await?,
            Some(_) => {}
        }
        Ok(true)
    }

    /// Ends the step whose work a task was that has ended.
    pub(super) async fn child_ended(&self, tx: &Tx, child: &Task, after: &mut After) -> Result<()> {
        let Some(parent) = &child.parent_step else { return Ok(()) };
        tx.must_be_alone()?;
        let Some(row) = tx.step(parent).await?.filter(|row| row.step.state == StepState::Waiting) else {
            return Ok(());
        };
        let Some(task) = tx.lock_task(row.step.task_id).await? else { return Ok(()) };
        if child.status == TaskStatus::Completed {
            let output = json!({ "task_id": child.id, "status": child.status, "output": child.result });
            tx.end_waiting(parent, Ok(&output)).await?;
            holds::hold_named(tx, task.id, &output).await?;
            step_event(tx, &row, StepState::Succeeded, None);
            return self.onward(tx, &task, &row, after).await;
        }
        let error = failure(child);
        let report = Report { attempts: Vec::new(), ..error.report() };
        let again = retry::next_try(&row, &error).filter(|wait| retry::is_in_time(&task, &row, tx.now(), *wait));
        if let Some(wait) = again {
            tx.requeue_waiting(parent, i64::try_from(wait.as_millis()).unwrap_or(i64::MAX), &report).await?;
            step_event(tx, &row, StepState::Ready, Some(&report));
            return Ok(());
        }
        tx.end_waiting(parent, Err(&report)).await?;
        self.failed_for_good(tx, &task, &row, &report, after).await
    }

    /// Cancels the tasks that are the work of these steps, and theirs.
    pub(super) async fn stop_children(&self, tx: &Tx, steps: &[String], after: &mut After) -> Result<()> {
        if steps.is_empty() {
            return Ok(());
        }
        tx.must_be_alone()?;
        for child in tx.children_of(steps).await?.into_iter().filter(|child| !child.status.is_final()) {
            Box::pin(self.end_task(tx, &child, TaskStatus::Cancelled, None, None, after)).await?;
        }
        Ok(())
    }

    /// Lets tasks of a workflow begin that were held back, as far as others have ended.
    pub(super) async fn let_held_begin(&self, tx: &Tx, workflow: &str, after: &mut After) -> Result<()> {
        while let Some(held) = tx.oldest_held(workflow).await? {
            tx.must_be_alone()?;
            let most = definition(tx, &held).await.ok().and_then(|definition| definition.max_active_runs);
            if new::is_enough(tx, workflow, most).await? {
                return Ok(());
            }
            tx.set_held(held.id, false).await?;
            self.go_on(tx, held.id, after).await?;
        }
        Ok(())
    }
}

/// Whether a step of `task` may run another task: not too deep. One that runs its own workflow ends here, too, when its
/// conditions do not end it.
async fn check_nesting(tx: &Tx, task: &Task) -> Result<Result<()>> {
    let mut above = 1;
    let mut at = task.clone();
    while let Some(parent) = parent_of(tx, &at).await? {
        (at, above) = (parent, above + 1);
    }
    if above >= NESTING {
        let detail = format!("Tasks of tasks are nested more than {NESTING} deep");
        return Ok(Err(Error::new(Code::InvalidWorkflow, detail)));
    }
    Ok(Ok(()))
}

async fn parent_of(tx: &Tx, task: &Task) -> Result<Option<Task>> {
    let Some(step) = &task.parent_step else { return Ok(None) };
    match tx.step(step).await? {
        Some(StepRow { step, .. }) => tx.lock_task(step.task_id).await,
        None => Ok(None),
    }
}

/// Why a step has failed whose task did.
fn failure(child: &Task) -> Error {
    let (id, workflow) = (child.id, &child.workflow);
    match &child.error {
        Some(error) => {
            let detail = format!("Task {id} (\"{workflow}\") failed: {}", error.detail);
            Error::new(Code::from_word(&error.code), detail).with_hint(error.hint.clone())
        }
        None => Error::new(Code::Cancelled, format!("Task {id} (\"{workflow}\") was cancelled")),
    }
}
