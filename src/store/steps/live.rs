//! What tasks are at: their steps that are at work or may be, and where those stand that wait for their turn.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select};

use super::{Column, Entity, StepRow};
use crate::{
    domain::{Lane, StepKind, StepState, TaskId},
    error::{Report, Result},
    store::{Store, date, json::Json, rows},
};

/// So far back somebody's place in a lane is told: whoever stands further back has time.
const PLACES: u64 = 500;

/// A step that has not ended and waits for no other, without what is large.
#[derive(Clone, Debug)]
pub struct LiveStep {
    /// Its row.
    pub id: String,
    /// The task it belongs to.
    pub task_id: TaskId,
    /// Its name in the definition.
    pub key: String,
    /// What it does.
    pub kind: StepKind,
    /// Where it waits.
    pub lane: Lane,
    /// Where it stands: `ready`, `running` or `waiting`.
    pub state: StepState,
    /// Tries so far.
    pub attempt: i64,
    /// 0 to 1.
    pub progress: f64,
    /// The last try's error.
    pub error: Option<Report>,
    /// Of a list, how many of its items have not ended.
    pub remaining: Option<i64>,
    /// When the last try started.
    pub started_at: Option<DateTime<Utc>>,
    /// When it may start.
    pub eligible_at: DateTime<Utc>,
}

impl LiveStep {
    /// The same of a row that was read whole; none of one that has ended or waits for others.
    pub fn of(row: &StepRow) -> Option<Self> {
        let step = &row.step;
        let is_live = matches!(step.state, StepState::Ready | StepState::Running | StepState::Waiting);
        is_live.then(|| Self {
            id: step.id.clone(),
            task_id: step.task_id,
            key: step.key.clone(),
            kind: step.kind,
            lane: step.lane,
            state: step.state,
            attempt: step.attempt,
            progress: step.progress,
            error: step.error.clone(),
            remaining: row.remaining,
            started_at: step.started_at,
            eligible_at: step.eligible_at,
        })
    }
}

impl Store {
    /// What these tasks are at, in one query: lists without their items, each task's in the workflow's order.
    pub async fn live_steps(&self, tasks: &[TaskId]) -> Result<Vec<LiveStep>> {
        type Found =
            (String, i64, String, String, String, String, i64, f64, Option<Json>, Option<i64>, Option<i64>, i64);
        if tasks.is_empty() {
            return Ok(Vec::new());
        }
        let found: Vec<Found> = live(tasks).into_tuple().all(&self.read).await?;
        let read = |row: Found| {
            let (id, task, key, kind, lane, state, attempt, progress, error, remaining, started_at, eligible_at) = row;
            Ok(LiveStep {
                id,
                task_id: TaskId(task),
                key,
                kind: kind.parse()?,
                lane: lane.parse()?,
                state: state.parse()?,
                attempt,
                progress,
                error: error.map(rows::read).transpose()?,
                remaining,
                started_at: started_at.map(date),
                eligible_at: date(eligible_at),
            })
        };
        found.into_iter().map(read).collect()
    }

    /// The rows that are next in a lane with their places, from 1.
    pub async fn places(&self, lane: Lane) -> Result<HashMap<String, u64>> {
        let now = self.dialect.now(&self.read).await?;
        let ids: Vec<String> = next(lane, now).into_tuple().all(&self.read).await?;
        Ok(ids.into_iter().zip(1..).collect())
    }

    /// The queries of above, to see how the database goes about them.
    #[cfg(test)]
    pub(in crate::store) fn live_queries() -> [sea_orm::sea_query::SelectStatement; 2] {
        use sea_orm::QueryTrait;
        [live(&[TaskId(1), TaskId(2)]).into_query(), next(Lane::Gpu, 0).into_query()]
    }
}

fn live(tasks: &[TaskId]) -> Select<Entity> {
    let states = [StepState::Ready, StepState::Running, StepState::Waiting].map(StepState::as_str);
    Entity::find()
        .select_only()
        .columns([Column::Id, Column::TaskId, Column::Key, Column::Kind, Column::Lane, Column::State])
        .columns([Column::Attempt, Column::Progress, Column::Error, Column::Remaining])
        .columns([Column::StartedAt, Column::EligibleAt])
        .filter(Column::TaskId.is_in(tasks.iter().map(|id| id.0)))
        .filter(Column::List.is_null())
        .filter(Column::State.is_in(states))
        .order_by_asc(Column::Position)
        .order_by_asc(Column::Id)
}

/// In the order in which they are claimed (`dialect/claim.rs`).
fn next(lane: Lane, now: i64) -> Select<Entity> {
    Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Lane.eq(lane.as_str()))
        .filter(Column::State.eq(StepState::Ready.as_str()))
        .filter(Column::EligibleAt.lte(now))
        .order_by_asc(Column::SortKey)
        .order_by_asc(Column::Id)
        .limit(PLACES)
}
