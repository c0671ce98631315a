//! How full the lanes are.

use sea_orm::{ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect};

use super::{
    Store,
    entities::step::{Column, Entity},
};
use crate::{
    domain::{Lane, StepState},
    error::Result,
};

impl Store {
    /// How many rows of a lane run or may start now. Those that wait for their time (a model that is missing, the next
    /// try) do not count: they keep nobody busy.
    pub async fn backlog(&self, lane: Lane) -> Result<u64> {
        let now = self.dialect.now(&self.read).await?;
        // States first, as a list: otherwise SQLite walks through every step that the lane ever had.
        let open = Column::State.is_in([StepState::Running.as_str(), StepState::Ready.as_str()]);
        let busy = open.and(Column::State.eq(StepState::Running.as_str()).or(Column::EligibleAt.lte(now)));
        Ok(Entity::find().filter(Column::Lane.eq(lane.as_str())).filter(busy).count(&self.read).await?)
    }

    /// How many rows of a lane are put off to a later time.
    pub async fn put_off(&self, lane: Lane) -> Result<u64> {
        let now = self.dialect.now(&self.read).await?;
        let later = Column::State.eq(StepState::Ready.as_str()).and(Column::EligibleAt.gt(now));
        Ok(Entity::find().filter(Column::Lane.eq(lane.as_str())).filter(later).count(&self.read).await?)
    }

    /// In how many milliseconds by the database's clock the next ready row of a lane may start, below 1 for now; among
    /// those of the highest priority on which no worker has died, if only `urgent` ones count.
    pub async fn next_eligible(&self, lane: Lane, urgent: bool) -> Result<Option<i64>> {
        let mut ready = Column::Lane.eq(lane.as_str()).and(Column::State.eq(StepState::Ready.as_str()));
        if urgent {
            ready = ready.and(Column::Level.eq(0)).and(Column::Crashes.eq(0));
        }
        let soonest = Entity::find()
            .select_only()
            .column_as(Column::EligibleAt.min(), "soonest")
            .filter(ready)
            .into_tuple::<Option<i64>>()
            .one(&self.read)
            .await?;
        let Some(soonest) = soonest.flatten() else { return Ok(None) };
        Ok(Some(soonest - self.dialect.now(&self.read).await?))
    }
}
