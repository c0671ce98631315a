//! What happened to tasks, numbered in the order of the commits: the source of every live view.

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde_json::Value;

use super::{
    Store, Tx, date,
    entities::event::{ActiveModel, Column, Entity},
};
use crate::{domain::TaskId, error::Result};

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number, growing over all tasks.
    pub id: i64,
    /// The task.
    pub task_id: TaskId,
    /// `status`, `step`, `progress`, `segment`, `llm` or `delivery`.
    pub kind: String,
    /// What happened.
    pub data: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Tx {
    /// Adds an event.
    pub async fn add_event(&self, task: TaskId, kind: &str, data: Value) -> Result<()> {
        let model = ActiveModel {
            task_id: Set(task.0),
            kind: Set(kind.to_owned()),
            data: Set(data.into()),
            created_at: Set(self.now),
            ..Default::default()
        };
        Entity::insert(model).exec_without_returning(&self.inner).await?;
        Ok(())
    }
}

impl Store {
    /// The events after number `after`, oldest first; of one task, or of all.
    pub async fn events(&self, task: Option<TaskId>, after: i64, limit: u64) -> Result<Vec<Event>> {
        let rows = Entity::find()
            .filter(Column::Id.gt(after))
            .apply_if(task, |query, task| query.filter(Column::TaskId.eq(task.0)))
            .order_by_asc(Column::Id)
            .limit(limit)
            .all(&self.read)
            .await?;
        let event = |row: super::entities::event::Model| Event {
            id: row.id,
            task_id: TaskId(row.task_id),
            kind: row.kind,
            data: row.data.0,
            created_at: date(row.created_at),
        };
        Ok(rows.into_iter().map(event).collect())
    }

    /// The number of the newest event, 0 when there is none.
    pub async fn last_event(&self) -> Result<i64> {
        let newest = Entity::find().order_by_desc(Column::Id).one(&self.read).await?;
        Ok(newest.map_or(0, |row| row.id))
    }
}
