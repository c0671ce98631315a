//! Fires: every time of every schedule, once.

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, Query},
};

use super::{
    Store, Tx, date,
    entities::{
        fire::{ActiveModel, Column, Entity, Model},
        node, schedule, task,
    },
    rows,
};
use crate::{
    domain::{Fire, FireState, ScheduleId, ScheduleState, TaskId, TaskStatus},
    error::{Error, Report, Result},
};

/// How a fire ended.
#[derive(Clone, Debug)]
pub struct FireEnd {
    /// Succeeded, failed, cancelled or skipped.
    pub state: FireState,
    /// How many tasks its poll made.
    pub new_items: Option<i64>,
    /// A word about it.
    pub note: Option<String>,
    /// Why it failed.
    pub error: Option<Report>,
}

/// One page of a schedule's fires, the newest first.
#[derive(Clone, Debug)]
pub struct FirePage {
    /// The fires.
    pub fires: Vec<Fire>,
    /// What to ask for next.
    pub next: Option<i64>,
    /// How many there are in all.
    pub total: u64,
}

impl Tx {
    /// Takes a time of a schedule; none when it was taken before, else the fire's number. A time that was noted as missed
    /// may still come when the clock is put back.
    pub async fn insert_fire(
        &self,
        schedule: ScheduleId,
        fire_at: i64,
        state: FireState,
        note: Option<&str>,
    ) -> Result<Option<i64>> {
        let is_it = || Condition::all().add(Column::ScheduleId.eq(schedule.0)).add(Column::FireAt.eq(fire_at));
        let is_open = matches!(state, FireState::Started | FireState::Waiting);
        let model = ActiveModel {
            schedule_id: Set(schedule.0),
            fire_at: Set(fire_at),
            state: Set(state.to_string()),
            note: Set(note.map(str::to_owned)),
            created_at: Set(self.now),
            ended_at: Set((!is_open).then_some(self.now)),
            ..Default::default()
        };
        if !self.insert_new(model, &[Column::ScheduleId, Column::FireAt]).await? {
            let taken_over = Entity::update_many()
                .col_expr(Column::State, Expr::value(state.as_str()))
                .col_expr(Column::Note, Expr::value(note))
                .col_expr(Column::EndedAt, Expr::value((!is_open).then_some(self.now)))
                .filter(is_it())
                .filter(Column::State.eq(FireState::Missed.as_str()))
                .exec(&self.inner)
                .await?;
            if taken_over.rows_affected == 0 {
                return Ok(None);
            }
        }
        let number = Entity::find().select_only().column(Column::Id).filter(is_it()).into_tuple().one(&self.inner);
        Ok(number.await?)
    }

    /// One fire.
    pub async fn fire(&self, id: i64) -> Result<Option<Fire>> {
        Entity::find_by_id(id).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// Notes that a fire is under way, with its task if it has one.
    pub async fn start_fire(&self, id: i64, task: Option<TaskId>) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(FireState::Started.as_str()))
            .col_expr(Column::TaskId, Expr::value(task.map(|task| task.0)))
            .col_expr(Column::StartedAt, Expr::value(self.now))
            .filter(Column::Id.eq(id))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Takes the poll of a fire for a node; `false` when it has ended, or a node that was heard of within `lease_ms` is at it.
    pub async fn take_poll(&self, id: i64, by: &str, lease_ms: i64) -> Result<bool> {
        let alive = Query::select()
            .column(node::Column::Id)
            .from(node::Entity)
            .and_where(node::Column::SeenAt.gte(self.now - lease_ms))
            .to_owned();
        let is_free = Condition::any()
            .add(Column::Node.is_null())
            .add(Column::Node.eq(by))
            .add(Column::Node.not_in_subquery(alive));
        let taken = Entity::update_many()
            .col_expr(Column::Node, Expr::value(by))
            .filter(Column::Id.eq(id))
            .filter(Column::State.eq(FireState::Started.as_str()))
            .filter(is_free)
            .exec(&self.inner)
            .await?;
        Ok(taken.rows_affected == 1)
    }

    /// Notes that a fire makes up for a time that had passed.
    pub async fn catch_fire_up(&self, id: i64) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::CaughtUp, Expr::value(true));
        update.filter(Column::Id.eq(id)).exec(&self.inner).await?;
        Ok(())
    }

    /// Ends a fire; `false` when it has ended already.
    pub async fn end_fire(&self, id: i64, end: &FireEnd) -> Result<bool> {
        let open = [FireState::Started.as_str(), FireState::Waiting.as_str()];
        let ended = Entity::update_many()
            .col_expr(Column::State, Expr::value(end.state.as_str()))
            .col_expr(Column::NewItems, Expr::value(end.new_items))
            .col_expr(Column::Note, Expr::value(end.note.as_deref()))
            .col_expr(Column::Error, Expr::value(end.error.as_ref().map(rows::json).transpose()?))
            .col_expr(Column::EndedAt, Expr::value(self.now))
            .filter(Column::Id.eq(id))
            .filter(Column::State.is_in(open))
            .exec(&self.inner)
            .await?;
        Ok(ended.rows_affected > 0)
    }

    /// A fire of a schedule in this state, the oldest.
    pub async fn fire_in(&self, schedule: ScheduleId, state: FireState) -> Result<Option<Fire>> {
        let query = Entity::find().filter(Column::ScheduleId.eq(schedule.0)).filter(Column::State.eq(state.as_str()));
        query.order_by_asc(Column::FireAt).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// Forgets fires that ended before this time.
    pub async fn prune_fires(&self, before: i64) -> Result<u64> {
        let old = Entity::delete_many().filter(Column::EndedAt.lt(before));
        Ok(old.exec(&self.inner).await?.rows_affected)
    }
}

impl Store {
    /// A page of at most `limit` fires of a schedule with numbers smaller than `before`.
    pub async fn fires(&self, schedule: ScheduleId, limit: u64, before: Option<i64>) -> Result<FirePage> {
        let query = Entity::find().filter(Column::ScheduleId.eq(schedule.0));
        let total = query.clone().count(&self.read).await?;
        let query = query
            .apply_if(before, |query, before| query.filter(Column::Id.lt(before)))
            .order_by_desc(Column::Id)
            .limit(limit + 1);
        let mut found = rows::each(query, Column::Id, &self.read).await?;
        let more = found.len() as u64 > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| more).map(|(id, _)| *id);
        Ok(FirePage { fires: rows::readable(found, "a fire"), next, total })
    }

    /// Fires whose task has ended or is gone, the oldest first, with where the task stands and why it failed.
    pub async fn ended_fires(&self, limit: u64) -> Result<Vec<(Fire, Option<(TaskStatus, Option<Report>)>)>> {
        let open = [TaskStatus::Queued.as_str(), TaskStatus::Processing.as_str()];
        let at_work = Query::select()
            .column(task::Column::Id)
            .from(task::Entity)
            .and_where(task::Column::Status.is_in(open))
            .to_owned();
        let query = Entity::find()
            .filter(Column::State.eq(FireState::Started.as_str()))
            .filter(Column::TaskId.is_not_null())
            .filter(Column::TaskId.not_in_subquery(at_work))
            .order_by_asc(Column::FireAt)
            .order_by_asc(Column::Id)
            .limit(limit);
        let found: Vec<Fire> = rows::readable(rows::each(query, Column::Id, &self.read).await?, "a fire");
        let mut ended = Vec::with_capacity(found.len());
        for fire in found {
            let task = match fire.task_id {
                Some(id) => match self.task(id).await {
                    // It has ended, and nobody can say how.
                    Err(error) if rows::is_unreadable(&error) => Some((TaskStatus::Failed, Some(error.report()))),
                    task => task?.map(|task| (task.status, task.error)),
                },
                None => None,
            };
            ended.push((fire, task));
        }
        Ok(ended)
    }

    /// Fires that wait though nothing of their schedule, which is active, is under way.
    pub async fn free_fires(&self, limit: u64) -> Result<Vec<Fire>> {
        let busy = Query::select()
            .column(Column::ScheduleId)
            .from(Entity)
            .and_where(Column::State.eq(FireState::Started.as_str()))
            .to_owned();
        let active = Query::select()
            .column(schedule::Column::Id)
            .from(schedule::Entity)
            .and_where(schedule::Column::State.eq(ScheduleState::Active.as_str()))
            .to_owned();
        let query = Entity::find()
            .filter(Column::State.eq(FireState::Waiting.as_str()))
            .filter(Column::ScheduleId.in_subquery(active))
            .filter(Column::ScheduleId.not_in_subquery(busy))
            .order_by_asc(Column::FireAt)
            .limit(limit);
        Ok(rows::readable(rows::each(query, Column::Id, &self.read).await?, "a fire"))
    }

    /// Fires under way that made no task: those that poll a source.
    pub async fn polling_fires(&self) -> Result<Vec<Fire>> {
        let query = Entity::find()
            .filter(Column::State.eq(FireState::Started.as_str()))
            .filter(Column::TaskId.is_null())
            .order_by_asc(Column::FireAt);
        Ok(rows::readable(rows::each(query, Column::Id, &self.read).await?, "a fire"))
    }
}

impl TryFrom<Model> for Fire {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: row.id,
            schedule_id: ScheduleId(row.schedule_id),
            fire_at: date(row.fire_at),
            state: row.state.parse()?,
            task_id: row.task_id.map(TaskId),
            new_items: row.new_items,
            note: row.note,
            error: row.error.map(rows::read).transpose()?,
            caught_up: row.caught_up.unwrap_or(false),
            created_at: date(row.created_at),
            started_at: row.started_at.map(date),
            ended_at: row.ended_at.map(date),
        })
    }
}
