//! How many tasks stand where, counted by index.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, QuerySelect, Select};

use super::{
    Store, TaskFilter,
    dialect::Dialect,
    entities::task::{Column, Entity},
    tasks::matching,
};
use crate::{domain::TaskStatus, error::Result};

impl Store {
    /// How many of the tasks that a filter lets through are in each state. Every state is there, with 0 where there is none.
    pub async fn counts(&self, filter: &TaskFilter) -> Result<Vec<(TaskStatus, u64)>> {
        let rows: Vec<(String, i64)> = counting(self.dialect, filter).into_tuple().all(&self.read).await?;
        let found: HashMap<String, i64> = rows.into_iter().collect();
        let count = |status: &TaskStatus| found.get(status.as_str()).copied().unwrap_or(0);
        Ok(TaskStatus::ALL.iter().map(|status| (*status, u64::try_from(count(status)).unwrap_or(0))).collect())
    }
}

/// The column itself is counted, so that no database looks for anything beside the index.
pub(super) fn counting(dialect: Dialect, filter: &TaskFilter) -> Select<Entity> {
    matching(dialect, filter)
        .select_only()
        .column(Column::Status)
        .column_as(Column::Status.count(), "count")
        .group_by(Column::Status)
}
