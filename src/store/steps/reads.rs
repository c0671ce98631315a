//! Looking at rows.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};
use serde_json::Value;

use super::{Column, Entity, StepRow};
use crate::{
    domain::{StepKind, StepState, TaskId},
    error::Result,
    store::{Store, Tx, json::Json, rows},
};

/// What the rules of a task need to know of a row.
#[derive(Clone, Debug)]
pub struct StepView {
    /// The row.
    pub id: String,
    /// Its key.
    pub key: String,
    /// What it does.
    pub kind: StepKind,
    /// Where it stands.
    pub state: StepState,
    /// The keys it waits for.
    pub needs: Vec<String>,
    /// What decides about it, as JSON.
    pub rule: Value,
    /// 0 to 1.
    pub progress: f64,
    /// When all its tries must be over, in milliseconds since 1970.
    pub deadline_at: Option<i64>,
}

/// In the workflow's order, the items of a list behind it in the list's.
fn ordered(which: Condition) -> Select<Entity> {
    let query = Entity::find().filter(which).order_by_asc(Column::Position);
    query.order_by_asc(Column::ItemIndex).order_by_asc(Column::Id)
}

fn of(task: TaskId) -> Condition {
    Condition::all().add(Column::TaskId.eq(task.0))
}

async fn all(connection: &impl ConnectionTrait, which: Condition) -> Result<Vec<StepRow>> {
    ordered(which).all(connection).await?.into_iter().map(TryInto::try_into).collect()
}

/// The rows of tasks without their items, as far as the rules need them, in the workflow's order.
pub(super) async fn views(
    connection: &impl ConnectionTrait,
    tasks: impl IntoIterator<Item = i64>,
) -> Result<HashMap<i64, Vec<StepView>>> {
    type Found = (i64, String, String, String, String, Json, Option<Json>, f64, Option<i64>);
    let which = Condition::all().add(Column::TaskId.is_in(tasks)).add(Column::List.is_null());
    let found: Vec<Found> = ordered(which)
        .select_only()
        .columns([Column::TaskId, Column::Id, Column::Key, Column::Kind, Column::State, Column::Needs, Column::Rule])
        .columns([Column::Progress, Column::DeadlineAt])
        .into_tuple()
        .all(connection)
        .await?;
    let mut views: HashMap<i64, Vec<StepView>> = HashMap::new();
    for (task, id, key, kind, state, needs, rule, progress, deadline_at) in found {
        let (kind, state, needs) = (kind.parse()?, state.parse()?, rows::read(needs)?);
        let rule = rule.map(|rule| rule.0).unwrap_or_default();
        views.entry(task).or_default().push(StepView { id, key, kind, state, needs, rule, progress, deadline_at });
    }
    Ok(views)
}

impl Tx {
    /// Every row of a task with its items, in the workflow's order.
    pub async fn steps_of(&self, task: TaskId) -> Result<Vec<StepRow>> {
        all(&self.inner, of(task)).await
    }

    /// The rows of a task without its items, in the workflow's order.
    pub async fn main_steps_of(&self, task: TaskId) -> Result<Vec<StepRow>> {
        all(&self.inner, of(task).add(Column::List.is_null())).await
    }

    /// The rows of a task without its items, as far as the rules need them.
    pub async fn views_of(&self, task: TaskId) -> Result<Vec<StepView>> {
        Ok(views(&self.inner, [task.0]).await?.remove(&task.0).unwrap_or_default())
    }

    /// One row.
    pub async fn step(&self, id: &str) -> Result<Option<StepRow>> {
        Entity::find_by_id(id).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// One row of a task.
    pub async fn step_by_key(&self, task: TaskId, key: &str) -> Result<Option<StepRow>> {
        Ok(all(&self.inner, of(task).add(Column::Key.eq(key))).await?.pop())
    }

    /// The rows of a task with these keys.
    pub async fn steps_named(&self, task: TaskId, keys: &[String]) -> Result<Vec<StepRow>> {
        all(&self.inner, of(task).add(Column::Key.is_in(keys.iter().cloned()))).await
    }

    /// Every running row.
    pub async fn running_steps(&self) -> Result<Vec<StepRow>> {
        all(&self.inner, Condition::all().add(Column::State.eq(StepState::Running.as_str()))).await
    }
}

impl Store {
    /// The running rows that this worker has claimed.
    pub async fn steps_claimed_by(&self, owner: &str) -> Result<Vec<StepRow>> {
        let running = Condition::all().add(Column::State.eq(StepState::Running.as_str()));
        all(&self.read, running.add(Column::LeaseOwner.eq(owner))).await
    }

    /// Every row of a task with its items, in the workflow's order.
    pub async fn steps_of(&self, task: TaskId) -> Result<Vec<StepRow>> {
        all(&self.read, of(task)).await
    }

    /// The rows of a task without its items, in the workflow's order.
    pub async fn main_steps_of(&self, task: TaskId) -> Result<Vec<StepRow>> {
        all(&self.read, of(task).add(Column::List.is_null())).await
    }

    /// The rows of a task with these keys.
    pub async fn steps_named(&self, task: TaskId, keys: &[String]) -> Result<Vec<StepRow>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        all(&self.read, of(task).add(Column::Key.is_in(keys.iter().cloned()))).await
    }

    /// The ids of the rows that nobody works on and whose deadline is over; those of lists without their items.
    pub async fn overdue_steps(&self) -> Result<Vec<String>> {
        let now = self.dialect.now(&self.read).await?;
        let idle = [StepState::Ready.as_str(), StepState::Waiting.as_str()];
        let overdue = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::State.is_in(idle))
            .filter(Column::DeadlineAt.lte(now))
            .filter(Column::List.is_null());
        Ok(overdue.into_tuple().all(&self.read).await?)
    }
}
