//! What a database wants done when nobody else wants anything of it.

use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};

use super::{
    Store, Tx,
    entities::{cursor, delivery, step},
};
use crate::{domain::StepState, error::Result};

/// The cursor that says when a row with words was deleted last; there while those words may be in the search's index.
const DELETED: &str = "words_deleted";

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

    /// Brings the planner's statistics up to date and gives free space back, in steps that hold nobody up for long. What was
    /// deleted cannot be read from the database's files afterwards.
    pub async fn tidy(&self) -> Result<()> {
        let deleted = cursor::Entity::find_by_id(DELETED).one(&self.read).await?;
        self.dialect.tidy(&self.write, deleted.is_some()).await?;
        if let Some(deleted) = deleted {
            // Unless something was deleted meanwhile.
            let done = cursor::Entity::delete_many().filter(cursor::Column::Name.eq(DELETED));
            let tx = self.begin().await?;
            done.filter(cursor::Column::Position.eq(deleted.position)).exec(&tx.inner).await?;
            tx.commit().await?;
        }
        Ok(())
    }
}

impl Tx {
    /// Notes that words were deleted, for the next [`Store::tidy`].
    pub(super) async fn note_deleted(&self) -> Result<()> {
        self.set_cursor(DELETED, self.now).await
    }
}
