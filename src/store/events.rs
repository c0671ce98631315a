//! What happened to tasks, numbered in the order of the commits: the source of every live view.

use std::sync::{MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};
use serde_json::Value;

use super::{
    Store, Tx, date,
    entities::event::{ActiveModel, Column, Entity, Model},
};
use crate::{domain::TaskId, error::Result};

/// The most rows of one statement.
const ROWS: usize = 500;

/// An event that is not written yet.
pub(super) struct NewEvent {
    task: TaskId,
    kind: String,
    data: Value,
}

/// One thing that happened.
#[derive(Clone, Debug)]
pub struct Event {
    /// Its number, growing over all tasks.
    pub id: i64,
    /// The task.
    pub task_id: TaskId,
    /// `created`, `status`, `step`, `progress`, `segment`, `llm` or `delivery`; `deleted`, after which there are no others.
    pub kind: String,
    /// What happened.
    pub data: Value,
    /// When.
    pub created_at: DateTime<Utc>,
}

impl Tx {
    /// Adds an event. It is written with the commit.
    pub fn add_event(&self, task: TaskId, kind: &str, data: Value) {
        self.pending().push(NewEvent { task, kind: kind.to_owned(), data });
    }

    /// Forgets what would have been told of a task that goes.
    pub(super) fn drop_events(&self, task: TaskId) {
        self.pending().retain(|event| event.task != task);
    }

    /// Writes what was added, as the last thing before the commit: numbers are given in the order of the commits, so that
    /// a reader who has seen a number never misses a smaller one that comes later.
    pub(super) async fn write_events(&self) -> Result<()> {
        let events = std::mem::take(&mut *self.pending());
        if !events.is_empty() && !self.is_alone {
            self.dialect.go_last(&self.inner).await?;
        }
        for some in events.chunks(ROWS) {
            let rows = some.iter().map(|event| ActiveModel {
                task_id: Set(event.task.0),
                kind: Set(event.kind.clone()),
                data: Set(event.data.clone().into()),
                created_at: Set(self.now),
                ..Default::default()
            });
            Entity::insert_many(rows).exec_without_returning(&self.inner).await?;
        }
        Ok(())
    }

    fn pending(&self) -> MutexGuard<'_, Vec<NewEvent>> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
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
        Ok(rows.into_iter().map(Event::from).collect())
    }

    /// The number of the newest event or deletion, 0 when there is none.
    pub async fn last_event(&self) -> Result<i64> {
        let newest = Entity::find().order_by_desc(Column::Id).one(&self.read).await?;
        Ok(newest.map_or(0, |row| row.id).max(self.last_deletion().await?))
    }
}

impl From<Model> for Event {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            task_id: TaskId(row.task_id),
            kind: row.kind,
            data: row.data.0,
            created_at: date(row.created_at),
        }
    }
}
