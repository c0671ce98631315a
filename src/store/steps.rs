//! The `steps` table: the queue.
//!
//! Every write that a worker makes carries a [`Fence`]: it touches the row only while the row is still leased to that
//! worker under that token. A write that finds no such row returns `false`, and its caller throws its work away.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect,
    UpdateMany, sea_query::Expr,
};
use serde_json::{Map, Value};

use super::{
    Store, Tx,
    entities::step::{Column, Entity, Model},
    rows,
};
use crate::{
    domain::{Lane, Step, StepKind, StepState, TaskId},
    error::{Report, Result},
};

/// A row to be written.
#[derive(Clone, Debug)]
pub struct NewStep {
    /// Its key in the task.
    pub key: String,
    /// What it does.
    pub kind: StepKind,
    /// The keys it waits for; none makes it ready at once.
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
}

/// A row with all that the queue needs to know of it.
#[derive(Clone, Debug)]
pub struct StepRow {
    /// The step as it is shown.
    pub step: Step,
    /// The keys it waits for.
    pub needs: Vec<String>,
    /// Its input, with references.
    pub with: Map<String, Value>,
    /// Its retry rule as JSON.
    pub retry: Value,
    /// For one try, in milliseconds.
    pub timeout_ms: Option<i64>,
    /// Its priority level.
    pub level: i64,
    /// What decides about it beside its input, as JSON.
    pub rule: Value,
    /// The key of the `foreach` step to whose list it belongs.
    pub list: Option<String>,
    /// Its place in that list, from 0.
    pub item_index: Option<i64>,
    /// Its item of that list.
    pub item: Option<Value>,
    /// Of a `foreach` step: how many of its items have not ended.
    pub remaining: Option<i64>,
    /// What its `when` came to.
    pub chosen: Option<bool>,
    /// SHA-256 of its input with the references filled in.
    pub input_hash: Option<String>,
    /// When all its tries must be over, in milliseconds since 1970.
    pub deadline_at: Option<i64>,
    /// Whether the result of the same step of the task that its task repeats may be taken.
    pub reuse: bool,
    /// The token of its last claim.
    pub lease_token: i64,
    /// Who holds it.
    pub lease_owner: Option<String>,
    /// Until when, in milliseconds since 1970.
    pub lease_until: Option<i64>,
}

/// What to claim.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The worker: unique for each start of a process.
    pub owner: &'a str,
    /// Which lane.
    pub lane: Lane,
    /// How many at most.
    pub limit: usize,
    /// Kinds to leave alone, because what comes after them is full.
    pub skip_kinds: &'a [StepKind],
    /// Whether steps of the highest priority are taken all the same.
    pub spare_urgent: bool,
    /// Whether only steps of the highest priority are wanted, and none on which a worker has died.
    pub urgent: bool,
    /// How long the claim holds without a heartbeat.
    pub lease_ms: i64,
}

/// A claimed row.
pub type Claimed = StepRow;

/// Which claim a write belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The step.
    pub id: String,
    /// The claim's token.
    pub token: i64,
    /// The worker.
    pub owner: String,
}

/// One row of a heartbeat's answer.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The step that is still ours.
    pub id: String,
    /// Whether someone wants it to stop.
    pub cancelled: bool,
}

impl TryFrom<Model> for StepRow {
    type Error = crate::error::Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            needs: rows::read(row.needs.clone())?,
            with: rows::read(row.with.clone())?,
            retry: row.retry.clone(),
            timeout_ms: row.timeout_ms,
            level: row.level,
            rule: row.rule.clone().unwrap_or_else(|| Value::Object(Map::new())),
            list: row.list.clone(),
            item_index: row.item_index,
            item: row.item.clone(),
            remaining: row.remaining,
            chosen: row.chosen,
            input_hash: row.input_hash.clone(),
            deadline_at: row.deadline_at,
            reuse: row.reuse.unwrap_or(false),
            lease_token: row.lease_token,
            lease_owner: row.lease_owner.clone(),
            lease_until: row.lease_until,
            step: row.try_into()?,
        })
    }
}

/// A level of priority is worth this much waiting.
const LEVEL_MS: i64 = 5 * 60 * 1000;

impl Tx {
    /// Writes a task's rows. Those that wait for nothing are ready.
    pub async fn insert_steps(&self, task: TaskId, steps: &[NewStep]) -> Result<()> {
        let mut models = Vec::new();
        for (position, step) in steps.iter().enumerate() {
            let state = if step.needs.is_empty() { StepState::Ready } else { StepState::Blocked };
            models.push(super::entities::step::ActiveModel {
                id: Set(uuid::Uuid::now_v7().to_string()),
                task_id: Set(task.0),
                key: Set(step.key.clone()),
                position: Set(i32::try_from(position).unwrap_or(i32::MAX)),
                kind: Set(step.kind.to_string()),
                lane: Set(step.kind.lane().to_string()),
                state: Set(state.to_string()),
                needs: Set(rows::json(&step.needs)?),
                with: Set(rows::json(&step.with)?),
                retry: Set(step.retry.clone()),
                timeout_ms: Set(step.timeout_ms),
                level: Set(step.level),
                sort_key: Set(self.now + step.level * LEVEL_MS),
                eligible_at: Set(self.now),
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
                rule: Set(Some(step.rule.clone())),
                reuse: Set(Some(step.reuse)),
                ..Default::default()
            });
        }
        Entity::insert_many(models).exec(&self.inner).await?;
        Ok(())
    }

    /// Takes ready rows for a worker.
    pub async fn claim_steps(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        let statement = self.dialect.claim(claim, self.now);
        let mut claimed = Vec::new();
        for row in self.inner.query_all_raw(statement).await? {
            let model = <Model as sea_orm::FromQueryResult>::from_query_result(&row, "")?;
            claimed.push(StepRow::try_from(model)?);
        }
        Ok(claimed)
    }

    /// Renews the leases of `ids`; those missing from the answer are no longer ours.
    pub async fn heartbeat(&self, owner: &str, lease_ms: i64, ids: &[String]) -> Result<Vec<Heartbeat>> {
        let ours = Column::LeaseOwner.eq(owner).and(Column::State.eq(StepState::Running.as_str()));
        let ours = ours.and(Column::Id.is_in(ids.iter().cloned()));
        Entity::update_many()
            .col_expr(Column::LeaseUntil, Expr::value(self.now + lease_ms))
            .filter(ours.clone())
            .exec(&self.inner)
            .await?;
        let rows: Vec<(String, Option<i64>)> = Entity::find()
            .select_only()
            .column(Column::Id)
            .column(Column::CancelAt)
            .filter(ours)
            .into_tuple()
            .all(&self.inner)
            .await?;
        Ok(rows.into_iter().map(|(id, cancel)| Heartbeat { id, cancelled: cancel.is_some() }).collect())
    }

    /// Notes how far a running step is.
    pub async fn set_progress(&self, fence: &Fence, progress: f64) -> Result<bool> {
        self.update_fenced(fence, |update| update.col_expr(Column::Progress, Expr::value(progress))).await
    }

    /// Ends a running step well.
    pub async fn succeed_step(&self, fence: &Fence, output: &Value) -> Result<bool> {
        let now = self.now;
        self.update_fenced(fence, |update| {
            end(update, StepState::Succeeded, now)
                .col_expr(Column::Output, Expr::value(output.clone()))
                .col_expr(Column::Error, Expr::value(Option::<Value>::None))
                .col_expr(Column::Progress, Expr::value(1.0))
        })
        .await
    }

    /// Ends a running step with `state` (failed or cancelled) and its error.
    pub async fn end_step(&self, fence: &Fence, state: StepState, error: &Report) -> Result<bool> {
        let (now, error) = (self.now, rows::json(error)?);
        self.update_fenced(fence, |update| end(update, state, now).col_expr(Column::Error, Expr::value(error))).await
    }

    /// Counts one death of the step's worker and returns the number so far.
    pub async fn count_crash(&self, id: &str) -> Result<i64> {
        Entity::update_many()
            .col_expr(Column::Crashes, Expr::col(Column::Crashes).add(1))
            .filter(Column::Id.eq(id))
            .exec(&self.inner)
            .await?;
        let crashes =
            Entity::find_by_id(id).select_only().column(Column::Crashes).into_tuple().one(&self.inner).await?;
        Ok(crashes.unwrap_or(0))
    }

    /// Gives a running step back to the queue, to be tried `after_ms` from now. `refund` takes the attempt back.
    pub async fn requeue_step(
        &self,
        fence: &Fence,
        after_ms: i64,
        refund: bool,
        error: Option<&Report>,
    ) -> Result<bool> {
        let (eligible, error) = (self.now + after_ms, error.map(rows::json).transpose()?);
        self.update_fenced(fence, |update| {
            let update = update
                .col_expr(Column::State, Expr::value(StepState::Ready.as_str()))
                .col_expr(Column::EligibleAt, Expr::value(eligible))
                .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
                .col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None))
                .col_expr(Column::Error, Expr::value(error));
            // What is put off makes way for newer work that can be done now.
            let later = Expr::col(Column::Level).mul(LEVEL_MS).add(eligible);
            let update = if after_ms > 0 { update.col_expr(Column::SortKey, later) } else { update };
            if refund { update.col_expr(Column::Attempt, Expr::col(Column::Attempt).sub(1)) } else { update }
        })
        .await
    }

    /// Makes blocked rows ready.
    pub async fn ready_steps(&self, task: TaskId, keys: &[String]) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(StepState::Ready.as_str()))
            .col_expr(Column::EligibleAt, Expr::value(self.now))
            .filter(Column::TaskId.eq(task.0))
            .filter(Column::State.eq(StepState::Blocked.as_str()))
            .filter(Column::Key.is_in(keys.iter().cloned()))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Ends every row of a task that has not started, and asks the running ones to stop. Returns the running ones' ids.
    pub async fn stop_steps(&self, task: TaskId) -> Result<Vec<String>> {
        let of_task = Column::TaskId.eq(task.0);
        end(Entity::update_many(), StepState::Cancelled, self.now)
            .filter(of_task.clone())
            .filter(Column::State.is_in([StepState::Blocked.as_str(), StepState::Ready.as_str()]))
            .exec(&self.inner)
            .await?;
        let running = of_task.and(Column::State.eq(StepState::Running.as_str()));
        Entity::update_many()
            .col_expr(Column::CancelAt, Expr::value(self.now))
            .filter(running.clone())
            .exec(&self.inner)
            .await?;
        let ids = Entity::find().select_only().column(Column::Id).filter(running).into_tuple().all(&self.inner).await?;
        Ok(ids)
    }

    /// Makes the failed and cancelled rows of a task, and those named in `also`, wait to be tried from the beginning.
    pub async fn reset_steps(&self, task: TaskId, also: &[String]) -> Result<()> {
        let ended = Column::State.is_in([StepState::Failed.as_str(), StepState::Cancelled.as_str()]);
        Entity::update_many()
            .col_expr(Column::State, Expr::value(StepState::Blocked.as_str()))
            .col_expr(Column::Attempt, Expr::value(0))
            .col_expr(Column::Crashes, Expr::value(0))
            .col_expr(Column::Progress, Expr::value(0.0))
            .col_expr(Column::Error, Expr::value(Option::<Value>::None))
            .col_expr(Column::FinishedAt, Expr::value(Option::<i64>::None))
            .col_expr(Column::SortKey, Expr::col(Column::Level).mul(LEVEL_MS).add(self.now))
            .filter(Column::TaskId.eq(task.0))
            .filter(ended.or(Column::Key.is_in(also.iter().cloned())))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Lets the rows of a lane that are put off because of `code` start now.
    pub async fn hurry_steps(&self, lane: Lane, code: &str) -> Result<()> {
        let put_off = Entity::find()
            .filter(Column::Lane.eq(lane.as_str()))
            .filter(Column::State.eq(StepState::Ready.as_str()))
            .filter(Column::EligibleAt.gt(self.now))
            .all(&self.inner)
            .await?;
        let is_it = |row: &Model| row.error.as_ref().is_some_and(|error| error["code"] == code);
        let ids: Vec<String> = put_off.into_iter().filter(is_it).map(|row| row.id).collect();
        let update = Entity::update_many().col_expr(Column::EligibleAt, Expr::value(self.now));
        update.filter(Column::Id.is_in(ids)).exec(&self.inner).await?;
        Ok(())
    }

    /// Every row of a task, in the workflow's order.
    pub async fn steps_of(&self, task: TaskId) -> Result<Vec<StepRow>> {
        steps_of(&self.inner, task).await
    }

    /// Every running row.
    pub async fn running_steps(&self) -> Result<Vec<StepRow>> {
        let rows = Entity::find().filter(Column::State.eq(StepState::Running.as_str())).all(&self.inner).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// The running rows whose lease is over.
    pub async fn lapsed_steps(&self) -> Result<Vec<StepRow>> {
        let running = Entity::find().filter(Column::State.eq(StepState::Running.as_str()));
        let rows = running.filter(Column::LeaseUntil.lt(self.now)).all(&self.inner).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    async fn update_fenced(
        &self,
        fence: &Fence,
        change: impl FnOnce(UpdateMany<Entity>) -> UpdateMany<Entity>,
    ) -> Result<bool> {
        let done = change(Entity::update_many())
            .filter(Column::Id.eq(&fence.id))
            .filter(Column::LeaseToken.eq(fence.token))
            .filter(Column::LeaseOwner.eq(&fence.owner))
            .filter(Column::State.eq(StepState::Running.as_str()))
            .exec(&self.inner)
            .await?;
        Ok(done.rows_affected == 1)
    }
}

fn end(update: UpdateMany<Entity>, state: StepState, now: i64) -> UpdateMany<Entity> {
    update
        .col_expr(Column::State, Expr::value(state.as_str()))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None))
}

async fn steps_of(connection: &impl ConnectionTrait, task: TaskId) -> Result<Vec<StepRow>> {
    let rows = Entity::find().filter(Column::TaskId.eq(task.0)).order_by_asc(Column::Position).all(connection).await?;
    rows.into_iter().map(TryInto::try_into).collect()
}

impl Store {
    /// Every row of a task, in the workflow's order.
    pub async fn steps_of(&self, task: TaskId) -> Result<Vec<StepRow>> {
        steps_of(&self.read, task).await
    }
}
