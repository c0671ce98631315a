//! One step: its input is put together, its work is done, and the end is written down.

use std::{future::Future, sync::Arc, time::Duration};

use serde_json::Value;
use tokio::{
    sync::Notify,
    time::{Instant, sleep, timeout},
};
use tokio_util::sync::CancellationToken;

use super::{Runner, reuse};
use crate::{
    domain::Task,
    error::{Code, Error, Result, guarded},
    fault, metrics,
    queue::{
        End, Work,
        deadlines::late_step,
        decide::{Decision, decide},
        retry,
    },
    steps::{self, Job, Outcome, Reporter},
    store::is_away,
    workflow::{Rule, kinds},
};

/// How often progress is written down at most.
const REPORT_EVERY: Duration = Duration::from_millis(500);
/// What a step tells within this time is written down together.
const GATHER: Duration = Duration::from_millis(100);
/// How long a step may take to stop when its time is up.
const STOP_WITHIN: Duration = Duration::from_secs(10);
/// How often a step that found the disk full looks again.
const DISK_POLL: Duration = Duration::from_secs(30);
/// How long a step waits that found the database away; its end can be written when that is back.
const DATABASE_POLL: Duration = Duration::from_secs(1);
/// How often the end of a step is tried to be written down while the database takes what others write.
const SETTLE_TRIES: u32 = 6;
/// The longest wait between two of these.
const SETTLE_WAIT: Duration = Duration::from_secs(10);

impl Runner {
    /// Does a claimed step from its start to its end. Never fails: what goes wrong is written to the step or logged.
    /// `leave` is told when the step needs its place no longer.
    pub(super) async fn execute(&self, work: &Arc<Work>, cancel: CancellationToken, leave: &Notify) {
        let step = &work.row.step;
        tracing::debug!(task = %step.task_id, step = step.key, attempt = step.attempt, "step started");
        let started = Instant::now();
        let result = guarded(Box::pin(self.attempt(work, &cancel, leave))).await;
        let stopped = cancel.is_cancelled();
        metrics::step(step.kind.as_str(), outcome(&result, stopped), started.elapsed());
        let settled = guarded(Box::pin(async {
            self.settle(work, result, stopped).await;
            Ok(())
        }));
        if let Err(error) = settled.await {
            // Its lease is not renewed any more: it runs again.
            tracing::error!(task = %step.task_id, step = step.key, error = %error.chain(), "a step's end is lost");
        }
        self.running.remove(&work.fence);
        self.tidy(work.row.step.task_id).await;
    }

    /// Writes the end down, again and again if the database does not take it at once.
    async fn settle(&self, work: &Arc<Work>, result: Result<End>, stopped: bool) {
        let step = &work.row.step;
        let end = match result {
            Ok(end) => end,
            Err(_) if stopped => End::Released,
            // Nothing is wrong with the task: it goes on when somebody has made room.
            Err(error) if error.code == Code::InsufficientStorage => {
                tracing::warn!(task = %step.task_id, step = step.key, error = %error.chain(), "the disk is full; the step waits");
                let wait = if fault::is_set("disk::soon") { REPORT_EVERY } else { DISK_POLL };
                End::Wait { why: error.report(), wait }
            }
            // Nor is it the step's fault that the database was away.
            Err(error) if is_away(&error) => End::Wait { why: error.report(), wait: DATABASE_POLL },
            Err(error) => {
                tracing::warn!(
                    task = %step.task_id, step = step.key, attempt = step.attempt, code = error.code.as_str(),
                    error = %error.chain(), "step failed"
                );
                End::Failed(error)
            }
        };
        let end = Arc::new(end);
        match self.insist(|| self.ends.write(&self.services.queue, work, &end)).await {
            Ok(true) => {}
            Ok(false) => tracing::info!(task = %step.task_id, step = step.key, "the step was no longer ours"),
            Err(error) => {
                tracing::error!(task = %step.task_id, step = step.key, error = %error.chain(), "a step's end is lost; it runs again");
            }
        }
    }

    /// Writes again and again. What the database alone does not take is given up soon; while it does not answer at all, what
    /// was made is kept, because its claim may well be ours still when it is back.
    async fn insist<F: Future<Output = Result<bool>>>(&self, write: impl Fn() -> F) -> Result<bool> {
        let pulse = self.services.queue.pulse();
        let mut wait = Duration::from_millis(100);
        let mut tries = 0;
        loop {
            let begun = Instant::now();
            match write().await {
                Err(error) if error.code == Code::Database => {
                    if pulse.trouble() {
                        tracing::warn!(error = %error.chain(), "the database did not take a step's end");
                    }
                    sleep(wait).await;
                    wait = SETTLE_WAIT.min(wait * 3);
                    tries += 1;
                    if tries >= SETTLE_TRIES && pulse.has_beaten_since(begun) {
                        return Err(error);
                    }
                }
                written => return written,
            }
        }
    }

    async fn attempt(&self, work: &Arc<Work>, cancel: &CancellationToken, leave: &Notify) -> Result<End> {
        if cancel.is_cancelled() {
            return Err(Error::new(Code::Cancelled, "The step was stopped before it began"));
        }
        let queue = &self.services.queue;
        let gone = || Error::new(Code::Cancelled, "The task is gone");
        let task = queue.store().task(work.row.step.task_id).await?.ok_or_else(gone)?;
        if task.status.is_final() {
            // It was cancelled after the claim and before anybody could be told to stop.
            return Err(Error::new(Code::Cancelled, "The task has ended"));
        }
        let (scope, steps) = queue.scope(&task, &work.row).await?;
        let (input, scope) = match prepared(Arc::clone(work), scope).await? {
            (Decision::Skip, ..) => return Ok(End::Skipped),
            (Decision::Elsewhere, ..) => return Ok(End::Chosen),
            (Decision::List(items), ..) => return Ok(End::List(items)),
            (Decision::Here { chosen }, input, scope) => {
                if chosen && !queue.note_choice(work).await? {
                    return Err(Error::new(Code::Cancelled, "The step is no longer ours"));
                }
                (input, scope)
            }
        };
        queue.hold_named(task.id, &input).await?;
        let hash = reuse::hash(&work.row, &input);
        if let Some(done) = reuse::earlier(&self.services, &task, work, &hash).await? {
            return Ok(End::Done { done: Box::new(done), input: Some(hash) });
        }
        let Value::Object(input) = input else {
            return Err(Error::new(Code::Internal, "A step's input is not an object"));
        };
        let reporter = Reporter::default();
        let services = &self.services;
        let stop = cancel.child_token();
        let limit = Limit::of(&task, work);
        let (task, steps, reporter, scope) = (&task, steps.as_slice(), &reporter, &scope);
        let job = Job { services, work, task, steps, input, scope, reporter, leave, cancel: &stop };
        let run = within_time(limit, Box::pin(steps::run(&job)), &stop);
        let run = self.while_sure(services.is_seen_outside(&work.row), run, cancel);
        Ok(match reported(run, reporter, |is_end| self.tell(work, reporter, is_end)).await? {
            Outcome::Done(done) => End::Done { done, input: Some(hash) },
            Outcome::Wait { why, wait } => End::Wait { why, wait },
            Outcome::Task(run) => End::Task { run, input: Some(hash) },
        })
    }

    /// Does the work; what is seen outside only as long as the claim is sure to be ours. Then it is told to stop, and its
    /// step goes back to the queue.
    async fn while_sure(
        &self,
        is_seen_outside: bool,
        run: impl Future<Output = Result<Outcome>>,
        cancel: &CancellationToken,
    ) -> Result<Outcome> {
        if !is_seen_outside {
            return run.await;
        }
        tokio::pin!(run);
        if let Some(done) = self.services.queue.pulse().while_sure(&mut run).await {
            return done;
        }
        tracing::warn!("the database was not heard of for too long: a step that others could see is stopped");
        cancel.cancel();
        let _ = timeout(STOP_WITHIN, run).await;
        Err(Error::new(Code::Cancelled, "Nobody knew any more whether the step was still to be done here"))
    }

    async fn tell(&self, work: &Work, reporter: &Reporter, is_end: bool) {
        let said = reporter.take_said();
        let Some((fraction, segments)) = reporter.take() else { return };
        if let Err(error) = self.services.queue.say(work, fraction, &said).await {
            tracing::warn!(error = %error.chain(), "words of a language model cannot be written down");
        }
        // How far a step is that has ended is told by its end.
        if is_end && segments.is_empty() {
            return;
        }
        if let Err(error) = self.services.queue.report(work, fraction, &segments).await {
            tracing::warn!(error = %error.chain(), "progress cannot be written down");
        }
    }
}

/// How a try ended, in the words of the metrics.
fn outcome(result: &Result<End>, stopped: bool) -> &'static str {
    match result {
        Ok(End::Done { .. }) => "succeeded",
        Ok(End::Skipped) => "skipped",
        Ok(End::Chosen | End::List(_) | End::Task { .. }) => "handed_on",
        Ok(End::Wait { .. }) => "waiting",
        Ok(End::Released) => "stopped",
        Err(_) if stopped => "stopped",
        Err(error) if error.code == Code::InsufficientStorage || is_away(error) => "waiting",
        Ok(End::Failed(_)) | Err(_) => "failed",
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

/// Decides about a step and, if its work begins, fills its input in; on a thread where that may take its time.
async fn prepared(work: Arc<Work>, scope: Value) -> Result<(Decision, Value, Value)> {
    let prepare = move || {
        let decision = decide(&work.row, &scope)?;
        let input = match decision {
            Decision::Here { .. } => kinds::input(work.row.step.kind, &work.row.with, &scope)?,
            _ => Value::Null,
        };
        Ok((decision, input, scope))
    };
    tokio::task::spawn_blocking(prepare)
        .await
        .map_err(|error| Error::new(Code::Internal, "A step's expressions were given up").with_source(error))?
}

/// How long a try may take, and what it fails with then.
struct Limit {
    time: Duration,
    error: Error,
}

impl Limit {
    /// The step's timeout, or what is left until a deadline, whichever is over first.
    fn of(task: &Task, work: &Work) -> Option<Self> {
        let (row, key) = (&work.row, &work.row.step.key);
        let timeout = row.timeout_ms.and_then(|ms| u64::try_from(ms).ok()).map(|ms| {
            let detail = format!("Step \"{key}\" did not end within {} s", ms / 1_000);
            Self { time: Duration::from_millis(ms), error: Error::new(Code::StepTimeout, detail) }
        });
        let late = retry::deadline(task, row).map(|at| {
            let left = u64::try_from(at - chrono::Utc::now().timestamp_millis()).unwrap_or(0);
            let error = late_step(key, Rule::read(&row.rule).deadline.filter(|_| row.deadline_at == Some(at)));
            Self { time: Duration::from_millis(left), error }
        });
        timeout.into_iter().chain(late).min_by_key(|limit| limit.time)
    }
}

/// Lets the work go on for so long. When that is over it is told to stop and given a moment to do so.
async fn within_time(
    limit: Option<Limit>,
    run: impl Future<Output = Result<Outcome>>,
    stop: &CancellationToken,
) -> Result<Outcome> {
    let Some(Limit { time, error }) = limit else { return run.await };
    tokio::pin!(run);
    tokio::select! {
        result = &mut run => return result,
        () = sleep(time) => stop.cancel(),
    }
    if timeout(STOP_WITHIN, run).await.is_err() {
        tracing::warn!(why = %error, "a step did not stop when its time was up; it is dropped");
    }
    Err(error)
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
