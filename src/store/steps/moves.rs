//! What is done to rows that nobody works on, each guarded by the state it is done to.

use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QuerySelect, UpdateMany, sea_query::Expr};
use serde_json::Value;

use super::{Column, Entity, LEVEL_MS, Model, end};
use crate::{
    domain::{Lane, StepState, TaskId},
    error::{Report, Result},
    store::{Tx, json::Json, rows},
};

/// A blocked row that may start.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// Its key.
    pub key: String,
    /// How long it waits still, in milliseconds.
    pub delay_ms: i64,
    /// When all its tries must be over, in milliseconds since 1970.
    pub deadline_at: Option<i64>,
}

/// What a stop has met.
#[derive(Clone, Debug, Default)]
pub struct Stopped {
    /// The rows that run and are asked to stop.
    pub running: Vec<String>,
    /// The rows that waited for work elsewhere, which should stop, too.
    pub waiting: Vec<String>,
}

impl Tx {
    /// Makes blocked rows ready.
    pub async fn start_steps(&self, task: TaskId, starts: &[Start]) -> Result<()> {
        let (plain, timed): (Vec<_>, Vec<_>) =
            starts.iter().partition(|start| start.delay_ms == 0 && start.deadline_at.is_none());
        let ready = || {
            Entity::update_many()
                .col_expr(Column::State, Expr::value(StepState::Ready.as_str()))
                .filter(Column::TaskId.eq(task.0))
                .filter(Column::State.eq(StepState::Blocked.as_str()))
        };
        if !plain.is_empty() {
            ready()
                .col_expr(Column::EligibleAt, Expr::value(self.now))
                .filter(Column::Key.is_in(plain.iter().map(|start| start.key.clone())))
                .exec(&self.inner)
                .await?;
        }
        for start in timed {
            ready()
                .col_expr(Column::EligibleAt, Expr::value(self.now.saturating_add(start.delay_ms)))
                .col_expr(Column::DeadlineAt, Expr::value(start.deadline_at))
                .filter(Column::Key.eq(&start.key))
                .exec(&self.inner)
                .await?;
        }
        Ok(())
    }

    /// Ends blocked rows that are not needed.
    pub async fn skip_steps(&self, task: TaskId, keys: &[String]) -> Result<()> {
        end(Entity::update_many(), StepState::Skipped, self.now)
            .filter(Column::TaskId.eq(task.0))
            .filter(Column::State.eq(StepState::Blocked.as_str()))
            .filter(Column::Key.is_in(keys.iter().cloned()))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Ends a blocked row with an error; whether it was blocked.
    pub async fn fail_blocked(&self, task: TaskId, key: &str, error: &Report) -> Result<bool> {
        let ended = end(Entity::update_many(), StepState::Failed, self.now)
            .col_expr(Column::Error, Expr::value(rows::json(error)?))
            .filter(Column::TaskId.eq(task.0))
            .filter(Column::Key.eq(key))
            .filter(Column::State.eq(StepState::Blocked.as_str()))
            .exec(&self.inner)
            .await?;
        Ok(ended.rows_affected == 1)
    }

    /// Ends a row that waits for work elsewhere with what came of it; whether it did wait.
    pub async fn end_waiting(&self, id: &str, outcome: Result<&Value, &Report>) -> Result<bool> {
        let (state, output, error) = match outcome {
            Ok(output) => (StepState::Succeeded, Some(output.clone()), None),
            Err(error) => (StepState::Failed, None, Some(rows::json(error)?)),
        };
        let update = end(Entity::update_many(), state, self.now)
            .col_expr(Column::Output, Expr::value(output.map(Json)))
            .col_expr(Column::Error, Expr::value(error));
        let done = state == StepState::Succeeded;
        let update = if done { update.col_expr(Column::Progress, Expr::value(1.0)) } else { update };
        let waiting = Column::State.eq(StepState::Waiting.as_str());
        let ended = update.filter(Column::Id.eq(id)).filter(waiting).exec(&self.inner).await?;
        Ok(ended.rows_affected == 1)
    }

    /// Ends a row that is ready or waits for work elsewhere with an error; whether it was so.
    pub async fn fail_idle(&self, id: &str, error: &Report) -> Result<bool> {
        let idle = [StepState::Ready.as_str(), StepState::Waiting.as_str()];
        let ended = end(Entity::update_many(), StepState::Failed, self.now)
            .col_expr(Column::Error, Expr::value(rows::json(error)?))
            .filter(Column::Id.eq(id))
            .filter(Column::State.is_in(idle))
            .exec(&self.inner)
            .await?;
        Ok(ended.rows_affected == 1)
    }

    /// Gives a row that waits for a task back to the queue, to be tried `after_ms` from now.
    pub async fn requeue_waiting(&self, id: &str, after_ms: i64, error: &Report) -> Result<bool> {
        let requeued = Entity::update_many()
            .col_expr(Column::State, Expr::value(StepState::Ready.as_str()))
            .col_expr(Column::EligibleAt, Expr::value(self.now.saturating_add(after_ms)))
            .col_expr(Column::Error, Expr::value(rows::json(error)?))
            .filter(Column::Id.eq(id))
            .filter(Column::State.eq(StepState::Waiting.as_str()))
            .exec(&self.inner)
            .await?;
        Ok(requeued.rows_affected == 1)
    }

    /// Ends every row of a task that is not at work, and asks the running ones to stop.
    pub async fn stop_steps(&self, task: TaskId) -> Result<Stopped> {
        self.stop(Condition::all().add(Column::TaskId.eq(task.0))).await
    }

    /// As [`Self::stop_steps`] for the items of a list.
    pub async fn stop_items(&self, task: TaskId, list: &str) -> Result<Stopped> {
        self.stop(Condition::all().add(Column::TaskId.eq(task.0)).add(Column::List.eq(list))).await
    }

    async fn stop(&self, which: Condition) -> Result<Stopped> {
        let idle = [StepState::Blocked.as_str(), StepState::Ready.as_str(), StepState::Waiting.as_str()];
        let open = idle.into_iter().chain([StepState::Running.as_str()]);
        let found = Entity::find().select_only().column(Column::Id).column(Column::State);
        let found = found.filter(which.clone()).filter(Column::State.is_in(open)).into_tuple();
        let found: Vec<(String, String)> = found.all(&self.inner).await?;
        if found.is_empty() {
            return Ok(Stopped::default());
        }
        let of = |state: StepState| found.iter().filter(move |row| row.1 == state.as_str()).map(|row| row.0.clone());
        let (running, waiting) = (of(StepState::Running).collect(), of(StepState::Waiting).collect());
        end(Entity::update_many(), StepState::Cancelled, self.now)
            .filter(which.clone())
            .filter(Column::State.is_in(idle))
            .exec(&self.inner)
            .await?;
        Entity::update_many()
            .col_expr(Column::CancelAt, Expr::value(self.now))
            .filter(which)
            .filter(Column::State.eq(StepState::Running.as_str()))
            .exec(&self.inner)
            .await?;
        Ok(Stopped { running, waiting })
    }

    /// Makes the failed and cancelled rows of a task wait to be tried from the beginning, with those that were skipped
    /// for what has failed, and those named in `also`; items of lists aside. None of the task's steps has a deadline then.
    pub async fn reset_steps(&self, task: TaskId, also: &[String]) -> Result<()> {
        let ended = Column::State.is_in([StepState::Failed.as_str(), StepState::Cancelled.as_str()]);
        let in_vain =
            Column::State.eq(StepState::Skipped.as_str()).and(Column::Chosen.is_null().or(Column::Chosen.eq(true)));
        self.as_new(None)
            .filter(Column::TaskId.eq(task.0))
            .filter(Column::List.is_null())
            .filter(ended.or(in_vain).or(Column::Key.is_in(also.iter().cloned())))
            .exec(&self.inner)
            .await?;
        Entity::update_many()
            .col_expr(Column::DeadlineAt, Expr::value(Option::<i64>::None))
            .filter(Column::TaskId.eq(task.0))
            .filter(Column::List.is_null())
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Makes items of a list, by their places, wait to be tried from the beginning, within this deadline.
    pub async fn reset_items(&self, task: TaskId, list: &str, places: &[i64], deadline_at: Option<i64>) -> Result<()> {
        for some in places.chunks(1_000) {
            self.as_new(deadline_at)
                .filter(Column::TaskId.eq(task.0))
                .filter(Column::List.eq(list))
                .filter(Column::ItemIndex.is_in(some.iter().copied()))
                .exec(&self.inner)
                .await?;
        }
        Ok(())
    }

    fn as_new(&self, deadline_at: Option<i64>) -> UpdateMany<Entity> {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(StepState::Blocked.as_str()))
            .col_expr(Column::Attempt, Expr::value(0))
            .col_expr(Column::Crashes, Expr::value(0))
            .col_expr(Column::Progress, Expr::value(0.0))
            .col_expr(Column::Error, Expr::value(Option::<Json>::None))
            .col_expr(Column::FinishedAt, Expr::value(Option::<i64>::None))
            .col_expr(Column::DeadlineAt, Expr::value(deadline_at))
            .col_expr(Column::SortKey, Expr::col(Column::Level).mul(LEVEL_MS).add(self.now))
    }

    /// Removes rows.
    pub async fn delete_steps(&self, ids: Vec<String>) -> Result<()> {
        Entity::delete_many().filter(Column::Id.is_in(ids)).exec(&self.inner).await?;
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
}
