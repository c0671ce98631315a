//! New rows.

use sea_orm::{ActiveValue::Set, EntityTrait};
use serde_json::{Map, Value};

use super::{Entity, LEVEL_MS};
use crate::{
    domain::{Lane, StepKind, StepState, TaskId},
    error::Result,
    store::{Tx, entities::step::ActiveModel, rows},
};

/// How many rows are written by one statement: SQLite takes 32,766 values in one.
const AT_ONCE: usize = 500;

/// A row to be written.
#[derive(Clone, Debug)]
pub struct NewStep {
    /// Its key in the task.
    pub key: String,
    /// What it does.
    pub kind: StepKind,
    /// Where it waits first.
    pub lane: Lane,
    /// Its place in the workflow's order.
    pub position: i32,
    /// The keys it waits for.
    pub needs: Vec<String>,
    /// Its input, with references.
    pub with: Map<String, Value>,
    /// Its retry rule as JSON.
    pub retry: Value,
    /// For one try, in milliseconds.
    pub timeout_ms: Option<i64>,
    /// Its priority level, 0 first.
    pub level: i64,
    /// What decides about it beside its input, as JSON.
    pub rule: Value,
    /// Whether the result of the same step of the task that its task repeats may be taken.
    pub reuse: bool,
    /// Whether it may start; otherwise it is blocked.
    pub ready: bool,
    /// How long it waits then, in milliseconds.
    pub delay_ms: i64,
    /// When all its tries must be over, in milliseconds since 1970.
    pub deadline_at: Option<i64>,
    /// Its place in a list.
    pub item: Option<ListItem>,
}

/// One item of a list.
#[derive(Clone, Debug)]
pub struct ListItem {
    /// The key of the `foreach` step.
    pub list: String,
    /// Its place, from 0.
    pub index: i64,
    /// The item.
    pub value: Value,
}

impl Tx {
    /// Writes rows of a task.
    pub async fn insert_steps(&self, task: TaskId, steps: Vec<NewStep>) -> Result<()> {
        let mut models = steps.into_iter().map(|step| self.model(task, step)).collect::<Result<Vec<_>>>()?;
        while !models.is_empty() {
            let rest = models.split_off(models.len().min(AT_ONCE));
            Entity::insert_many(models).exec_without_returning(&self.inner).await?;
            models = rest;
        }
        Ok(())
    }

    fn model(&self, task: TaskId, step: NewStep) -> Result<ActiveModel> {
        let state = if step.ready { StepState::Ready } else { StepState::Blocked };
        let (list, index, item) = match step.item {
            Some(item) => (Some(item.list), Some(item.index), Some(item.value)),
            None => (None, None, None),
        };
        Ok(ActiveModel {
            id: Set(uuid::Uuid::now_v7().to_string()),
            task_id: Set(task.0),
            key: Set(step.key),
            position: Set(step.position),
            kind: Set(step.kind.to_string()),
            lane: Set(step.lane.to_string()),
            state: Set(state.to_string()),
            needs: Set(rows::json(&step.needs)?),
            with: Set(Value::Object(step.with).into()),
            retry: Set(step.retry.into()),
            timeout_ms: Set(step.timeout_ms),
            level: Set(step.level),
            sort_key: Set(self.now + step.level * LEVEL_MS),
            eligible_at: Set(self.now.saturating_add(step.delay_ms)),
            attempt: Set(0),
            crashes: Set(0),
            lease_owner: Set(None),
            lease_token: Set(0),
            lease_until: Set(None),
            cancel_at: Set(None),
            progress: Set(0.0),
            output: Set(None),
            error: Set(None),
            created_at: Set(self.now),
            started_at: Set(None),
            finished_at: Set(None),
            rule: Set(Some(step.rule.into())),
            list: Set(list),
            item_index: Set(index),
            item: Set(item.map(Into::into)),
            remaining: Set(None),
            chosen: Set(None),
            input_hash: Set(None),
            deadline_at: Set(step.deadline_at),
            reuse: Set(Some(step.reuse)),
        })
    }
}
