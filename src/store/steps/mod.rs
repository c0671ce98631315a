//! The `steps` table: the queue.
//!
//! Every write that a worker makes carries a [`Fence`]: it touches the row only while the row is still leased to that
//! worker under that token. A write that finds no such row returns `false`, and its caller throws its work away. What is
//! done to rows that nobody works on is guarded by the state that the caller saw.

mod fenced;
mod held;
mod insert;
mod items;
mod lists;
mod live;
mod moves;
mod reads;

use sea_orm::{UpdateMany, sea_query::Expr};
use serde_json::{Map, Value};

pub use self::{
    held::Held,
    insert::{ListItem, NewStep},
    items::{ItemFilter, ListPage},
    lists::{Counted, ItemEnd},
    live::LiveStep,
    moves::{Start, Stopped},
    reads::StepView,
};
use super::{
    entities::step::{Column, Entity, Model},
    rows,
};
use crate::{
    domain::{Lane, Step, StepKind, StepState},
    error::Result,
};

/// A row with all that the queue needs to know of it.
#[derive(Clone, Debug)]
pub struct StepRow {
    /// The step as it is shown.
    pub step: Step,
    /// The keys it waits for.
    pub needs: Vec<String>,
    /// Its input, with references.
    pub with: Map<String, Value>,
    /// Its retry rule as JSON.
    pub retry: Value,
    /// For one try, in milliseconds.
    pub timeout_ms: Option<i64>,
    /// Its priority level.
    pub level: i64,
    /// What decides about it beside its input, as JSON.
    pub rule: Value,
    /// The key of the `foreach` step to whose list it belongs.
    pub list: Option<String>,
    /// Its place in that list, from 0.
    pub item_index: Option<i64>,
    /// Its item of that list.
    pub item: Option<Value>,
    /// Of a `foreach` step: how many of its items have not ended.
    pub remaining: Option<i64>,
    /// What its `when` came to.
    pub chosen: Option<bool>,
    /// SHA-256 of its input with the references filled in.
    pub input_hash: Option<String>,
    /// When all its tries must be over, in milliseconds since 1970.
    pub deadline_at: Option<i64>,
    /// Whether the result of the same step of the task that its task repeats may be taken.
    pub reuse: bool,
    /// The token of its last claim.
    pub lease_token: i64,
    /// Who holds it.
    pub lease_owner: Option<String>,
    /// Until when, in milliseconds since 1970.
    pub lease_until: Option<i64>,
}

/// What to claim.
#[derive(Clone, Debug)]
pub struct Claim<'a> {
    /// The worker: unique for each start of a process.
    pub owner: &'a str,
    /// Which lane.
    pub lane: Lane,
    /// How many at most.
    pub limit: usize,
    /// Kinds to leave alone, because what comes after them is full.
    pub skip_kinds: &'a [StepKind],
    /// Whether steps of the highest priority are taken all the same.
    pub spare_urgent: bool,
    /// Whether only steps of the highest priority are wanted, and none on which a worker has died.
    pub urgent: bool,
    /// How long the claim holds without a heartbeat.
    pub lease_ms: i64,
}

/// A claimed row.
pub type Claimed = StepRow;

/// Which claim a write belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fence {
    /// The step.
    pub id: String,
    /// The claim's token.
    pub token: i64,
    /// The worker.
    pub owner: String,
}

/// One row of a heartbeat's answer.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// The step that is still ours.
    pub id: String,
    /// Whether someone wants it to stop.
    pub cancelled: bool,
}

impl TryFrom<Model> for StepRow {
    type Error = crate::error::Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            needs: rows::read(row.needs.clone())?,
            with: rows::read(row.with.clone())?,
            retry: row.retry.0.clone(),
            timeout_ms: row.timeout_ms,
            level: row.level,
            rule: row.rule.clone().map_or_else(|| Value::Object(Map::new()), |rule| rule.0),
            list: row.list.clone(),
            item_index: row.item_index,
            item: row.item.clone().map(|item| item.0),
            remaining: row.remaining,
            chosen: row.chosen,
            input_hash: row.input_hash.clone(),
            deadline_at: row.deadline_at,
            reuse: row.reuse.unwrap_or(false),
            lease_token: row.lease_token,
            lease_owner: row.lease_owner.clone(),
            lease_until: row.lease_until,
            step: row.try_into()?,
        })
    }
}

/// A level of priority is worth this much waiting.
const LEVEL_MS: i64 = 5 * 60 * 1000;

/// The columns of a row that ends.
fn end(update: UpdateMany<Entity>, state: StepState, now: i64) -> UpdateMany<Entity> {
    update
        .col_expr(Column::State, Expr::value(state.as_str()))
        .col_expr(Column::FinishedAt, Expr::value(now))
        .col_expr(Column::LeaseOwner, Expr::value(Option::<String>::None))
        .col_expr(Column::LeaseUntil, Expr::value(Option::<i64>::None))
}
