//! How a try ends: what it came to, and all that follows from it, in one transaction.

use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

use futures_util::FutureExt;
use serde_json::{Value, json};

use super::{Queue, Seen, Work, after::After, deadlines::late_task, new::NewRun, retry, seen, step_event};
use crate::{
    domain::{MediaId, StepKind, StepState, Task, TaskStatus, Usage, media::named_in},
    error::{Class, Code, Error, Report, Result},
    fault,
    store::{Held, NewDelivery, NewTranscript, StepRow, Tx, is_away},
    workflow::Rule,
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
    /// Whether it was made by the task that its task repeats, and only taken over.
    pub reused: bool,
}

/// What a try has come to.
#[derive(Debug)]
pub enum End {
    /// The step is done.
    Done {
        /// What it made.
        done: Box<Done>,
        /// The SHA-256 of what it worked on.
        input: Option<String>,
    },
    /// Its `when` came to false.
    Skipped,
    /// Its `when` came to true, and its work is done in another lane.
    Chosen,
    /// It is done once for each of these.
    List(Vec<Value>),
    /// Its work is a task of its own.
    Task {
        /// The task.
        run: Box<NewRun>,
        /// The SHA-256 of what it works on.
        input: Option<String>,
    },
    /// What it needs is not here; it is looked at again after `wait`. Costs no try.
    Wait {
        /// What is missing.
        why: Report,
        /// When to look again.
        wait: Duration,
    },
    /// It failed; it is tried again when its rule says so.
    Failed(Error),
    /// Its work was stopped from outside. When its task has ended, so has the step; otherwise (the process stops, or the
    /// stop was meant for an earlier try) it goes back to the queue, which costs no try.
    Released,
}

impl Queue {
    /// Ends a try: see [`End`]. A task that has ended meanwhile takes nothing more: no transcript, no callback, and a try
    /// from the beginning when it is tried again. Returns whether the step was ours.
    pub async fn end(&self, work: &Work, end: &End) -> Result<bool> {
        Ok(self.end_all(&[(work, end)]).await? == [true])
    }

    /// Ends several tries, all in one transaction: they are written together or not at all.
    pub async fn end_all(&self, ends: &[(&Work, &End)]) -> Result<Vec<bool>> {
        // All nodes lock tasks in the same order, so that none waits for another that waits for it.
        let mut order: Vec<usize> = (0..ends.len()).collect();
        order.sort_by_key(|index| ends[*index].0.row.step.task_id);
        self.store.beside(|tx| self.write_ends(tx, ends, &order).boxed()).await
    }

    async fn write_ends(&self, tx: Tx, ends: &[(&Work, &End)], order: &[usize]) -> Result<Vec<bool>> {
        let (mut after, mut ours) = (After::default(), vec![false; ends.len()]);
        let mut held = match ends {
            [_] => HashMap::new(),
            _ => {
                tx.hold_all(&ends.iter().map(|(work, _)| (&work.fence, work.row.step.task_id)).collect::<Vec<_>>())
                    .await?
            }
        };
        for index in order {
            let (work, end) = ends[*index];
            let held = held.remove(&work.row.step.id);
            ours[*index] = self.write_end(&tx, work, end, held, &mut after).await?;
        }
        if ours.contains(&true) {
            fault::point("end::written");
            tx.commit().await?;
            fault::point("end::committed");
            self.announce(after);
        }
        Ok(ours)
    }

    /// Ends a step well: stores what it made, readies what waited for it, ends the task when it was the last one.
    pub async fn succeed(&self, work: &Work, done: Done) -> Result<bool> {
        self.end(work, &End::Done { done: Box::new(done), input: None }).await
    }

    /// Ends a try that failed: the step is tried again when its rule says so, otherwise it has failed for good.
    pub async fn fail(&self, work: &Work, error: Error) -> Result<bool> {
        self.end(work, &End::Failed(error)).await
    }

    /// Gives a step back because what it needs is not here.
    pub async fn postpone(&self, work: &Work, why: &Report, wait: Duration) -> Result<bool> {
        self.end(work, &End::Wait { why: why.clone(), wait }).await
    }

    /// Lets go of a step whose work was stopped.
    pub async fn release(&self, work: &Work) -> Result<bool> {
        self.end(work, &End::Released).await
    }

    /// Notes that a step's `when` came to true, before its work begins in the same lane.
    pub async fn note_choice(&self, work: &Work) -> Result<bool> {
        self.store
            .beside(|tx| {
                async move {
                    let ours = tx.choose_step(&work.fence).await?;
                    tx.commit().await?;
                    Ok(ours)
                }
                .boxed()
            })
            .await
    }

    async fn write_end(&self, tx: &Tx, work: &Work, end: &End, held: Option<Held>, after: &mut After) -> Result<bool> {
        let row = &work.row;
        let held = match held {
            Some(held) => Some(held),
            None => tx.hold(&work.fence, row.step.task_id).await?,
        };
        let Some(Held { task, views, media }) = held else { return Ok(false) };
        if is_over(&task, row) {
            return end_stopped(tx, work).await;
        }
        after.left(row);
        match end {
            End::Done { done, input } => {
                succeeded(tx, &task, &media, work, done, input.as_deref()).await?;
                match views {
                    Some(mut views) if row.list.is_none() => {
                        let ended = views.iter_mut().filter(|view| view.id == row.step.id);
                        ended.for_each(|view| view.state = StepState::Succeeded);
                        self.advance_from(tx, &task, &views, after).await?;
                    }
                    _ => self.onward(tx, &task, row, after).await?,
                }
                Ok(true)
            }
            End::Skipped => {
                tx.skip_step(&work.fence).await?;
                step_event(tx, row, StepState::Skipped, None);
                self.onward(tx, &task, row, after).await?;
                Ok(true)
            }
            End::Chosen => {
                let lane = row.step.kind.lane();
                after.ready(lane);
                tx.move_step(&work.fence, lane).await
            }
            End::List(items) => self.expand(tx, &task, work, items, after).await,
            // The items of a list that has failed are of no use any more.
            End::Task { .. } | End::Wait { .. } | End::Failed(_) | End::Released
                if self.is_list_over(tx, row).await? =>
            {
                end_stopped(tx, work).await
            }
            End::Task { run, input } => self.call(tx, &task, work, (run, input.as_deref()), after).await,
            End::Wait { why, wait } => self.wait(tx, &task, work, why, *wait).await,
            End::Failed(error) => self.failed(tx, &task, work, error, after).await,
            End::Released => {
                requeue(tx, work, Duration::ZERO, true, None).await?;
                step_event(tx, row, StepState::Ready, None);
                after.ready(row.step.lane);
                Ok(true)
            }
        }
    }

    async fn failed(&self, tx: &Tx, task: &Task, work: &Work, error: &Error, after: &mut After) -> Result<bool> {
        let row = &work.row;
        let mut report = error.report();
        let is_crash = error.code.class() == Class::Crash;
        let again = if is_crash {
            let crashes = tx.count_crash(&row.step.id).await?;
            if crashes >= self.config.max_crashes {
                report = crash_report(crashes, &report.detail);
            }
            (crashes < self.config.max_crashes).then(|| Duration::from_secs(crashes.unsigned_abs()))
        } else {
            retry::next_try(row, error)
        };
        let again = again.filter(|wait| retry::is_in_time(task, row, tx.now(), *wait));
        match again {
            Some(wait) => {
                requeue(tx, work, wait, is_crash, Some(&report)).await?;
                step_event(tx, row, StepState::Ready, Some(&report));
                after.ready(row.step.lane);
            }
            None => {
                tx.end_step(&work.fence, StepState::Failed, &report).await?;
                if retry::is_late(task, row, tx.now()) {
                    step_event(tx, row, StepState::Failed, Some(&report));
                    self.fail_task(tx, task, &late_task(), after).await?;
                } else {
                    self.failed_for_good(tx, task, row, &report, after).await?;
                }
            }
        }
        Ok(true)
    }

    async fn wait(&self, tx: &Tx, task: &Task, work: &Work, why: &Report, wait: Duration) -> Result<bool> {
        requeue(tx, work, wait, true, Some(why)).await?;
        if task.waiting.as_ref() != Some(why) {
            tx.set_task_progress(task.id, task.progress, Some(why)).await?;
            tx.add_event(task.id, "status", json!({ "status": TaskStatus::Processing, "waiting": why }));
        }
        Ok(true)
    }

    /// Whether a step that fails with this error now fails for good. One that is stopped, or waits for the disk or the
    /// database, does not.
    pub fn is_last_try(&self, work: &Work, error: &Error) -> bool {
        match error.code.class() {
            _ if matches!(error.code, Code::Cancelled | Code::InsufficientStorage | Code::ShuttingDown) => false,
            _ if is_away(error) => false,
            Class::Crash => work.row.step.crashes + 1 >= self.config.max_crashes,
            _ => retry::next_try(&work.row, error).is_none(),
        }
    }

    /// Fails a step whose worker has died too often; used for steps that nobody holds any more.
    pub(super) async fn fail_crashed(
        &self,
        tx: &Tx,
        work: &Work,
        crashes: i64,
        task: &Task,
        after: &mut After,
    ) -> Result<()> {
        let report = crash_report(crashes, "its worker died");
        if tx.end_step(&work.fence, StepState::Failed, &report).await? {
            self.failed_for_good(tx, task, &work.row, &report, after).await?;
        }
        Ok(())
    }
}

/// Writes what a step has made, `media` being what its task is known to use.
async fn succeeded(
    tx: &Tx,
    task: &Task,
    media: &BTreeSet<MediaId>,
    work: &Work,
    done: &Done,
    input: Option<&str>,
) -> Result<()> {
    let mut output = done.output.clone();
    if let Some(seen) = &done.seen {
        seen::note(tx, seen, &mut output).await?;
    }
    if let Some(new) = &done.transcript {
        let id = tx.insert_transcript(task.id, new).await?;
        output["transcript_id"] = json!(id);
        let mut warnings = task.warnings.clone();
        warnings.extend(new.transcript.warnings.iter().filter(|text| !task.warnings.contains(text)).cloned());
        tx.set_task_transcribed(task.id, &new.transcript.language, &warnings).await?;
    }
    tx.add_usage(task.owner, used(work, done)).await?;
    tx.succeed_step(&work.fence, &output, input).await?;
    let named = named_in(&output);
    if !named.is_subset(media) {
        tx.use_media(task.id, &named).await?;
    }
    if let Some(delivery) = done.delivery.clone() {
        tx.insert_delivery(delivery, 0).await?;
    }
    if done.reused {
        let (key, attempt) = (&work.row.step.key, work.row.step.attempt);
        let data = json!({ "step": key, "state": StepState::Succeeded, "attempt": attempt, "reused": true });
        tx.add_event(task.id, "step", data);
    } else {
        step_event(tx, &work.row, StepState::Succeeded, None);
    }
    Ok(())
}

/// What a step has used up; what was taken over from another task costs nothing.
fn used(work: &Work, done: &Done) -> Usage {
    if done.reused {
        return Usage::default();
    }
    let audio = done.transcript.as_ref().map_or(0.0, |new| new.transcript.duration);
    let tokens = |name: &str| match work.row.step.kind {
        StepKind::Llm => done.output["usage"][name].as_i64().unwrap_or(0),
        _ => 0,
    };
    let llm_tokens = tokens("input_tokens").saturating_add(tokens("output_tokens"));
    Usage { audio_ms: (audio * 1000.0).round() as i64, llm_tokens, ..Usage::default() }
}

/// Whether nothing more comes of a row: its task has ended, or will fail and only the steps of its `on_error` matter.
pub(super) fn is_over(task: &Task, row: &StepRow) -> bool {
    task.status.is_final() || (task.error.is_some() && !Rule::read(&row.rule).handler)
}

/// Gives a running step back to the queue.
pub(super) async fn requeue(tx: &Tx, work: &Work, wait: Duration, refund: bool, why: Option<&Report>) -> Result<bool> {
    let wait = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    tx.requeue_step(&work.fence, wait, refund, why).await
}

/// Ends a running step whose task has ended.
pub(super) async fn end_stopped(tx: &Tx, work: &Work) -> Result<bool> {
    let report = Error::new(Code::Cancelled, "The step was stopped").report();
    let ended = tx.end_step(&work.fence, StepState::Cancelled, &report).await?;
    if ended {
        step_event(tx, &work.row, StepState::Cancelled, None);
    }
    Ok(ended)
}

fn crash_report(crashes: i64, last: &str) -> Report {
    Error::new(Code::Crashed, format!("The step was given up after {crashes} crashes; the last one: {last}")).report()
}
