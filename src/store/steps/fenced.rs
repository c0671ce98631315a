//! What workers write: each only while the row is theirs.

use sea_orm::{
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect, UpdateMany, sea_query::Expr,
};
use serde_json::Value;

use super::{Claim, Claimed, Column, Entity, Fence, Heartbeat, LEVEL_MS, Model, StepRow, end};
use crate::{
    domain::{Lane, StepState},
    error::{Report, Result},
    fault, metrics,
    store::{Tx, json::Json, rows},
};

impl Tx {
    /// Takes ready rows for a worker.
    pub async fn claim_steps(&self, claim: &Claim<'_>) -> Result<Vec<Claimed>> {
        let mut claimed = Vec::new();
        for row in self.dialect.claim(&self.inner, claim, self.now).await? {
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

    /// Whether a row is still the worker's.
    pub(super) async fn is_held(&self, fence: &Fence) -> Result<bool> {
        let rows = Entity::find_by_id(&fence.id).filter(held(fence)).count(&self.inner).await?;
        Ok(noted(rows == 1))
    }

    /// Ends a running step well. `input_hash` is the SHA-256 of what it worked on.
    pub async fn succeed_step(&self, fence: &Fence, output: &Value, input_hash: Option<&str>) -> Result<bool> {
        let now = self.now;
        self.update_fenced(fence, |update| {
            end(update, StepState::Succeeded, now)
                .col_expr(Column::Output, Expr::value(Json(output.clone())))
                .col_expr(Column::InputHash, Expr::value(input_hash.map(str::to_owned)))
                .col_expr(Column::Error, Expr::value(Option::<Json>::None))
                .col_expr(Column::Progress, Expr::value(1.0))
        })
        .await
    }

    /// Ends a running step that was not needed: its `when` came to false.
    pub async fn skip_step(&self, fence: &Fence) -> Result<bool> {
        let now = self.now;
        self.update_fenced(fence, |update| {
            end(update, StepState::Skipped, now).col_expr(Column::Chosen, Expr::value(false))
        })
        .await
    }

    /// Notes that a running step's `when` came to true.
    pub async fn choose_step(&self, fence: &Fence) -> Result<bool> {
        self.update_fenced(fence, |update| update.col_expr(Column::Chosen, Expr::value(true))).await
    }

    /// Sends a running step whose `when` came to true on to the lane of its work; the decision was no try.
    pub async fn move_step(&self, fence: &Fence, lane: Lane) -> Result<bool> {
        self.update_fenced(fence, |update| {
            update
                .col_expr(Column::State, Expr::value(StepState::Ready.as_str()))
                .col_expr(Column::Lane, Expr::value(lane.as_str()))
                .col_expr(Column::Chosen, Expr::value(true))
                .col_expr(Column::Attempt, Expr::col(Column::Attempt).sub(1))
                .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
                .col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None))
        })
        .await
    }

    /// Lets a running step wait for what works in its place: `items` of its list, or a task. `input_hash` is the SHA-256 of
    /// what it works on.
    pub async fn park_step(&self, fence: &Fence, items: Option<i64>, input_hash: Option<&str>) -> Result<bool> {
        self.update_fenced(fence, |update| {
            update
                .col_expr(Column::State, Expr::value(StepState::Waiting.as_str()))
                .col_expr(Column::Chosen, Expr::value(true))
                .col_expr(Column::Remaining, Expr::value(items))
                .col_expr(Column::InputHash, Expr::value(input_hash.map(str::to_owned)))
                .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
                .col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None))
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

    async fn update_fenced(
        &self,
        fence: &Fence,
        change: impl FnOnce(UpdateMany<Entity>) -> UpdateMany<Entity>,
    ) -> Result<bool> {
        let done = change(Entity::update_many())
            .filter(Column::Id.eq(&fence.id))
            .filter(held(fence))
            .exec(&self.inner)
            .await?;
        Ok(noted(done.rows_affected == 1))
    }
}

/// Counts what is refused.
fn noted(ours: bool) -> bool {
    if !ours {
        metrics::stale_write("step");
    }
    ours
}

/// Of a row: that it is still the worker's.
pub(super) fn held(fence: &Fence) -> sea_orm::Condition {
    // For the test which shows that steps are finished twice without it.
    if fault::is_set("store::unfenced") {
        return sea_orm::Condition::all();
    }
    sea_orm::Condition::all()
        .add(Column::LeaseToken.eq(fence.token))
        .add(Column::LeaseOwner.eq(&fence.owner))
        .add(Column::State.eq(StepState::Running.as_str()))
}
