//! Schedules: what starts again and again.

use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};

use super::{
    Store, Tx, date,
    entities::schedule::{ActiveModel, Column, Entity, Model},
    rows,
};
use crate::{
    domain::{Schedule, ScheduleId, ScheduleState, SourceId, Wishes},
    error::{Error, Result},
};

/// Which schedules to list.
#[derive(Clone, Debug, Default)]
pub struct ScheduleFilter {
    /// In this state.
    pub state: Option<ScheduleState>,
    /// Of this workflow.
    pub workflow: Option<String>,
    /// Over this source.
    pub source: Option<SourceId>,
    /// At most this many.
    pub limit: u64,
    /// Only schedules with a smaller id: the last one of the page before.
    pub before: Option<ScheduleId>,
}

/// One page of schedules, the newest first.
#[derive(Clone, Debug)]
pub struct SchedulePage {
    /// The schedules.
    pub schedules: Vec<Schedule>,
    /// What to ask for next.
    pub next: Option<ScheduleId>,
    /// How many there are in all.
    pub total: u64,
}

impl Tx {
    /// Writes a new schedule, whatever its id says, and returns the id.
    pub async fn insert_schedule(&self, schedule: &Schedule) -> Result<ScheduleId> {
        let model = ActiveModel { id: NotSet, created_at: Set(self.now), ..model(schedule)? };
        Ok(ScheduleId(Entity::insert(model).exec(&self.inner).await?.last_insert_id))
    }

    /// Reads a schedule and keeps every other writer from changing it until the transaction ends, as [`Tx::lock_task`] does.
    pub async fn lock_schedule(&self, id: ScheduleId) -> Result<Option<Schedule>> {
        Entity::find_by_id(id.0).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// Writes a schedule as it is now; it must have been locked in this transaction.
    pub async fn change_schedule(&self, schedule: &Schedule) -> Result<()> {
        let model = ActiveModel { created_at: NotSet, ..model(schedule)? };
        Entity::update(model).validate()?.exec(&self.inner).await?;
        Ok(())
    }

    /// As [`Self::lock_schedule`]; of a schedule that cannot be read whole, what firing needs to know: its name, its
    /// workflow or source, its next time, its failures and its alerts. To be written with [`Self::note_fire`] or
    /// [`Self::note_end`] alone.
    pub async fn lock_firing(&self, id: ScheduleId) -> Result<Option<Schedule>> {
        match self.lock_schedule(id).await {
            Err(error) if rows::is_unreadable(&error) => {}
            read => return read,
        }
        type Found = (String, String, Option<i64>, Option<i64>, i64, i64, Option<String>, Option<i64>);
        let query = Entity::find_by_id(id.0).select_only().columns([Column::Name, Column::Workflow, Column::SourceId]);
        let query = query.columns([Column::NextAt, Column::Failures, Column::AlertAfter, Column::AlertUrl]);
        let found = query.column(Column::AlertedAt).into_tuple::<Found>().one(&self.inner).await?;
        Ok(found.map(|(name, workflow, source, next, failures, alert_after, alert_url, alerted_at)| Schedule {
            id,
            name,
            source_id: source.map(SourceId),
            next_fire: next,
            next_at: next,
            failures,
            alert_after,
            alert_url,
            alerted_at,
            ..Schedule::new(Wishes::of(&workflow), "", "")
        }))
    }

    /// Writes when a schedule fires next, and what [`Self::note_end`] does.
    pub async fn note_fire(&self, schedule: &Schedule) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::NextFire, Expr::value(schedule.next_fire))
            .col_expr(Column::NextAt, Expr::value(schedule.next_at))
            .filter(Column::Id.eq(schedule.id.0))
            .exec(&self.inner)
            .await?;
        self.note_end(schedule).await
    }

    /// Writes what a fire's end changes of a schedule: its failures, and since when they are known.
    pub async fn note_end(&self, schedule: &Schedule) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Failures, Expr::value(schedule.failures))
            .col_expr(Column::Alerted, Expr::value(schedule.alerted_at.is_some()))
            .col_expr(Column::AlertedAt, Expr::value(schedule.alerted_at))
            .filter(Column::Id.eq(schedule.id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Removes a schedule with its fires; whether it was there. The tasks of the fires stay.
    pub async fn delete_schedule(&self, id: ScheduleId) -> Result<bool> {
        Ok(Entity::delete_by_id(id.0).exec(&self.inner).await?.rows_affected > 0)
    }

    /// The schedules that stand in a workflow's definition.
    pub async fn schedules_in(&self, workflow: &str) -> Result<Vec<Schedule>> {
        let query = Entity::find().filter(Column::Workflow.eq(workflow)).filter(Column::Trigger.is_not_null());
        query.all(&self.inner).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// How many schedules there are.
    pub async fn count_schedules(&self) -> Result<u64> {
        Ok(Entity::find().count(&self.inner).await?)
    }
}

impl Store {
    /// One schedule.
    pub async fn schedule(&self, id: ScheduleId) -> Result<Option<Schedule>> {
        Entity::find_by_id(id.0).one(&self.read).await?.map(TryInto::try_into).transpose()
    }

    /// A page of schedules.
    pub async fn schedules(&self, filter: &ScheduleFilter) -> Result<SchedulePage> {
        let query = Entity::find()
            .apply_if(filter.state, |query, state| query.filter(Column::State.eq(state.as_str())))
            .apply_if(filter.workflow.as_ref(), |query, workflow| query.filter(Column::Workflow.eq(workflow)))
            .apply_if(filter.source, |query, source| query.filter(Column::SourceId.eq(source.0)));
        let total = query.clone().count(&self.read).await?;
        let query = query
            .apply_if(filter.before, |query, before| query.filter(Column::Id.lt(before.0)))
            .order_by_desc(Column::Id)
            .limit(filter.limit + 1);
        let mut found = rows::each(query, Column::Id, &self.read).await?;
        let more = found.len() as u64 > filter.limit;
        found.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| more).map(|(id, _)| ScheduleId(*id));
        Ok(SchedulePage { schedules: rows::readable(found, "a schedule"), next, total })
    }

    /// Active schedules that are due by `now`, those due longest first: their ids, with what can be read of them.
    pub async fn due_schedules(&self, now: i64, limit: u64) -> Result<Vec<(ScheduleId, Result<Schedule>)>> {
        let query = Entity::find()
            .filter(Column::State.eq(ScheduleState::Active.as_str()))
            .filter(Column::NextAt.lte(now))
            .order_by_asc(Column::NextAt)
            .order_by_asc(Column::Id)
            .limit(limit);
        let found = rows::each(query, Column::Id, &self.read).await?;
        Ok(found.into_iter().map(|(id, read)| (ScheduleId(id), read)).collect())
    }

    /// Active schedules with ids greater than `after`, in the order of their ids, with what can be read of them.
    pub async fn active_schedules(&self, after: ScheduleId, limit: u64) -> Result<Vec<(ScheduleId, Result<Schedule>)>> {
        let query = Entity::find()
            .filter(Column::State.eq(ScheduleState::Active.as_str()))
            .filter(Column::Id.gt(after.0))
            .order_by_asc(Column::Id)
            .limit(limit);
        let found = rows::each(query, Column::Id, &self.read).await?;
        Ok(found.into_iter().map(|(id, read)| (ScheduleId(id), read)).collect())
    }

    /// When the next schedule is due, in milliseconds since 1970.
    pub async fn next_schedule(&self) -> Result<Option<i64>> {
        let soonest = Entity::find()
            .select_only()
            .column_as(Column::NextAt.min(), "soonest")
            .filter(Column::State.eq(ScheduleState::Active.as_str()))
            .into_tuple::<Option<i64>>()
            .one(&self.read)
            .await?;
        Ok(soonest.flatten())
    }
}

fn model(schedule: &Schedule) -> Result<ActiveModel> {
    let Schedule {
        id,
        name,
        wishes,
        source_id,
        cron,
        tz,
        overlap,
        catchup,
        jitter_ms,
        state,
        paused_until,
        trigger,
        next_fire,
        next_at,
        last_fire_at,
        failures,
        alert_after,
        alert_url,
        alerted_at,
        created_at,
    } = schedule;
    Ok(ActiveModel {
        id: Set(id.0),
        name: Set(name.clone()),
        workflow: Set(wishes.workflow.clone()),
        params: Set(rows::json(&wishes.params)?),
        options: Set(rows::json(&wishes.options)?),
        priority: Set(wishes.priority.to_string()),
        callback_url: Set(wishes.callback_url.clone()),
        source_id: Set(source_id.map(|id| id.0)),
        cron: Set(cron.clone()),
        tz: Set(tz.clone()),
        overlap: Set(overlap.to_string()),
        catchup: Set(catchup.to_string()),
        jitter_ms: Set(*jitter_ms),
        state: Set(state.to_string()),
        paused_until: Set(*paused_until),
        trigger: Set(*trigger),
        next_fire: Set(*next_fire),
        next_at: Set(*next_at),
        last_fire_at: Set(*last_fire_at),
        failures: Set(*failures),
        alert_after: Set(*alert_after),
        alert_url: Set(alert_url.clone()),
        alerted: Set(alerted_at.is_some()),
        alerted_at: Set(*alerted_at),
        created_at: Set(created_at.timestamp_millis()),
    })
}

impl TryFrom<Model> for Schedule {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: ScheduleId(row.id),
            name: row.name,
            wishes: Wishes {
                workflow: row.workflow,
                params: rows::read(row.params)?,
                options: rows::read(row.options)?,
                priority: row.priority.parse()?,
                callback_url: row.callback_url,
            },
            source_id: row.source_id.map(SourceId),
            cron: row.cron,
            tz: row.tz,
            overlap: row.overlap.parse()?,
            catchup: row.catchup.parse()?,
            jitter_ms: row.jitter_ms,
            state: row.state.parse()?,
            paused_until: row.paused_until,
            trigger: row.trigger,
            next_fire: row.next_fire,
            next_at: row.next_at,
            last_fire_at: row.last_fire_at,
            failures: row.failures,
            alert_after: row.alert_after,
            alert_url: row.alert_url,
            alerted_at: row.alerted_at,
            created_at: date(row.created_at),
        })
    }
}
