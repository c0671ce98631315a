//! Triggers by events, and every event that one has taken.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::Expr,
};
use serde_json::{Map, Value};

use super::{
    Event, Store, Tx, date,
    entities::{cursor, event, event_fire as fire, event_trigger as trigger, step},
    rows,
};
use crate::{
    domain::{EventFireState, Step, TaskId},
    error::{Error, Result},
};

/// A workflow that an event starts.
#[derive(Clone, Debug, PartialEq)]
pub struct EventTrigger {
    /// The workflow.
    pub workflow: String,
    /// The trigger's number in its definition.
    pub trigger: i64,
    /// The event's word.
    pub event: String,
    /// An expression that must be true.
    pub condition: Option<String>,
    /// The parameters of its tasks, with references; or why they cannot be read.
    pub params: std::result::Result<Map<String, Value>, String>,
    /// Events up to this number are older than the trigger.
    pub since: i64,
}

/// An event that a trigger takes.
#[derive(Clone, Debug)]
pub struct NewEventFire {
    /// The workflow.
    pub workflow: String,
    /// The trigger's number in its definition.
    pub trigger: i64,
    /// The event's number.
    pub event_id: i64,
    /// The task that the event is about.
    pub source_task: TaskId,
    /// What is to be started with; without it, why nothing is.
    pub params: std::result::Result<Map<String, Value>, String>,
}

/// An event that a trigger has taken and whose task is not made yet.
#[derive(Clone, Debug)]
pub struct PendingFire {
    /// Its number.
    pub id: i64,
    /// The parameters of its task.
    pub params: Map<String, Value>,
}

/// What became of an event that a trigger has taken.
#[derive(Clone, Debug)]
pub struct EventFire {
    /// Its number.
    pub id: i64,
    /// The trigger's number in its definition.
    pub trigger: i64,
    /// The event's number.
    pub event_id: i64,
    /// The task that the event is about.
    pub source_task: TaskId,
    /// Where it stands.
    pub state: EventFireState,
    /// The task that it made.
    pub task_id: Option<TaskId>,
    /// Why it made none.
    pub note: Option<String>,
    /// When it was taken.
    pub created_at: DateTime<Utc>,
    /// When its task was made, or was known not to be.
    pub started_at: Option<DateTime<Utc>>,
}

/// One page of the events that a workflow's triggers have taken, the newest first.
#[derive(Clone, Debug)]
pub struct EventFirePage {
    /// The events.
    pub fires: Vec<EventFire>,
    /// What to ask for next.
    pub next: Option<i64>,
    /// How many there are in all.
    pub total: u64,
}

impl Tx {
    /// Puts these triggers in place of the workflow's; one that stays knows which events are older than it.
    pub async fn replace_triggers(&self, workflow: &str, triggers: Vec<EventTrigger>) -> Result<()> {
        let of_it = || trigger::Column::Workflow.eq(workflow);
        let before = trigger::Entity::find().filter(of_it()).all(&self.inner).await?;
        let newest = event::Entity::find().order_by_desc(event::Column::Id).one(&self.inner).await?;
        let newest = newest.map_or(0, |row| row.id);
        trigger::Entity::delete_many().filter(of_it()).exec(&self.inner).await?;
        for new in triggers {
            let same = before.iter().find(|old| old.trigger == new.trigger && old.event == new.event);
            let model = trigger::ActiveModel {
                workflow: Set(workflow.to_owned()),
                trigger: Set(new.trigger),
                event: Set(new.event),
                condition: Set(new.condition),
                params: Set(rows::json(&new.params.unwrap_or_default())?),
                since: Set(same.map_or(newest, |old| old.since)),
                ..Default::default()
            };
            trigger::Entity::insert(model).exec_without_returning(&self.inner).await?;
        }
        Ok(())
    }

    /// Notes that a trigger takes an event; `false` when it has done so before.
    pub async fn insert_event_fire(&self, new: NewEventFire) -> Result<bool> {
        let (state, params, note) = match new.params {
            Ok(params) => (EventFireState::Pending, params, None),
            Err(note) => (EventFireState::Refused, Map::new(), Some(note)),
        };
        let model = fire::ActiveModel {
            workflow: Set(new.workflow),
            trigger: Set(new.trigger),
            event_id: Set(new.event_id),
            source_task: Set(new.source_task.0),
            params: Set(rows::json(&params)?),
            state: Set(state.to_string()),
            note: Set(note),
            created_at: Set(self.now),
            ..Default::default()
        };
        self.insert_new(model, &[fire::Column::Workflow, fire::Column::Trigger, fire::Column::EventId]).await
    }

    /// Ends the waiting of an event's task: it was made, or is not for this reason. `false` when somebody else has done so.
    pub async fn end_event_fire(&self, id: i64, made: std::result::Result<TaskId, &str>) -> Result<bool> {
        let (state, task, note) = match made {
            Ok(task) => (EventFireState::Started, Some(task.0), None),
            Err(note) => (EventFireState::Refused, None, Some(note)),
        };
        let ended = fire::Entity::update_many()
            .col_expr(fire::Column::State, Expr::value(state.as_str()))
            .col_expr(fire::Column::TaskId, Expr::value(task))
            .col_expr(fire::Column::Note, Expr::value(note))
            .col_expr(fire::Column::StartedAt, Expr::value(self.now))
            // They may hold whole transcripts, and the task has its own.
            .col_expr(fire::Column::Params, Expr::value(rows::json(&Map::new())?))
            .filter(fire::Column::Id.eq(id))
            .filter(fire::Column::State.eq(EventFireState::Pending.as_str()))
            .exec(&self.inner)
            .await?;
        Ok(ended.rows_affected > 0)
    }

    /// Forgets what triggers took before this time.
    pub async fn prune_event_fires(&self, before: i64) -> Result<u64> {
        let old = fire::Entity::delete_many()
            .filter(fire::Column::CreatedAt.lt(before))
            .filter(fire::Column::State.ne(EventFireState::Pending.as_str()));
        Ok(old.exec(&self.inner).await?.rows_affected)
    }

    /// Notes how far a reader of the events has come; it never goes back.
    pub async fn set_cursor(&self, name: &str, position: i64) -> Result<()> {
        let model = cursor::ActiveModel { name: Set(name.to_owned()), position: Set(position) };
        self.insert_new(model, &[cursor::Column::Name]).await?;
        cursor::Entity::update_many()
            .col_expr(cursor::Column::Position, Expr::value(position))
            .filter(cursor::Column::Name.eq(name))
            .filter(cursor::Column::Position.lt(position))
            .exec(&self.inner)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Every trigger by an event, also those whose parameters cannot be read.
    pub async fn event_triggers(&self) -> Result<Vec<EventTrigger>> {
        let all = trigger::Entity::find().order_by_asc(trigger::Column::Id);
        let mut triggers = Vec::new();
        for (id, read) in rows::each(all, trigger::Column::Id, &self.read).await? {
            match read {
                Ok(trigger) => triggers.push(trigger),
                Err(error) => triggers.extend(self.broken_trigger(id, &error).await?),
            }
        }
        Ok(triggers)
    }

    async fn broken_trigger(&self, id: i64, why: &Error) -> Result<Option<EventTrigger>> {
        use trigger::Column;
        let query = trigger::Entity::find_by_id(id).select_only().columns([Column::Workflow, Column::Trigger]);
        let query = query.columns([Column::Event, Column::Condition, Column::Since]);
        let found = query.into_tuple::<(String, i64, String, Option<String>, i64)>().one(&self.read).await?;
        Ok(found.map(|(workflow, trigger, event, condition, since)| {
            let params = Err(format!("The trigger's parameters cannot be read: {}", why.detail));
            EventTrigger { workflow, trigger, event, condition, params, since }
        }))
    }

    /// How far a reader of the events has come; 0 before it began.
    pub async fn cursor(&self, name: &str) -> Result<i64> {
        Ok(cursor::Entity::find_by_id(name).one(&self.read).await?.map_or(0, |row| row.position))
    }

    /// What happened to tasks and steps after number `after`, up to `upto`, oldest first.
    pub async fn facts(&self, after: i64, upto: i64, limit: u64) -> Result<Vec<Event>> {
        let rows = event::Entity::find()
            .filter(event::Column::Id.gt(after))
            .filter(event::Column::Id.lte(upto))
            .filter(event::Column::Kind.is_in(["status", "step"]))
            .order_by_asc(event::Column::Id)
            .limit(limit)
            .all(&self.read)
            .await?;
        Ok(rows.into_iter().map(Event::from).collect())
    }

    /// A task's step by its key.
    pub async fn step_of(&self, task: TaskId, key: &str) -> Result<Option<Step>> {
        let query = step::Entity::find().filter(step::Column::TaskId.eq(task.0)).filter(step::Column::Key.eq(key));
        query.one(&self.read).await?.map(TryInto::try_into).transpose()
    }

    /// The task that a step belongs to.
    pub async fn task_of_step(&self, id: &str) -> Result<Option<TaskId>> {
        Ok(step::Entity::find_by_id(id).one(&self.read).await?.map(|row| TaskId(row.task_id)))
    }

    /// The workflow that was started by an event as this task, and the task that the event was about.
    pub async fn event_fire_of(&self, task: TaskId) -> Result<Option<(String, TaskId)>> {
        let row = fire::Entity::find().filter(fire::Column::TaskId.eq(task.0)).one(&self.read).await?;
        Ok(row.map(|row| (row.workflow, TaskId(row.source_task))))
    }

    /// The triggers (workflow and number) with events whose tasks are to be made.
    pub async fn pending_triggers(&self) -> Result<Vec<(String, i64)>> {
        let query = fire::Entity::find()
            .select_only()
            .columns([fire::Column::Workflow, fire::Column::Trigger])
            .filter(fire::Column::State.eq(EventFireState::Pending.as_str()))
            .distinct();
        Ok(query.into_tuple().all(&self.read).await?)
    }

    /// At most `limit` events of a trigger whose tasks are to be made, the oldest first: their numbers, with what can be read
    /// of them.
    pub async fn pending_event_fires(
        &self,
        workflow: &str,
        trigger: i64,
        limit: u64,
    ) -> Result<Vec<(i64, Result<PendingFire>)>> {
        let query = fire::Entity::find()
            .filter(fire::Column::State.eq(EventFireState::Pending.as_str()))
            .filter(fire::Column::Workflow.eq(workflow))
            .filter(fire::Column::Trigger.eq(trigger))
            .order_by_asc(fire::Column::Id)
            .limit(limit);
        rows::each(query, fire::Column::Id, &self.read).await
    }

    /// How many tasks a trigger has made since.
    pub async fn event_fires_since(&self, workflow: &str, trigger: i64, since: i64) -> Result<u64> {
        let query = fire::Entity::find()
            .filter(fire::Column::Workflow.eq(workflow))
            .filter(fire::Column::Trigger.eq(trigger))
            .filter(fire::Column::StartedAt.gt(since))
            .filter(fire::Column::TaskId.is_not_null());
        Ok(query.count(&self.read).await?)
    }

    /// A page of at most `limit` events that a workflow's triggers have taken, with numbers smaller than `before`.
    pub async fn event_fires(&self, workflow: &str, limit: u64, before: Option<i64>) -> Result<EventFirePage> {
        use fire::Column;
        type Found = (i64, i64, i64, i64, String, Option<i64>, Option<String>, i64, Option<i64>);
        let query = fire::Entity::find().filter(Column::Workflow.eq(workflow));
        let total = query.clone().count(&self.read).await?;
        // Without their parameters, which may hold whole transcripts.
        let mut found: Vec<Found> = query
            .apply_if(before, |query, before| query.filter(Column::Id.lt(before)))
            .order_by_desc(Column::Id)
            .limit(limit + 1)
            .select_only()
            .columns([Column::Id, Column::Trigger, Column::EventId, Column::SourceTask, Column::State])
            .columns([Column::TaskId, Column::Note, Column::CreatedAt, Column::StartedAt])
            .into_tuple()
            .all(&self.read)
            .await?;
        let more = found.len() as u64 > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| more).map(|row| row.0);
        let read = |(id, trigger, event_id, source_task, state, task_id, note, created_at, started_at): Found| {
            Ok(EventFire {
                id,
                trigger,
                event_id,
                source_task: TaskId(source_task),
                state: state.parse()?,
                task_id: task_id.map(TaskId),
                note,
                created_at: date(created_at),
                started_at: started_at.map(date),
            })
        };
        Ok(EventFirePage { fires: found.into_iter().map(read).collect::<Result<_>>()?, next, total })
    }
}

impl TryFrom<trigger::Model> for EventTrigger {
    type Error = Error;

    fn try_from(row: trigger::Model) -> Result<Self> {
        Ok(Self {
            workflow: row.workflow,
            trigger: row.trigger,
            event: row.event,
            condition: row.condition,
            params: Ok(rows::read(row.params)?),
            since: row.since,
        })
    }
}

impl TryFrom<fire::Model> for PendingFire {
    type Error = Error;

    fn try_from(row: fire::Model) -> Result<Self> {
        Ok(Self { id: row.id, params: rows::read(row.params)? })
    }
}
