//! How much there is of what has not ended, counted by index alone.

use std::collections::HashSet;

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::{
    Store,
    entities::{delivery, step, task},
};
use crate::{
    domain::{Lane, StepState, TaskId, TaskStatus},
    error::Result,
};

/// States of deliveries that have not ended.
const OPEN: [&str; 3] = ["pending", "sending", "held"];
/// States of steps that have not ended and do not wait for other steps.
const LIVE: [StepState; 3] = [StepState::Ready, StepState::Running, StepState::Waiting];

/// How much there is. Every status, lane and state is there, with 0 where there is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Load {
    /// Tasks by status.
    pub tasks: Vec<(TaskStatus, u64)>,
    /// Steps that have not ended, by lane and state: `ready`, `running`, `waiting`.
    pub steps: Vec<(Lane, StepState, u64)>,
    /// Deliveries that have not ended: `pending`, `sending`, `held`.
    pub deliveries: Vec<(&'static str, u64)>,
}

impl Store {
    /// Which of these tasks have not ended.
    pub async fn open_among(&self, tasks: &[TaskId]) -> Result<HashSet<TaskId>> {
        let ended = TaskStatus::ALL.iter().filter(|status| status.is_final()).map(|status| status.as_str());
        let mut open = HashSet::new();
        for some in tasks.chunks(1_000) {
            let rows: Vec<i64> = task::Entity::find()
                .select_only()
                .column(task::Column::Id)
                .filter(task::Column::Id.is_in(some.iter().map(|id| id.0)))
                .filter(task::Column::Status.is_not_in(ended.clone()))
                .into_tuple()
                .all(&self.read)
                .await?;
            open.extend(rows.into_iter().map(TaskId));
        }
        Ok(open)
    }

    /// Counts what there is: a few milliseconds for each 100,000 tasks.
    pub async fn load(&self) -> Result<Load> {
        let mut load = Load { tasks: Vec::new(), steps: Vec::new(), deliveries: Vec::new() };
        for status in TaskStatus::ALL {
            let rows = task::Entity::find().filter(task::Column::Status.eq(status.as_str()));
            load.tasks.push((*status, rows.count(&self.read).await?));
        }
        let counted: Vec<(String, String, i64)> = step::Entity::find()
            .select_only()
            .column(step::Column::Lane)
            .column(step::Column::State)
            .column_as(step::Column::Id.count(), "count")
            .filter(step::Column::Lane.is_in(Lane::ALL.iter().map(|lane| lane.as_str())))
            .filter(step::Column::State.is_in(LIVE.map(StepState::as_str)))
            .group_by(step::Column::Lane)
            .group_by(step::Column::State)
            .into_tuple()
            .all(&self.read)
            .await?;
        for lane in Lane::ALL {
            for state in LIVE {
                let of = |row: &&(String, String, i64)| row.0 == lane.as_str() && row.1 == state.as_str();
                let count = counted.iter().find(of).map_or(0, |row| u64::try_from(row.2).unwrap_or_default());
                load.steps.push((*lane, state, count));
            }
        }
        for state in OPEN {
            let rows = delivery::Entity::find().filter(delivery::Column::State.eq(state));
            load.deliveries.push((state, rows.count(&self.read).await?));
        }
        Ok(load)
    }
}
