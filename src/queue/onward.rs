//! What follows when a row has ended: the next rows, the list, the steps of `on_error`, the task's end.

use std::collections::HashMap;

use serde_json::{Value, json};

use super::{Queue, after::After, holds, new, outbox, progress, scope, step_event};
use crate::{
    domain::{StepKind, StepState, Task, TaskId, TaskStatus},
    error::{Code, Error, Report, Result},
    store::{NewStep, Start, StepRow, StepView, Tx},
    workflow::{
        Definition, Rule,
        advance::{Row, advance},
        definition::{OnError, OnItemError},
        depth,
        plan::{first_half, whole_of},
        plan_handlers, template,
    },
};

impl Queue {
    /// Goes on after a row that has ended, well or not needed or with a failure that is put up with.
    pub(super) async fn onward(&self, tx: &Tx, task: &Task, row: &StepRow, after: &mut After) -> Result<()> {
        match &row.list {
            Some(list) => Box::pin(self.item_ended(tx, task, row, list, after)).await,
            None => self.advance(tx, task, after).await,
        }
    }

    /// Readies what may start, skips what never will; ends the task when everything is done.
    pub(super) async fn advance(&self, tx: &Tx, task: &Task, after: &mut After) -> Result<()> {
        let views = tx.views_of(task.id).await?;
        self.advance_from(tx, task, &views, after).await
    }

    /// The same, with the task's rows in hand.
    pub(super) async fn advance_from(&self, tx: &Tx, task: &Task, views: &[StepView], after: &mut After) -> Result<()> {
        let rules: Vec<Rule> = views.iter().map(|view| Rule::read(&view.rule)).collect();
        let failing = task.error.is_some();
        let rows: Vec<Row> = views
            .iter()
            .zip(&rules)
            .filter(|(_, rule)| rule.handler == failing)
            .map(|(view, rule)| Row {
                key: view.key.clone(),
                state: view.state,
                needs: view.needs.clone(),
                loose: rule.loose.clone(),
            })
            .collect();
        let next = advance(&rows);
        let seen = |key: &String| views.iter().zip(&rules).find(|(view, _)| view.key == *key);
        let starts: Vec<(Start, StepKind)> =
            next.ready.iter().filter_map(seen).map(|(view, rule)| (start(tx, view, rule, views), view.kind)).collect();
        after.started(starts.iter().map(|(_, kind)| *kind));
        let starts: Vec<Start> = starts.into_iter().map(|(start, _)| start).collect();
        tx.start_steps(task.id, &starts).await?;
        if !next.skipped.is_empty() {
            tx.skip_steps(task.id, &next.skipped).await?;
            for key in &next.skipped {
                let data = json!({ "step": key, "state": StepState::Skipped, "attempt": 0 });
                tx.add_event(task.id, "step", data);
            }
        }
        let overall = progress::overall(views, &next.skipped);
        tx.set_task_progress(task.id, overall, None).await?;
        match &task.error {
            _ if !next.completed => Ok(()),
            Some(error) => self.end_task(tx, task, TaskStatus::Failed, None, Some(error), after).await,
            None => self.complete(tx, task, after).await,
        }
    }

    /// Ends a task whose steps have all ended. An output that cannot be made fails it.
    async fn complete(&self, tx: &Tx, task: &Task, after: &mut After) -> Result<()> {
        let output = match definition(tx, task).await {
            Ok(definition) => output(tx, task, definition.output.unwrap_or(Value::Null)).await,
            Err(error) => Err(error),
        };
        match output {
            Ok(result) => {
                holds::hold_named(tx, task.id, &result).await?;
                self.end_task(tx, task, TaskStatus::Completed, Some(&result), None, after).await
            }
            Err(error) => {
                tracing::warn!(task = %task.id, error = %error.chain(), "the workflow's output cannot be made");
                self.fail_task(tx, task, &error.report(), after).await
            }
        }
    }

    /// Goes on after a row that has failed and is not tried again. Its state is written already.
    pub(super) async fn failed_for_good(
        &self,
        tx: &Tx,
        task: &Task,
        row: &StepRow,
        report: &Report,
        after: &mut After,
    ) -> Result<()> {
        step_event(tx, row, StepState::Failed, Some(report));
        let rule = Rule::read(&row.rule);
        let goes_on = row.list.is_some() || rule.handler || rule.on_error == OnError::Continue;
        if row.step.kind == StepKind::Extract && goes_on {
            // Both halves are one step.
            tx.fail_blocked(task.id, whole_of(&row.step.key), report).await?;
        }
        match (&row.list, rule.foreach.as_ref().map(|list| list.on_item_error)) {
            (Some(list), Some(OnItemError::Fail)) => {
                return Box::pin(self.fail_list(tx, task, list, report, after)).await;
            }
            (Some(_), _) => return self.onward(tx, task, row, after).await,
            (None, _) => {}
        }
        if goes_on {
            return self.advance(tx, task, after).await;
        }
        self.fail_task(tx, task, report, after).await
    }

    /// Fails a task: what is left of it stops, and the steps of its workflow's `on_error` run once before its end.
    pub(super) async fn fail_task(&self, tx: &Tx, task: &Task, error: &Report, after: &mut After) -> Result<()> {
        let handlers = match definition(tx, task).await {
            Ok(definition) => plan_handlers(&definition).unwrap_or_default(),
            // Without its definition there is nothing to run.
            Err(_) => Vec::new(),
        };
        if handlers.is_empty() {
            return self.end_task(tx, task, TaskStatus::Failed, None, Some(error), after).await;
        }
        self.stop_rows(tx, task.id, after).await?;
        tx.fail_task(task.id, error).await?;
        tx.add_event(task.id, "status", json!({ "status": TaskStatus::Processing, "error": error }));
        let behind = tx.views_of(task.id).await?.len();
        let level = task.priority.level();
        after.started(handlers.iter().map(|row| row.kind));
        let rows = handlers.into_iter().enumerate();
        let rows: Vec<NewStep> = rows.map(|(at, row)| new::new_step(tx, row, behind + at, level)).collect();
        tx.insert_steps(task.id, rows).await
    }

    /// Ends a task, stops what is left of it, writes its callback, lets one that waited for its end begin, and tells the
    /// step whose work it was.
    pub(super) async fn end_task(
        &self,
        tx: &Tx,
        task: &Task,
        status: TaskStatus,
        result: Option<&Value>,
        error: Option<&Report>,
        after: &mut After,
    ) -> Result<()> {
        if status != TaskStatus::Cancelled {
            warn_of_failures(tx, task).await?;
        }
        tx.end_task(task.id, status, result, error).await?;
        let running = self.stop_rows(tx, task.id, after).await?;
        if !running {
            after.stop(task.id, Vec::new());
        }
        let mut data = json!({ "status": status });
        if let Some(error) = error {
            data["error"] = json!(error);
        }
        tx.add_event(task.id, "status", data);
        outbox::tell(tx, task.id).await?;
        Box::pin(self.let_held_begin(tx, &task.workflow, after)).await?;
        if task.parent_step.is_some()
            && let Some(ended) = tx.lock_task(task.id).await?
        {
            Box::pin(self.child_ended(tx, &ended, after)).await?;
        }
        Ok(())
    }

    /// Stops every row of a task and the tasks that are their work. Whether some still run.
    async fn stop_rows(&self, tx: &Tx, task: TaskId, after: &mut After) -> Result<bool> {
        let stopped = tx.stop_steps(task).await?;
        let running = !stopped.running.is_empty();
        if running {
            after.stop(task, stopped.running);
        }
        Box::pin(self.stop_children(tx, &stopped.waiting, after)).await?;
        Ok(running)
    }
}

/// When a row that is due starts. The second half of a step has the deadline that its first half got.
fn start(tx: &Tx, view: &StepView, rule: &Rule, views: &[StepView]) -> Start {
    let halves = (view.kind == StepKind::Transcribe).then(|| first_half(&view.key));
    let earlier = views.iter().find(|other| Some(&other.key) == halves.as_ref()).and_then(|other| other.deadline_at);
    let fresh = rule.deadline.map(|span| tx.now().saturating_add(new::ms(span)));
    Start { key: view.key.clone(), delay_ms: rule.delay.map_or(0, new::ms), deadline_at: earlier.or(fresh) }
}

/// The definition that a task runs.
pub(super) async fn definition(tx: &Tx, task: &Task) -> Result<Definition> {
    let stored = tx.workflow_revision(&task.workflow, task.revision).await?;
    let definition = stored.and_then(|json| serde_json::from_value(json).ok());
    definition.ok_or_else(|| Error::new(Code::UnknownWorkflow, format!("Workflow \"{}\" is gone", task.workflow)))
}

async fn output(tx: &Tx, task: &Task, wanted: Value) -> Result<Value> {
    let sight = scope::Sight::of(&wanted, &[]);
    let steps = tx.steps_named(task.id, &sight.steps()).await?;
    let mut transcripts = HashMap::new();
    for id in sight.transcripts(&steps) {
        if let Some(transcript) = tx.transcript(id).await? {
            transcripts.insert(id, transcript);
        }
    }
    let output = template::fill_at("/output", &wanted, &scope::build(task, &steps, &transcripts))?;
    depth::check(&output, "The workflow's output")?;
    Ok(output)
}

/// How a task's warning begins that tells of a step's failure.
pub(super) fn failure_of(key: &str) -> String {
    format!("Step \"{key}\" failed")
}

/// Adds to a task's warnings what has failed without failing it.
async fn warn_of_failures(tx: &Tx, task: &Task) -> Result<()> {
    let failed = |view: &&StepView| {
        let rule = Rule::read(&view.rule);
        view.state == StepState::Failed
            && view.kind != StepKind::Extract
            && (rule.handler || rule.on_error == OnError::Continue)
    };
    let views = tx.views_of(task.id).await?;
    let keys: Vec<String> = views.iter().filter(failed).map(|view| view.key.clone()).collect();
    if keys.is_empty() {
        return Ok(());
    }
    let Some(task) = tx.lock_task(task.id).await? else { return Ok(()) };
    let mut warnings = task.warnings;
    for row in tx.steps_named(task.id, &keys).await? {
        let why = row.step.error.map_or_else(String::new, |error| format!(": {}", error.detail));
        warnings.push(format!("{}{why}", failure_of(&row.step.key)));
    }
    tx.set_task_warnings(task.id, &warnings).await
}
