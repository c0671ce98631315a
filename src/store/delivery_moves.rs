//! What may happen to deliveries: claimed, ended, given back, held, and sent once more.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, Select,
    sea_query::{Expr, SelectStatement},
};

use super::{
    ClaimedDelivery, DeliveryEnd, Store, Tx, endpoints,
    entities::{
        delivery::{Column, Entity},
        delivery_attempt as attempts,
    },
    rows,
};
use crate::{
    domain::TaskId,
    error::{Report, Result},
    metrics,
};

/// A delivery that was moved to another state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MovedDelivery {
    /// Its id.
    pub id: String,
    /// The task it tells of; none for an alert.
    pub task_id: Option<TaskId>,
    /// `task.completed`, …
    pub event: String,
}

/// Which deliveries that have ended to send once more.
#[derive(Clone, Debug)]
pub struct Redelivery {
    /// Written at this time or later, in milliseconds since 1970.
    pub since: i64,
    /// Written before this time.
    pub until: i64,
    /// Those that arrived; otherwise those that did not.
    pub delivered: bool,
    /// To the endpoint with this id.
    pub endpoint: Option<String>,
}

impl Tx {
    /// Takes deliveries that are due, as long as no endpoint has more than `each` on their way, and none that is switched
    /// off has any.
    pub async fn claim_deliveries(
        &self,
        owner: &str,
        lease_ms: i64,
        limit: usize,
        each: usize,
    ) -> Result<Vec<ClaimedDelivery>> {
        let mut busy = on_their_way(&self.inner).await?;
        let mut claimed = Vec::new();
        while claimed.len() < limit {
            let Some(id) = due(self.now, &full(&busy, each)).into_tuple::<String>().one(&self.inner).await? else {
                break;
            };
            let Some(row) = Entity::find_by_id(id).one(&self.inner).await? else { break };
            let delivery = ClaimedDelivery {
                id: row.id,
                task_id: row.task_id.map(TaskId),
                url: row.url,
                body: row.body,
                secret: row.secret,
                attempt: row.attempt + 1,
                manual: row.manual,
                token: row.lease_token + 1,
            };
            Entity::update_many()
                .col_expr(Column::State, Expr::value("sending"))
                .col_expr(Column::Attempt, Expr::value(delivery.attempt))
                .col_expr(Column::LeaseToken, Expr::value(delivery.token))
                .col_expr(Column::LeaseOwner, Expr::value(owner))
                .col_expr(Column::LeaseUntil, Expr::value(self.now + lease_ms))
                .filter(Column::Id.eq(&delivery.id))
                .exec(&self.inner)
                .await?;
            *busy.entry(row.endpoint).or_default() += 1;
            claimed.push(delivery);
        }
        Ok(claimed)
    }

    /// Sets deliveries aside that are due and whose endpoint is switched off, at most `limit` of them.
    pub async fn hold_deliveries(&self, limit: u64) -> Result<Vec<MovedDelivery>> {
        let due = moved().filter(Column::State.eq("pending")).filter(Column::NextAt.lte(self.now));
        let due = due.filter(Column::Endpoint.in_subquery(endpoints::switched_off())).limit(limit);
        let held: Vec<MovedDelivery> = due.into_tuple().all(&self.inner).await?.into_iter().map(named).collect();
        if !held.is_empty() {
            Entity::update_many()
                .col_expr(Column::State, Expr::value("held"))
                .filter(Column::Id.is_in(held.iter().map(|one| one.id.as_str())))
                .exec(&self.inner)
                .await?;
        }
        Ok(held)
    }

    /// Lets the deliveries go that were set aside for an endpoint; how many.
    pub async fn release_deliveries(&self, endpoint: &str) -> Result<u64> {
        let done = Entity::update_many()
            .col_expr(Column::State, Expr::value("pending"))
            .col_expr(Column::NextAt, Expr::value(self.now))
            .filter(Column::Endpoint.eq(endpoint))
            .filter(Column::State.eq("held"))
            .exec(&self.inner)
            .await?;
        Ok(done.rows_affected)
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
        let update = Entity::update_many()
            .col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None))
            .col_expr(Column::Manual, Expr::value(false));
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
            metrics::stale_write("delivery");
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

    /// Sends a delivery once more, now, whatever came of it. `false` when it is being sent at this moment.
    pub async fn redeliver(&self, id: &str) -> Result<bool> {
        let again = || {
            let update = Entity::update_many().col_expr(Column::State, Expr::value("pending"));
            update.col_expr(Column::NextAt, Expr::value(self.now)).filter(Column::Id.eq(id))
        };
        let open = again().filter(Column::State.is_in(["pending", "held"])).exec(&self.inner).await?;
        let ended = again()
            .col_expr(Column::FinishedAt, Expr::value(Option::<i64>::None))
            .col_expr(Column::Manual, Expr::value(true))
            .filter(Column::State.is_in(ENDED))
            .exec(&self.inner)
            .await?;
        Ok(open.rows_affected + ended.rows_affected > 0)
    }

    /// Sends deliveries once more, now: the first `limit` of those that are asked for and whose id is greater than
    /// `after`, in the order of their ids.
    pub async fn redeliver_some(&self, wanted: &Redelivery, after: &str, limit: u64) -> Result<Vec<MovedDelivery>> {
        let state = if wanted.delivered { ENDED[0] } else { ENDED[1] };
        let found = moved()
            .filter(Column::State.eq(state))
            .filter(Column::CreatedAt.gte(wanted.since))
            .filter(Column::CreatedAt.lt(wanted.until))
            .apply_if(wanted.endpoint.as_ref(), |query, endpoint| query.filter(Column::Endpoint.eq(endpoint)))
            .filter(Column::Id.gt(after))
            .order_by_asc(Column::Id)
            .limit(limit);
        let found: Vec<MovedDelivery> = found.into_tuple().all(&self.inner).await?.into_iter().map(named).collect();
        if !found.is_empty() {
            Entity::update_many()
                .col_expr(Column::State, Expr::value("pending"))
                .col_expr(Column::NextAt, Expr::value(self.now))
                .col_expr(Column::FinishedAt, Expr::value(Option::<i64>::None))
                .col_expr(Column::Manual, Expr::value(true))
                .filter(Column::Id.is_in(found.iter().map(|one| one.id.as_str())))
                .exec(&self.inner)
                .await?;
        }
        Ok(found)
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
    /// When the next delivery is due to an endpoint that has not `each` on their way, in milliseconds since 1970. One
    /// that is switched off counts: what is due to it is to be set aside.
    pub async fn next_delivery(&self, each: usize) -> Result<Option<i64>> {
        let busy = on_their_way(&self.read).await?;
        let soonest = Entity::find().select_only().column(Column::NextAt).filter(Column::State.eq("pending"));
        let soonest = apart_from(soonest, &full(&busy, each)).order_by_asc(Column::NextAt).limit(1);
        Ok(soonest.into_tuple().one(&self.read).await?)
    }
}

/// States of deliveries that have ended.
const ENDED: [&str; 2] = ["delivered", "dead"];

type Named = (String, Option<i64>, String);

fn moved() -> Select<Entity> {
    Entity::find().select_only().columns([Column::Id, Column::TaskId, Column::Event])
}

fn named((id, task, event): Named) -> MovedDelivery {
    MovedDelivery { id, task_id: task.map(TaskId), event }
}

/// How many are on their way, by endpoint.
async fn on_their_way(connection: &impl ConnectionTrait) -> Result<HashMap<String, usize>> {
    let sending = Entity::find().select_only().column(Column::Endpoint).filter(Column::State.eq("sending"));
    let mut count = HashMap::new();
    for endpoint in sending.into_tuple::<String>().all(connection).await? {
        *count.entry(endpoint).or_default() += 1;
    }
    Ok(count)
}

/// The endpoints that have no place for another one.
fn full(busy: &HashMap<String, usize>, each: usize) -> Vec<&str> {
    busy.iter().filter(|(_, count)| **count >= each).map(|(endpoint, _)| endpoint.as_str()).collect()
}

fn apart_from(query: Select<Entity>, full: &[&str]) -> Select<Entity> {
    // An empty list would be a condition of its own on every row.
    if full.is_empty() { query } else { query.filter(Column::Endpoint.is_not_in(full.iter().copied())) }
}

/// The id of the delivery to send now. Everything that it asks of a row stands in the index, so that a long queue before a
/// slow receiver is passed over without being read.
pub(super) fn due(now: i64, full: &[&str]) -> Select<Entity> {
    let query = Entity::find().select_only().column(Column::Id).filter(Column::State.eq("pending"));
    let query = apart_from(query.filter(Column::NextAt.lte(now)), full);
    let off: SelectStatement = endpoints::switched_off();
    query.filter(Column::Endpoint.not_in_subquery(off)).order_by_asc(Column::NextAt).order_by_asc(Column::Id).limit(1)
}
