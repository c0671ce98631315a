//! What a database wants done when nobody else wants anything of it.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{
    Store,
    entities::{delivery, step},
};
use crate::{domain::StepState, error::Result};

impl Store {
    /// Whether no step runs or could start now, and no delivery is being sent.
    pub async fn is_quiet(&self) -> Result<bool> {
        use step::Column;
        let now = self.now().await?;
        let running = step::Entity::find().filter(Column::State.eq(StepState::Running.as_str()));
        let due = step::Entity::find().filter(Column::State.eq(StepState::Ready.as_str()));
        let sent = delivery::Entity::find().filter(delivery::Column::State.eq("sending"));
        Ok(running.count(&self.read).await? == 0
            && due.filter(Column::EligibleAt.lte(now)).count(&self.read).await? == 0
            && sent.count(&self.read).await? == 0)
    }

    /// Brings the planner's statistics up to date and gives free space back, in steps that hold nobody up for long.
    pub async fn tidy(&self) -> Result<()> {
        Ok(self.dialect.tidy(&self.write).await?)
    }
}
