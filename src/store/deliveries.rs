//! Deliveries: the outbox of callbacks, and the log of every attempt.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};

use super::{
    Store, Tx, date,
    entities::{
        delivery::{ActiveModel, Column, Entity, Model},
        delivery_attempt as attempts,
    },
    rows,
};
use crate::{
    domain::TaskId,
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

/// A delivery that this worker sends now.
#[derive(Clone, Debug)]
pub struct ClaimedDelivery {
    /// Its id.
    pub id: String,
    /// The task it tells of.
    pub task_id: TaskId,
    /// The receiver.
    pub url: String,
    /// What to send.
    pub body: String,
    /// The name of the secret that signs it; none: that of the configuration.
    pub secret: Option<String>,
    /// The number of this attempt, from 1.
    pub attempt: i64,
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

/// Where a delivery stands: `pending`, `sending`, `delivered` or `dead`.
pub type DeliveryState = String;

/// A delivery as it is shown.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// Its id.
    pub id: String,
    /// The task it tells of.
    pub task_id: TaskId,
    /// The receiver.
    pub url: String,
    /// `task.completed`, …
    pub event: String,
    /// Where it stands.
    pub state: DeliveryState,
    /// When it is tried next, if it is.
    pub next_at: DateTime<Utc>,
    /// Every attempt, the first one first.
    pub attempts: Vec<Attempt>,
}

impl Tx {
    /// Writes a delivery, to be sent `after_ms` from now.
    pub async fn insert_delivery(&self, new: NewDelivery, after_ms: i64) -> Result<()> {
        Entity::insert(ActiveModel {
            id: Set(new.id),
            task_id: Set(new.task_id.0),
            url: Set(new.url),
            event: Set(new.event),
            body: Set(new.body),
            state: Set("pending".to_owned()),
            attempt: Set(0),
            next_at: Set(self.now + after_ms),
            lease_owner: Set(None),
            lease_token: Set(0),
            lease_until: Set(None),
            created_at: Set(self.now),
            finished_at: Set(None),
            secret: Set(new.secret),
        })
        .exec_without_returning(&self.inner)
        .await?;
        Ok(())
    }

    /// Takes deliveries that are due.
    pub async fn claim_deliveries(&self, owner: &str, lease_ms: i64, limit: usize) -> Result<Vec<ClaimedDelivery>> {
        let statement = self.dialect.claim_deliveries(owner, lease_ms, limit, self.now);
        let mut claimed = Vec::new();
        for row in self.inner.query_all_raw(statement).await? {
            let row = Model::from_query_result(&row, "")?;
            claimed.push(ClaimedDelivery {
                id: row.id,
                task_id: TaskId(row.task_id),
                url: row.url,
                body: row.body,
                secret: row.secret,
                attempt: row.attempt,
                token: row.lease_token,
            });
        }
        Ok(claimed)
    }

    /// Logs an attempt and says what follows. `false` when the claim is no longer ours; then nothing is written.
    pub async fn end_attempt(
        &self,
        owner: &str,
        delivery: &ClaimedDelivery,
        took_ms: i64,
        status: Option<u16>,
        error: Option<&Report>,
        end: DeliveryEnd,
    ) -> Result<bool> {
        let update = Entity::update_many().col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None));
        let update = match end {
            DeliveryEnd::Delivered | DeliveryEnd::Dead => {
                let state = if end == DeliveryEnd::Delivered { "delivered" } else { "dead" };
                update.col_expr(Column::State, Expr::value(state)).col_expr(Column::FinishedAt, Expr::value(self.now))
            }
            DeliveryEnd::Again(after) => update
                .col_expr(Column::State, Expr::value("pending"))
                .col_expr(Column::NextAt, Expr::value(self.now + after)),
        };
        let done = update
            .filter(Column::Id.eq(&delivery.id))
            .filter(Column::LeaseToken.eq(delivery.token))
            .filter(Column::LeaseOwner.eq(owner))
            .filter(Column::State.eq("sending"))
            .exec(&self.inner)
            .await?;
        if done.rows_affected == 0 {
            return Ok(false);
        }
        attempts::Entity::insert(attempts::ActiveModel {
            delivery_id: Set(delivery.id.clone()),
            attempt: Set(delivery.attempt),
            started_at: Set(self.now - took_ms),
            took_ms: Set(took_ms),
            status: Set(status.map(i32::from)),
            error: Set(error.map(rows::json).transpose()?),
            ..Default::default()
        })
        .exec_without_returning(&self.inner)
        .await?;
        Ok(true)
    }

    /// Gives back deliveries whose worker died, or could not log what came of it: those whose lease is over, or, unless
    /// `lapsed`, every one.
    pub async fn requeue_deliveries(&self, lapsed: bool) -> Result<u64> {
        let done = Entity::update_many()
            .col_expr(Column::State, Expr::value("pending"))
            .col_expr(Column::NextAt, Expr::value(self.now))
            .filter(Column::State.eq("sending"))
            .apply_if(lapsed.then_some(self.now), |query, now| query.filter(Column::LeaseUntil.lt(now)))
            .exec(&self.inner)
            .await?;
        Ok(done.rows_affected)
    }
}

impl Store {
    /// When the next delivery is due, in milliseconds since 1970.
    pub async fn next_delivery(&self) -> Result<Option<i64>> {
        let soonest = Entity::find()
            .select_only()
            .column_as(Column::NextAt.min(), "soonest")
            .filter(Column::State.eq("pending"))
            .into_tuple::<Option<i64>>()
            .one(&self.read)
            .await?;
        Ok(soonest.flatten())
    }

    /// The deliveries of a task with their attempts.
    pub async fn deliveries_of(&self, task: TaskId) -> Result<Vec<Delivery>> {
        let rows = Entity::find().filter(Column::TaskId.eq(task.0)).order_by_asc(Column::Id).all(&self.read).await?;
        let mut deliveries = Vec::new();
        for row in rows {
            let log = attempts::Entity::find()
                .filter(attempts::Column::DeliveryId.eq(&row.id))
                .order_by_asc(attempts::Column::Id)
                .all(&self.read)
                .await?;
            deliveries.push(Delivery {
                id: row.id,
                task_id: task,
                url: row.url,
                event: row.event,
                state: row.state,
                next_at: date(row.next_at),
                attempts: log.into_iter().map(attempt).collect::<Result<_>>()?,
            });
        }
        Ok(deliveries)
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
