//! How a step ends, and what follows from it: all in one transaction.

use std::{collections::HashMap, time::Duration};

use serde_json::{Value, json};

use super::{Queue, Seen, Stop, Work, outbox, progress, scope, seen, step_event};
use crate::{
    domain::{StepState, Task, TaskId, TaskStatus},
    error::{Class, Code, Error, Report, Result},
    store::{NewDelivery, NewTranscript, Tx},
    workflow::{
        Definition, Retry,
        advance::{Row, advance},
        template,
    },
};

/// What a step has made.
#[derive(Clone, Debug, Default)]
pub struct Done {
    /// Its output.
    pub output: Value,
    /// The transcript that goes with it; its id is added to the output as `transcript_id`.
    pub transcript: Option<NewTranscript>,
    /// A callback that goes out with it.
    pub delivery: Option<NewDelivery>,
    /// The posts that it shows as new, which are marked as seen with it.
    pub seen: Option<Seen>,
}

impl Queue {
    /// Ends a step well: stores what it made, readies what waited for it, ends the task when it was the last one.
    ///
    /// A task that has ended meanwhile takes nothing more: no transcript, no callback, and a try from the beginning when
    /// it is tried again.
    pub async fn succeed(&self, work: &Work, done: Done) -> Result<bool> {
        let step = &work.row.step;
        let tx = self.store.begin().await?;
        let Some(task) = tx.lock_task(step.task_id).await? else { return Ok(false) };
        if task.status.is_final() {
            return self.let_go(tx, work).await;
        }
        let mut output = done.output;
        if let Some(seen) = &done.seen {
            seen::note(&tx, seen, &mut output).await?;
        }
        if let Some(new) = &done.transcript {
            let id = tx.insert_transcript(task.id, new).await?;
            output["transcript_id"] = json!(id);
            tx.set_task_transcribed(task.id, &new.transcript.language, &new.transcript.warnings).await?;
        }
        if !tx.succeed_step(&work.fence, &output).await? {
            return Ok(false);
        }
        if let Some(delivery) = done.delivery {
            tx.insert_delivery(delivery, 0).await?;
        }
        step_event(&tx, task.id, &step.key, StepState::Succeeded, step.attempt, None).await?;
        let next = self.advance(&tx, &task).await?;
        tx.commit().await?;
        self.wake.event();
        self.wake.lanes();
        if let Some(error) = next {
            tracing::warn!(task = %task.id, error = %error.chain(), "the workflow's output cannot be made");
        }
        Ok(true)
    }

    /// Ends a try that failed: the step is tried again when its rule says so, otherwise the task fails.
    pub async fn fail(&self, work: &Work, error: &Error) -> Result<bool> {
        let step = &work.row.step;
        let tx = self.store.begin().await?;
        let Some(task) = tx.lock_task(step.task_id).await? else { return Ok(false) };
        if task.status.is_final() {
            // A task that was cancelled stays cancelled, whatever its last step comes to.
            return self.let_go(tx, work).await;
        }
        let mut report = error.report();
        let again = if error.code.class() == Class::Crash {
            let crashes = tx.count_crash(&step.id).await?;
            if crashes >= self.config.max_crashes {
                report = crash_report(crashes, &report.detail);
            }
            (crashes < self.config.max_crashes).then(|| Duration::from_secs(crashes.unsigned_abs()))
        } else {
            next_try(work, error)
        };
        let stopped = match again {
            Some(wait) => {
                let refund = error.code.class() == Class::Crash;
                if !requeue(&tx, work, wait, refund, Some(&report)).await? {
                    return Ok(false);
                }
                step_event(&tx, task.id, &step.key, StepState::Ready, step.attempt, Some(&report)).await?;
                Vec::new()
            }
            None => {
                if !tx.end_step(&work.fence, StepState::Failed, &report).await? {
                    return Ok(false);
                }
                step_event(&tx, task.id, &step.key, StepState::Failed, step.attempt, Some(&report)).await?;
                self.end_task(&tx, &task, TaskStatus::Failed, None, Some(&report)).await?
            }
        };
        tx.commit().await?;
        self.ended(task.id, stopped);
        Ok(true)
    }

    /// Whether a step that fails with this error now fails for good. One that is stopped, or waits for the disk, does not.
    pub fn is_last_try(&self, work: &Work, error: &Error) -> bool {
        match error.code.class() {
            _ if matches!(error.code, Code::Cancelled | Code::InsufficientStorage | Code::ShuttingDown) => false,
            Class::Crash => work.row.step.crashes + 1 >= self.config.max_crashes,
            _ => next_try(work, error).is_none(),
        }
    }

    /// Gives a step back because what it needs is not here; it is looked at again after `wait`. Costs no try.
    pub async fn postpone(&self, work: &Work, why: &Report, wait: Duration) -> Result<bool> {
        let step = &work.row.step;
        let tx = self.store.begin().await?;
        let Some(task) = tx.lock_task(step.task_id).await? else { return Ok(false) };
        if task.status.is_final() {
            return self.let_go(tx, work).await;
        }
        if !requeue(&tx, work, wait, true, Some(why)).await? {
            return Ok(false);
        }
        if task.waiting.as_ref() != Some(why) {
            let progress = progress::overall(&tx.steps_of(task.id).await?);
            tx.set_task_progress(task.id, progress, Some(why)).await?;
            tx.add_event(task.id, "status", json!({ "status": TaskStatus::Processing, "waiting": why })).await?;
        }
        tx.commit().await?;
        self.wake.event();
        Ok(true)
    }

    /// Lets go of a step whose work was stopped. When its task has ended, so has the step; otherwise (the process stops,
    /// or the stop was meant for an earlier try) it goes back to the queue, which costs no try.
    pub async fn release(&self, work: &Work) -> Result<bool> {
        let step = &work.row.step;
        let tx = self.store.begin().await?;
        let Some(task) = tx.lock_task(step.task_id).await? else { return Ok(false) };
        if task.status.is_final() {
            return self.let_go(tx, work).await;
        }
        if !requeue(&tx, work, Duration::ZERO, true, None).await? {
            return Ok(false);
        }
        step_event(&tx, task.id, &step.key, StepState::Ready, step.attempt, None).await?;
        tx.commit().await?;
        self.wake.event();
        self.wake.lane(step.lane);
        Ok(true)
    }

    /// Ends a running step of a task that has ended.
    async fn let_go(&self, tx: Tx, work: &Work) -> Result<bool> {
        if !end_stopped(&tx, work).await? {
            return Ok(false);
        }
        tx.commit().await?;
        self.wake.event();
        Ok(true)
    }

    /// Readies what may start; ends the task when everything is done. An output that cannot be made fails the task and
    /// is returned.
    pub(super) async fn advance(&self, tx: &Tx, task: &Task) -> Result<Option<Error>> {
        let steps = tx.steps_of(task.id).await?;
        let view: Vec<Row> = steps
            .iter()
            .map(|row| Row { key: row.step.key.clone(), state: row.step.state, needs: row.needs.clone() })
            .collect();
        let next = advance(&view);
        tx.ready_steps(task.id, &next.ready).await?;
        tx.set_task_progress(task.id, progress::overall(&steps), None).await?;
        if !next.completed {
            return Ok(None);
        }
        let mut transcripts = HashMap::new();
        for id in scope::transcript_ids(&steps) {
            if let Some(transcript) = tx.transcript(id).await? {
                transcripts.insert(id, transcript);
            }
        }
        let scope = scope::build(task, &steps, &transcripts);
        match output(tx, task, &scope).await {
            Ok(result) => self.end_task(tx, task, TaskStatus::Completed, Some(&result), None).await.map(|_| None),
            Err(error) => {
                self.end_task(tx, task, TaskStatus::Failed, None, Some(&error.report())).await?;
                Ok(Some(error))
            }
        }
    }

    /// Ends a task, stops what is left of it and writes its callback. Returns the running steps that should stop.
    pub(super) async fn end_task(
        &self,
        tx: &Tx,
        task: &Task,
        status: TaskStatus,
        result: Option<&Value>,
        error: Option<&Report>,
    ) -> Result<Vec<String>> {
        tx.end_task(task.id, status, result, error).await?;
        let stopped = tx.stop_steps(task.id).await?;
        let mut data = json!({ "status": status });
        if let Some(error) = error {
            data["error"] = json!(error);
        }
        tx.add_event(task.id, "status", data).await?;
        outbox::tell(tx, task.id).await?;
        Ok(stopped)
    }

    /// Tells everyone in this process that a task has ended, and its running steps that they should stop.
    pub(super) fn ended(&self, task: TaskId, stopped: Vec<String>) {
        self.wake.event();
        self.wake.lanes();
        self.wake.stop(Stop { task, steps: stopped });
    }

    /// Fails a step whose worker has died too often; used for steps that nobody holds any more. Returns the task's other
    /// running steps, which should stop.
    pub(super) async fn fail_crashed(&self, tx: &Tx, work: &Work, crashes: i64, task: &Task) -> Result<Vec<String>> {
        let (step, report) = (&work.row.step, crash_report(crashes, "its worker died"));
        if !tx.end_step(&work.fence, StepState::Failed, &report).await? {
            return Ok(Vec::new());
        }
        step_event(tx, task.id, &step.key, StepState::Failed, step.attempt, Some(&report)).await?;
        self.end_task(tx, task, TaskStatus::Failed, None, Some(&report)).await
    }
}

/// How long a step that failed with this error waits for its next try; none when there is no other.
fn next_try(work: &Work, error: &Error) -> Option<Duration> {
    let retry: Retry = serde_json::from_value(work.row.retry.clone()).unwrap_or_default();
    let step = &work.row.step;
    let wait = || retry.wait(step.attempt, error.code.class(), error.retry_after, rand::random());
    if error.for_good { None } else { wait() }
}

/// Gives a running step back to the queue.
pub(super) async fn requeue(tx: &Tx, work: &Work, wait: Duration, refund: bool, why: Option<&Report>) -> Result<bool> {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    tx.requeue_step(&work.fence, wait, refund, why).await
}

/// Ends a running step whose task has ended.
pub(super) async fn end_stopped(tx: &Tx, work: &Work) -> Result<bool> {
    let step = &work.row.step;
    let ended = tx.end_step(&work.fence, StepState::Cancelled, &cancelled()).await?;
    if ended {
        step_event(tx, step.task_id, &step.key, StepState::Cancelled, step.attempt, None).await?;
    }
    Ok(ended)
}

fn cancelled() -> Report {
    Error::new(Code::Cancelled, "The step was stopped").report()
}

fn crash_report(crashes: i64, last: &str) -> Report {
    Error::new(Code::Crashed, format!("The step was given up after {crashes} crashes; the last one: {last}")).report()
}

async fn output(tx: &Tx, task: &Task, scope: &Value) -> Result<Value> {
    let definition = tx.workflow_revision(&task.workflow, task.revision).await?;
    let definition: Option<Definition> = definition.and_then(|json| serde_json::from_value(json).ok());
    let definition = definition
        .ok_or_else(|| Error::new(Code::UnknownWorkflow, format!("Workflow \"{}\" is gone", task.workflow)))?;
    definition.output.map_or(Ok(Value::Null), |output| template::fill(&output, scope))
}
