//! Deliveries: the outbox of callbacks, and the log of every attempt.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{
    Store, Tx, date,
    entities::{
        delivery::{ActiveModel, Column, Entity, Model},
        delivery_attempt as attempts, task,
    },
    rows,
};
use crate::{
    domain::{DeliveryState, Endpoint, TaskId, TokenId},
    error::{Report, Result},
};

/// A callback to be sent.
#[derive(Clone, Debug)]
pub struct NewDelivery {
    /// `msg_…`: the same over all attempts, so that the receiver can tell a repetition.
    pub id: String,
    /// The task it tells of.
    pub task_id: TaskId,
    /// The receiver.
    pub url: String,
    /// `task.completed`, …
    pub event: String,
    /// The very bytes that are signed and sent.
    pub body: String,
    /// The name of the secret that signs it; none: that of the configuration.
    pub secret: Option<String>,
}

/// A message that is about no task.
#[derive(Clone, Debug)]
pub struct Alert {
    /// `msg_…`: the same over all attempts.
    pub id: String,
    /// The receiver.
    pub url: String,
    /// `schedule.failing`, …
    pub event: String,
    /// The very bytes that are signed and sent.
    pub body: String,
}

/// A delivery that this worker sends now.
#[derive(Clone, Debug)]
pub struct ClaimedDelivery {
    /// Its id.
    pub id: String,
    /// The task it tells of; none for an alert.
    pub task_id: Option<TaskId>,
    /// The receiver.
    pub url: String,
    /// What to send.
    pub body: String,
    /// The name of the secret that signs it; none: that of the configuration.
    pub secret: Option<String>,
    /// The number of this attempt, from 1.
    pub attempt: i64,
    /// Whether a person asked for it when the delivery had ended: no other attempt follows by itself.
    pub manual: bool,
    /// The claim's token.
    pub token: i64,
}

/// One attempt.
#[derive(Clone, Debug)]
pub struct Attempt {
    /// Its number, from 1.
    pub attempt: i64,
    /// When it started.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
    /// The receiver's status.
    pub status: Option<u16>,
    /// Why it failed.
    pub error: Option<Report>,
}

/// What follows an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryEnd {
    /// It arrived.
    Delivered,
    /// Nothing more is tried.
    Dead,
    /// It is tried again, this many milliseconds from now.
    Again(i64),
}

/// A delivery as it is shown.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// The task it tells of; none for an alert.
    pub task_id: Option<TaskId>,
    /// The receiver.
    pub url: String,
    /// The id of the receiver's [`Endpoint`].
    pub endpoint: String,
    /// `task.completed`, …
    pub event: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it is tried next, if it is.
    pub next_at: DateTime<Utc>,
    /// When it was written.
    pub created_at: DateTime<Utc>,
    /// Every attempt, the first one first.
    pub attempts: Vec<Attempt>,
}

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Of this task.
    pub task: Option<TaskId>,
    /// In this state.
    pub state: Option<DeliveryState>,
    /// Of tasks that came with this access token.
    pub owner: Option<TokenId>,
    /// To the endpoint with this id.
    pub endpoint: Option<String>,
    /// At most this many.
    pub limit: u64,
    /// Only deliveries before the one with this id: the last one of the page before.
    pub before: Option<String>,
}

/// One page of deliveries, the newest first.
#[derive(Clone, Debug)]
pub struct DeliveryPage {
    /// The deliveries with their attempts.
    pub deliveries: Vec<Delivery>,
    /// What to ask for next.
    pub next: Option<String>,
}

impl Tx {
    /// Writes a delivery, to be sent `after_ms` from now.
    pub async fn insert_delivery(&self, new: NewDelivery, after_ms: i64) -> Result<()> {
        let alert = Alert { id: new.id, url: new.url, event: new.event, body: new.body };
        self.insert_message(Some(new.task_id), alert, new.secret, after_ms).await
    }

    /// Writes a delivery that is about no task, to be sent now.
    pub async fn insert_alert(&self, alert: Alert) -> Result<()> {
        self.insert_message(None, alert, None, 0).await
    }

    async fn insert_message(
        &self,
        task: Option<TaskId>,
        message: Alert,
        secret: Option<String>,
        after_ms: i64,
    ) -> Result<()> {
        Entity::insert(ActiveModel {
            id: Set(message.id),
            endpoint: Set(Endpoint::of(&message.url).id),
            task_id: Set(task.map(|id| id.0)),
            url: Set(message.url),
            event: Set(message.event),
            body: Set(message.body),
            state: Set("pending".to_owned()),
            attempt: Set(0),
            next_at: Set(self.now + after_ms),
            lease_owner: Set(None),
            lease_token: Set(0),
            lease_until: Set(None),
            created_at: Set(self.now),
            finished_at: Set(None),
            secret: Set(secret),
            manual: Set(false),
        })
        .exec_without_returning(&self.inner)
        .await?;
        Ok(())
    }
}

impl Store {
    /// The deliveries of a task with their attempts, the oldest first.
    pub async fn deliveries_of(&self, task: TaskId) -> Result<Vec<Delivery>> {
        let rows = Entity::find().filter(Column::TaskId.eq(task.0)).order_by_asc(Column::Id).all(&self.read).await?;
        self.with_attempts(rows).await
    }

    /// One delivery with its attempts.
    pub async fn delivery(&self, id: &str) -> Result<Option<Delivery>> {
        let row = Entity::find_by_id(id).one(&self.read).await?;
        Ok(self.with_attempts(row.into_iter().collect()).await?.pop())
    }

    /// A page of deliveries. Their ids follow the time at which they were written.
    pub async fn deliveries(&self, filter: &DeliveryFilter) -> Result<DeliveryPage> {
        let of_owner = |owner: TokenId| {
            let tasks = task::Entity::find().select_only().column(task::Column::Id);
            Column::TaskId.in_subquery(tasks.filter(task::Column::Owner.eq(owner.0)).into_query())
        };
        let mut rows = Entity::find()
            .apply_if(filter.task, |query, task| query.filter(Column::TaskId.eq(task.0)))
            .apply_if(filter.state, |query, state| query.filter(Column::State.eq(state.as_str())))
            .apply_if(filter.owner, |query, owner| query.filter(of_owner(owner)))
            .apply_if(filter.endpoint.as_ref(), |query, endpoint| query.filter(Column::Endpoint.eq(endpoint)))
            .apply_if(filter.before.as_ref(), |query, before| query.filter(Column::Id.lt(before)))
            .order_by_desc(Column::Id)
            .limit(filter.limit + 1)
            .all(&self.read)
            .await?;
        let more = rows.len() as u64 > filter.limit;
        rows.truncate(usize::try_from(filter.limit).unwrap_or(usize::MAX));
        let next = rows.last().filter(|_| more).map(|row| row.id.clone());
        Ok(DeliveryPage { deliveries: self.with_attempts(rows).await?, next })
    }

    async fn with_attempts(&self, rows: Vec<Model>) -> Result<Vec<Delivery>> {
        let ids = rows.iter().map(|row| row.id.clone());
        let log = attempts::Entity::find().filter(attempts::Column::DeliveryId.is_in(ids));
        let mut log_of: HashMap<String, Vec<Attempt>> = HashMap::new();
        for row in log.order_by_asc(attempts::Column::Id).all(&self.read).await? {
            log_of.entry(row.delivery_id.clone()).or_default().push(attempt(row)?);
        }
        let mut delivery = |row: Model| -> Result<Delivery> {
            Ok(Delivery {
                attempts: log_of.remove(&row.id).unwrap_or_default(),
                id: row.id,
                task_id: row.task_id.map(TaskId),
                url: row.url,
                endpoint: row.endpoint,
                event: row.event,
                state: row.state.parse()?,
                next_at: date(row.next_at),
                created_at: date(row.created_at),
            })
        };
        rows.into_iter().map(&mut delivery).collect()
    }
}

fn attempt(row: attempts::Model) -> Result<Attempt> {
    Ok(Attempt {
        attempt: row.attempt,
        started_at: date(row.started_at),
        took_ms: row.took_ms,
        status: row.status.and_then(|status| u16::try_from(status).ok()),
        error: row.error.map(rows::read).transpose()?,
    })
}
