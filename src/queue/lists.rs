//! `foreach`: a step becomes one row for each item of its list, and is done when they are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    Queue, Work,
    after::After,
    new::{first_kind, item_steps, ms},
    step_event,
};
use crate::{
    domain::{StepKind, StepState, Task, media::named_in},
    error::{Report, Result},
    store::{Counted, ItemEnd, ListItem, NewStep, StepRow, Tx},
    workflow::{
        Planned, Retry, Rule,
        definition::{Foreach, OnItemError},
        plan::whole_of,
    },
};

impl Queue {
    /// Writes the rows of a list's items and lets the first of them start; a list with nothing to do is done.
    pub(super) async fn expand(
        &self,
        tx: &Tx,
        task: &Task,
        work: &Work,
        items: &[Value],
        after: &mut After,
    ) -> Result<bool> {
        let row = &work.row;
        let rule = Rule::read(&row.rule);
        let Some(list) = rule.foreach.clone() else { return Ok(false) };
        let kept = self.keep_items(tx, task, row, items, after).await?;
        let left = items.len().saturating_sub(kept.len());
        tx.park_step(&work.fence, Some(i64::try_from(left).unwrap_or(i64::MAX)), None).await?;
        step_event(tx, row, StepState::Waiting, None);
        tx.use_media(task.id, &items.iter().flat_map(named_in).collect()).await?;
        if left == 0 {
            return self.finish_list(tx, task, row, &list, after).await.map(|()| true);
        }
        let position = 1 + tx.views_of(task.id).await?.iter().position(|view| view.id == row.step.id).unwrap_or(0);
        let position = i32::try_from(position).unwrap_or(i32::MAX) - 1;
        let step = planned(row, rule);
        let mut rows: Vec<NewStep> = Vec::new();
        let open = (0_i64..).zip(items).filter(|(index, _)| !kept.contains(index));
        for (turn, (index, value)) in (0_u32..).zip(open) {
            let item = ListItem { list: row.step.key.clone(), index, value: value.clone() };
            let may_start = turn < list.parallel.max(1);
            rows.extend(item_steps(tx, &step, item, position, row.level).into_iter().map(|step| NewStep {
                ready: step.ready && may_start,
                reuse: row.reuse,
                deadline_at: row.deadline_at,
                ..step
            }));
        }
        tx.insert_steps(task.id, rows).await?;
        after.ready(first_kind(row.step.kind).lane());
        Ok(true)
    }

    /// The places of a list that was written before, by an earlier try of the task, whose items are the same and have
    /// succeeded: they stay. The rows of the others go.
    async fn keep_items(
        &self,
        tx: &Tx,
        task: &Task,
        row: &StepRow,
        items: &[Value],
        after: &mut After,
    ) -> Result<BTreeSet<i64>> {
        if row.remaining.is_none() {
            return Ok(BTreeSet::new());
        }
        let ends = tx.item_ends(task.id, &row.step.key, row.step.kind).await?;
        let is_kept = |end: &ItemEnd| {
            let now = usize::try_from(end.index).ok().and_then(|place| items.get(place));
            end.succeeded && now.is_some_and(|now| now == end.item.as_ref().unwrap_or(&Value::Null))
        };
        let (kept, gone): (Vec<ItemEnd>, Vec<ItemEnd>) = ends.into_iter().partition(is_kept);
        let gone: Vec<i64> = gone.into_iter().map(|end| end.index).collect();
        let rows = tx.items_at(task.id, &row.step.key, &gone).await?;
        self.remove_rows(tx, &rows, after).await?;
        Ok(kept.into_iter().map(|end| end.index).collect())
    }

    /// Goes on after a row of an item: the item's other half, the next item, or the end of the list.
    pub(super) async fn item_ended(
        &self,
        tx: &Tx,
        task: &Task,
        row: &StepRow,
        list: &str,
        after: &mut After,
    ) -> Result<()> {
        let halves = row.step.kind == StepKind::Extract;
        if halves && self.start_second_half(tx, row, after).await? {
            return Ok(());
        }
        let kind = if halves { StepKind::Transcribe } else { row.step.kind };
        let Some(counted) = tx.count_down(task.id, list).await? else { return Ok(()) };
        if counted.remaining > 0 {
            tx.start_items(task.id, list, first_kind(kind), 1).await?;
            after.ready(first_kind(kind).lane());
            return self.note_progress(tx, task, list, &counted).await;
        }
        let Some(whole) = tx.step_by_key(task.id, list).await? else { return Ok(()) };
        let Some(rule) = Rule::read(&whole.rule).foreach else { return Ok(()) };
        self.finish_list(tx, task, &whole, &rule, after).await
    }

    /// Readies the second half of an item whose first half has ended well; whether it did.
    async fn start_second_half(&self, tx: &Tx, row: &StepRow, after: &mut After) -> Result<bool> {
        let whole = whole_of(&row.step.key).to_owned();
        let ended = tx.step(&row.step.id).await?.is_some_and(|now| now.step.state == StepState::Succeeded);
        if ended {
            let start = crate::store::Start { key: whole, deadline_at: row.deadline_at, ..Default::default() };
            tx.start_steps(row.step.task_id, &[start]).await?;
            after.ready(StepKind::Transcribe.lane());
        }
        Ok(ended)
    }

    /// Moves the task's progress when the list's has come to another hundredth.
    async fn note_progress(&self, tx: &Tx, task: &Task, list: &str, counted: &Counted) -> Result<()> {
        let Counted { remaining, progress } = *counted;
        #[allow(clippy::cast_precision_loss, reason = "a list has at most 10,000 items")]
        let one = (1.0 - progress) / remaining as f64;
        let hundredth = |part: f64| (part * 100.0).floor();
        if hundredth(progress) > hundredth(progress - one) {
            let overall = super::progress::overall(&tx.views_of(task.id).await?, &[]);
            tx.set_task_progress(task.id, overall, None).await?;
            let data = json!({ "step": list, "step_progress": progress, "progress": overall });
            tx.add_event(task.id, "progress", data);
        }
        Ok(())
    }

    /// Ends a list whose items have all ended.
    pub(super) async fn finish_list(
        &self,
        tx: &Tx,
        task: &Task,
        whole: &StepRow,
        list: &Foreach,
        after: &mut After,
    ) -> Result<()> {
        let ends = tx.item_ends(task.id, &whole.step.key, whole.step.kind).await?;
        let output = gather(ends, list.on_item_error);
        if tx.end_waiting(&whole.step.id, Ok(&output)).await? {
            step_event(tx, whole, StepState::Succeeded, None);
            self.onward(tx, task, whole, after).await?;
        }
        Ok(())
    }

    /// Fails a list because of one of its items; the others stop.
    pub(super) async fn fail_list(
        &self,
        tx: &Tx,
        task: &Task,
        list: &str,
        report: &Report,
        after: &mut After,
    ) -> Result<()> {
        let Some(whole) = tx.step_by_key(task.id, list).await? else { return Ok(()) };
        if !tx.end_waiting(&whole.step.id, Err(report)).await? {
            return Ok(());
        }
        self.stop_below(tx, &whole, after).await?;
        self.failed_for_good(tx, task, &whole, report, after).await
    }

    /// Makes a list that has failed wait for the items again that did not succeed.
    pub(super) async fn reopen_list(&self, tx: &Tx, task: &Task, whole: &StepRow, after: &mut After) -> Result<()> {
        let rule = Rule::read(&whole.rule);
        let Some(list) = rule.foreach else { return Ok(()) };
        let deadline_at = rule.deadline.map(|span| tx.now().saturating_add(ms(span)));
        let ends = tx.item_ends(task.id, &whole.step.key, whole.step.kind).await?;
        let open: Vec<i64> = ends.iter().filter(|end| !end.succeeded).map(|end| end.index).collect();
        #[allow(clippy::cast_precision_loss, reason = "a list has at most 10,000 items")]
        let progress = 1.0 - open.len() as f64 / ends.len().max(1) as f64;
        tx.reset_items(task.id, &whole.step.key, &open, deadline_at).await?;
        let remaining = i64::try_from(open.len()).unwrap_or(i64::MAX);
        tx.reopen_list(&whole.step.id, remaining, progress, deadline_at).await?;
        if open.is_empty() {
            return self.finish_list(tx, task, whole, &list, after).await;
        }
        let first = first_kind(whole.step.kind);
        tx.start_items(task.id, &whole.step.key, first, u64::from(list.parallel.max(1))).await?;
        after.ready(first.lane());
        Ok(())
    }

    /// Stops what works in the place of a row: the items of its list, its task.
    pub(super) async fn stop_below(&self, tx: &Tx, row: &StepRow, after: &mut After) -> Result<()> {
        let mut parents = vec![row.step.id.clone()];
        if row.remaining.is_some() {
            let stopped = tx.stop_items(row.step.task_id, &row.step.key).await?;
            if !stopped.running.is_empty() {
                after.stop(row.step.task_id, stopped.running);
            }
            parents.extend(stopped.waiting);
        }
        self.stop_children(tx, &parents, after).await
    }

    /// Whether a row is an item of a list that does not wait for it any more.
    pub(super) async fn is_list_over(&self, tx: &Tx, row: &StepRow) -> Result<bool> {
        if row.list.is_none() {
            return Ok(false);
        }
        Ok(tx.list_of(row).await?.is_none_or(|whole| whole.step.state != StepState::Waiting))
    }
}

/// What a step's definition says, from its row.
fn planned(row: &StepRow, rule: Rule) -> Planned {
    let retry: Retry = serde_json::from_value(row.retry.clone()).unwrap_or_default();
    let timeout = row.timeout_ms.and_then(|ms| u64::try_from(ms).ok());
    Planned {
        key: row.step.key.clone(),
        kind: row.step.kind,
        needs: Vec::new(),
        with: row.with.clone(),
        retry,
        timeout: timeout.map(|ms| crate::domain::Span(std::time::Duration::from_millis(ms))),
        rule,
    }
}

/// A list's output: its items' outputs in their order; with `collect`, beside them those that failed.
fn gather(ends: Vec<ItemEnd>, on_item_error: OnItemError) -> Value {
    let (ok, failed): (Vec<ItemEnd>, Vec<ItemEnd>) = ends.into_iter().partition(|end| end.succeeded);
    let ok: Vec<Value> = ok.into_iter().map(|end| end.output.unwrap_or(Value::Null)).collect();
    match on_item_error {
        OnItemError::Fail => Value::Array(ok),
        OnItemError::Collect => {
            let told = |end: ItemEnd| json!({ "index": end.index, "item": end.item, "error": end.error });
            json!({ "ok": ok, "failed": failed.into_iter().map(told).collect::<Vec<_>>() })
        }
    }
}
