//! Rows that are written unless they are there.

use sea_orm::{ActiveModelTrait, ColumnTrait, Condition, EntityTrait, QueryFilter};

use super::Tx;
use crate::error::Result;

impl Tx {
    /// Inserts a row unless there is one with the same `key`; whether it did. Nobody else writes meanwhile, so it is looked
    /// for first: what an insertion passes over, and how many rows it then counts, is another thing in each database.
    pub(super) async fn insert_new<A, E>(&self, model: A, key: &[E::Column]) -> Result<bool>
    where
        A: ActiveModelTrait<Entity = E>,
        E: EntityTrait,
    {
        let same = key.iter().filter_map(|column| Some(column.eq(model.get(*column).into_value()?)));
        let same = same.fold(Condition::all(), Condition::add);
        if E::find().filter(same).one(&self.inner).await?.is_some() {
            return Ok(false);
        }
        E::insert(model).exec_without_returning(&self.inner).await?;
        Ok(true)
    }
}
