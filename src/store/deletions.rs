//! That tasks were deleted: all that is kept of them, told among the events of the others.
//!
//! Callers may rely on this: a deletion has a number of its own among those of the events, in the order of the commits.

use std::collections::HashSet;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    sea_query::{Expr, Order, Query, SelectStatement, UnionType},
};
use serde_json::{Map, Value};

use super::{
    Event, Store, Tx, date,
    entities::{
        deletion::{ActiveModel, Column, Entity, Model},
        event, task,
    },
};
use crate::{
    domain::{TaskId, TokenId},
    error::Result,
};

/// The kind of event that tells a deletion.
const DELETED: &str = "deleted";

impl Tx {
    /// Notes that a task is deleted, while it is still there.
    pub(super) async fn note_deletion(&self, id: TaskId) -> Result<()> {
        // The number is given here and not with the commit: only of those that are alone do both have the same order.
        self.must_be_alone()?;
        let Some(task) = task::Entity::find_by_id(id.0).one(&self.inner).await? else { return Ok(()) };
        // The events' own numbers are taken; the row itself goes with the task.
        let row = event::ActiveModel {
            task_id: Set(id.0),
            kind: Set(DELETED.to_owned()),
            data: Set(Value::Object(Map::new()).into()),
            created_at: Set(self.now),
            ..Default::default()
        };
        let number = event::Entity::insert(row).exec(&self.inner).await?.last_insert_id;
        let model =
            ActiveModel { id: Set(number), task_id: Set(id.0), owner: Set(task.owner), created_at: Set(self.now) };
        Entity::insert(model).exec_without_returning(&self.inner).await?;
        Ok(())
    }

    /// Forgets the deletions of before this time, in milliseconds since 1970, as their events' age is over.
    pub async fn prune_deletions(&self, before: i64) -> Result<()> {
        let old = Entity::find().filter(Column::CreatedAt.lt(before)).order_by_desc(Column::Id);
        let Some(last) = old.one(&self.inner).await? else { return Ok(()) };
        Entity::delete_many().filter(Column::Id.lte(last.id)).exec(&self.inner).await?;
        self.note_pruned(last.id).await
    }
}

impl Store {
    /// The events of all tasks after number `after`, and the deletions among them as `deleted`, oldest first.
    pub async fn told(&self, after: i64, limit: u64) -> Result<Vec<Event>> {
        let rows = self.read.query_all(&told(after, limit)).await?;
        let read = |row| event::Model::from_query_result(&row, "").map(Event::from);
        Ok(rows.into_iter().map(read).collect::<std::result::Result<_, _>>()?)
    }

    /// That a task was deleted, if it was.
    pub async fn deletion_of(&self, id: TaskId) -> Result<Option<Event>> {
        let found = Entity::find().filter(Column::TaskId.eq(id.0)).one(&self.read).await?;
        Ok(found.map(Event::from))
    }

    /// Those of these events that are about a token's tasks.
    pub async fn own_events(&self, owner: TokenId, mut events: Vec<Event>) -> Result<Vec<Event>> {
        let tasks: HashSet<TaskId> = events.iter().map(|event| event.task_id).collect();
        let tasks: Vec<TaskId> = tasks.into_iter().collect();
        let mut own = self.owned_by(owner, &tasks).await?;
        if events.iter().any(|event| event.kind == DELETED) {
            let query = Entity::find().select_only().column(Column::TaskId).filter(Column::Owner.eq(owner.0));
            let query = query.filter(Column::TaskId.is_in(tasks.iter().map(|id| id.0)));
            own.extend(query.into_tuple::<i64>().all(&self.read).await?.into_iter().map(TaskId));
        }
        events.retain(|event| own.contains(&event.task_id));
        Ok(events)
    }

    /// The number of the newest deletion, 0 when there is none.
    pub(super) async fn last_deletion(&self) -> Result<i64> {
        let newest = Entity::find().order_by_desc(Column::Id).one(&self.read).await?;
        Ok(newest.map_or(0, |row| row.id))
    }
}

/// One statement, which sees both tables at one moment: of two, the second may see a number that comes after one which the
/// first has not seen. Each is cut by itself, as not every database does so from outside.
pub(super) fn told(after: i64, limit: u64) -> SelectStatement {
    use event::Column as Of;
    let columns = || [Of::Id, Of::TaskId, Of::Kind, Of::Data, Of::CreatedAt];
    let events = Query::select()
        .columns(columns())
        .from(event::Entity)
        .and_where(Of::Id.gt(after))
        .order_by(Of::Id, Order::Asc)
        .limit(limit)
        .to_owned();
    let deletions = Query::select()
        .columns([Column::Id, Column::TaskId])
        .expr_as(Expr::cust(format!("'{DELETED}'")), "kind")
        .expr_as(Expr::cust("'{}'"), "data")
        .column(Column::CreatedAt)
        .from(Entity)
        .and_where(Column::Id.gt(after))
        .order_by(Column::Id, Order::Asc)
        .limit(limit)
        .to_owned();
    let others = Query::select().columns(columns()).from_subquery(deletions, "d").to_owned();
    Query::select()
        .columns(columns())
        .from_subquery(events, "e")
        .union(UnionType::All, others)
        .order_by(Of::Id, Order::Asc)
        .limit(limit)
        .to_owned()
}

impl From<Model> for Event {
    fn from(row: Model) -> Self {
        Self {
            id: row.id,
            task_id: TaskId(row.task_id),
            kind: DELETED.to_owned(),
            data: Value::Object(Map::new()),
            created_at: date(row.created_at),
        }
    }
}
