//! One step: its input is put together, its work is done, and the end is written down.

use std::{collections::HashMap, future::Future, panic::AssertUnwindSafe, time::Duration};

use futures_util::FutureExt;
use serde_json::{Map, Value};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::{
    domain::{Task, TaskId, TranscriptId},
    error::{Code, Error, Result},
    queue::{Work, scope},
    steps::{self, Job, Outcome, Reporter},
    store::StepRow,
    workflow::template,
};

/// How often progress is written down at most.
const REPORT_EVERY: Duration = Duration::from_millis(500);
/// What a step tells within this time is written down together.
const GATHER: Duration = Duration::from_millis(100);
/// How long a step may take to stop when its time is up.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often a step that found the disk full looks again.
const DISK_POLL: Duration = Duration::from_secs(30);
/// How long the end of a step is tried to be written down when the database does not take it.
const SETTLE_TRIES: u32 = 6;

impl Runner {
    /// Does a claimed step from its start to its end. Never fails: what goes wrong is written to the step or logged.
    /// `leave` is told when the step needs its place no longer.
    pub(super) async fn execute(&self, work: &Work, cancel: CancellationToken, leave: &Notify) {
        let step = &work.row.step;
        tracing::debug!(task = %step.task_id, step = step.key, attempt = step.attempt, "step started");
        let result = match AssertUnwindSafe(self.attempt(work, &cancel, leave)).catch_unwind().await {
            Ok(result) => result,
            Err(_) => Err(Error::new(Code::Internal, "The step's code has a bug and gave up")),
        };
        let stopped = cancel.is_cancelled();
        self.settle(work, result, stopped).await;
        self.running.remove(&work.fence);
        self.tidy(work.row.step.task_id).await;
    }

    /// Writes the end down, again and again if the database does not take it at once.
    async fn settle(&self, work: &Work, result: Result<Outcome>, stopped: bool) {
        let queue = &self.services.queue;
        let step = &work.row.step;
        let written = match result {
            Ok(Outcome::Done(done)) => {
                let (output, transcript, delivery) = (done.output, done.transcript, done.delivery);
                self.insist(|| {
                    let (output, transcript, delivery) = (output.clone(), transcript.clone(), delivery.clone());
                    queue.succeed(work, crate::queue::Done { output, transcript, delivery })
                })
                .await
            }
            Ok(Outcome::Wait { why, wait }) => self.insist(|| queue.postpone(work, &why, wait)).await,
            Err(_) if stopped => self.insist(|| queue.release(work)).await,
            // Nothing is wrong with the task: it goes on when somebody has made room.
            Err(error) if error.code == Code::InsufficientStorage => {
                tracing::warn!(task = %step.task_id, step = step.key, error = %error.chain(), "the disk is full; the step waits");
                let why = error.report();
                self.insist(|| queue.postpone(work, &why, DISK_POLL)).await
            }
            Err(error) => {
                tracing::warn!(
                    task = %step.task_id, step = step.key, attempt = step.attempt, code = error.code.as_str(),
                    error = %error.chain(), "step failed"
                );
                self.insist(|| queue.fail(work, &error)).await
            }
        };
        match written {
            Ok(true) => {}
            Ok(false) => tracing::info!(task = %step.task_id, step = step.key, "the step was no longer ours"),
            Err(error) => {
                tracing::error!(task = %step.task_id, step = step.key, error = %error.chain(), "a step's end is lost; it runs again");
            }
        }
    }

    async fn insist<F: Future<Output = Result<bool>>>(&self, write: impl Fn() -> F) -> Result<bool> {
        let mut wait = Duration::from_millis(100);
        for _ in 1..SETTLE_TRIES {
            match write().await {
                Err(error) if error.code == Code::Database => {
                    tracing::warn!(error = %error.chain(), "the database did not take a step's end");
                    sleep(wait).await;
                    wait *= 3;
                }
                written => return written,
            }
        }
        write().await
    }

    async fn attempt(&self, work: &Work, cancel: &CancellationToken, leave: &Notify) -> Result<Outcome> {
        if cancel.is_cancelled() {
            return Err(Error::new(Code::Cancelled, "The step was stopped before it began"));
        }
        let store = self.services.queue.store();
        let gone = || Error::new(Code::Cancelled, "The task is gone");
        let task = store.task(work.row.step.task_id).await?.ok_or_else(gone)?;
        if task.status.is_final() {
            // It was cancelled after the claim and before anybody could be told to stop.
            return Err(Error::new(Code::Cancelled, "The task has ended"));
        }
        let steps = store.steps_of(task.id).await?;
        let input = self.input(work, &task, &steps).await?;
        let reporter = Reporter::default();
        let services = &self.services;
        let stop = cancel.child_token();
        let (task, steps, reporter) = (&task, steps.as_slice(), &reporter);
        let job = Job { services, work, task, steps, input, reporter, leave, cancel: &stop };
        let run = within_time(work, steps::run(&job), &stop);
        reported(run, reporter, |is_end| self.tell(work, reporter, is_end)).await
    }

    async fn tell(&self, work: &Work, reporter: &Reporter, is_end: bool) {
        let Some((fraction, segments)) = reporter.take() else { return };
        // How far a step is that has ended is told by its end.
        if is_end && segments.is_empty() {
            return;
        }
        if let Err(error) = self.services.queue.report(work, fraction, &segments).await {
            tracing::warn!(error = %error.chain(), "progress cannot be written down");
        }
    }

    async fn input(&self, work: &Work, task: &Task, steps: &[StepRow]) -> Result<Map<String, Value>> {
        let mut transcripts = HashMap::new();
        for id in self.transcripts_used(work, steps) {
            if let Some(transcript) = self.services.queue.store().transcript(id).await? {
                transcripts.insert(id, transcript);
            }
        }
        let scope = scope::build(task, steps, &transcripts);
        match template::fill(&Value::Object(work.row.with.clone()), &scope)? {
            Value::Object(input) => Ok(input),
            _ => Err(Error::new(Code::Internal, "A step's input is not an object")),
        }
    }

    /// The transcripts of the steps that this one refers to; usually none, and they can be large.
    fn transcripts_used(&self, work: &Work, steps: &[StepRow]) -> Vec<TranscriptId> {
        let needed: Vec<StepRow> = steps.iter().filter(|row| work.row.needs.contains(&row.step.key)).cloned().collect();
        scope::transcript_ids(&needed)
    }

    /// Removes a task's working folder once the task has ended or is gone.
    pub(super) async fn tidy(&self, id: TaskId) {
        let ended = match self.services.queue.store().task(id).await {
            Ok(task) => task.is_none_or(|task| task.status.is_final()),
            Err(_) => false,
        };
        if ended && let Err(error) = self.services.files.remove_task_dir(id).await {
            tracing::warn!(task = %id, error = %error.chain(), "a working folder cannot be removed; the sweep will");
        }
    }
}

/// Does the work and, beside it, has what it reports written down: now and then, and once more at its end.
///
/// The work goes on while something is written down. It may hold the only connection that can write, and would never let
/// go of it if it stood still meanwhile.
async fn reported<T, F: Future<Output = ()>>(
    run: impl Future<Output = T>,
    reporter: &Reporter,
    tell: impl Fn(bool) -> F,
) -> T {
    let ended = CancellationToken::new();
    let working = async {
        let result = run.await;
        ended.cancel();
        result
    };
    let telling = async {
        while ended.run_until_cancelled(reporter.changed()).await.is_some() {
            if ended.run_until_cancelled(sleep(GATHER)).await.is_none() {
                break;
            }
            tell(false).await;
            ended.run_until_cancelled(sleep(REPORT_EVERY - GATHER)).await;
        }
        tell(true).await;
    };
    tokio::join!(working, telling).0
}

/// Lets the work go on for the step's timeout. When that is over it is told to stop and given a moment to do so.
async fn within_time(
    work: &Work,
    run: impl Future<Output = Result<Outcome>>,
    stop: &CancellationToken,
) -> Result<Outcome> {
    let Some(limit) = work.row.timeout_ms.and_then(|ms| u64::try_from(ms).ok()) else { return run.await };
    let limit = Duration::from_millis(limit);
    tokio::pin!(run);
    tokio::select! {
        result = &mut run => return result,
        () = sleep(limit) => stop.cancel(),
    }
    if timeout(STOP_WITHIN, run).await.is_err() {
        tracing::warn!(step = work.row.step.key, "the step did not stop when its time was up; it is dropped");
    }
    let key = &work.row.step.key;
    Err(Error::new(Code::StepTimeout, format!("Step \"{key}\" did not end within {} s", limit.as_secs())))
}

#[cfg(test)]
mod tests {
    use tokio::sync::{Mutex, oneshot};

    use super::*;

    #[tokio::test]
    async fn work_goes_on_while_its_progress_is_written_down() {
        let (reporter, writer, telling) = (Reporter::default(), Mutex::new(()), Notify::new());
        let told = std::sync::Mutex::new(Vec::new());
        let run = async {
            // As a step that writes a row just when its progress is to be written, too.
            let held = writer.lock().await;
            reporter.progress(0.1);
            telling.notified().await;
            drop(held);
            reporter.progress(0.2);
            "done"
        };
        let tell = |_| async {
            telling.notify_one();
            let _held = writer.lock().await;
            told.lock().unwrap().extend(reporter.take().map(|(fraction, _)| fraction));
        };
        let result = timeout(Duration::from_secs(60), reported(run, &reporter, tell)).await;
        assert_eq!(result, Ok("done"), "the step and its report wait for each other");
        assert_eq!(told.lock().unwrap().last(), Some(&0.2));
    }

    #[tokio::test]
    async fn what_is_reported_last_is_told_before_the_end() {
        let (reporter, (sender, receiver)) = (Reporter::default(), oneshot::channel::<()>());
        let told = std::sync::Mutex::new(Vec::new());
        let run = async {
            let _ = receiver.await;
            reporter.progress(1.0);
        };
        let tell = |_| async { told.lock().unwrap().extend(reporter.take().map(|(fraction, _)| fraction)) };
        tokio::join!(reported(run, &reporter, tell), async { sender.send(()) }).1.unwrap();
        assert_eq!(*told.lock().unwrap(), [1.0]);
    }
}
