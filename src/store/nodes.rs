//! The processes that work on this database, and what each of them does now.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait, sea_query::OnConflict,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Value, json};

use super::{
    Store, Tx, date,
    entities::{
        node::{ActiveModel, Column, Entity, Model},
        step, task,
    },
};
use crate::{
    domain::{Lane, NodeState, Role, StepKind, StepState, TaskId, TokenId},
    error::{Code, Error, Result},
};

/// How full a lane of a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LaneLoad {
    /// The lane.
    pub lane: Lane,
    /// How many of its steps the node runs at the same time.
    pub width: usize,
    /// How many run.
    pub busy: usize,
}

/// What a node says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct NewNode {
    /// As in leases: another one at each start.
    pub id: String,
    /// What people call it, at most 255 characters.
    pub name: String,
    /// What it does.
    pub role: Role,
    /// Its program's version.
    pub version: String,
    /// SHA-256 over the keys that all nodes have in common, in hex.
    pub keys_sha256: String,
    /// Whether it is stopping.
    pub draining: bool,
    /// The lanes that it takes steps of.
    pub lanes: Vec<LaneLoad>,
    /// Its devices, as its engines tell of them.
    pub devices: Value,
    /// Its engines.
    pub engines: Value,
    /// The models that it can use.
    pub models: Vec<String>,
}

/// A node as it was last heard of.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// What it said.
    pub said: NewNode,
    /// How it is.
    pub state: NodeState,
    /// When it started, by the database's clock.
    pub started_at: DateTime<Utc>,
    /// When it was last heard of, by the same clock.
    pub seen_at: DateTime<Utc>,
}

/// A step that a node works on.
#[derive(Clone, Debug, PartialEq)]
pub struct RunningStep {
    /// The node's id.
    pub node: String,
    /// The task.
    pub task_id: TaskId,
    /// The step's key.
    pub key: String,
    /// What it does.
    pub kind: StepKind,
    /// The lane that it takes a place of.
    pub lane: Lane,
    /// 0 to 1.
    pub progress: f64,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// Writes what a node says of itself, now.
    pub async fn put_node(&self, node: &NewNode) -> Result<()> {
        let model = ActiveModel {
            id: Set(node.id.clone()),
            name: Set(node.name.clone()),
            role: Set(node.role.to_string()),
            version: Set(node.version.clone()),
            keys_sha256: Set(node.keys_sha256.clone()),
            draining: Set(node.draining),
            lanes: Set(json!(node.lanes).to_string()),
            devices: Set(node.devices.to_string()),
            engines: Set(node.engines.to_string()),
            models: Set(json!(node.models).to_string()),
            started_at: Set(self.now),
            seen_at: Set(self.now),
        };
        let changing =
            [Column::Draining, Column::Lanes, Column::Devices, Column::Engines, Column::Models, Column::SeenAt];
        let newer = OnConflict::column(Column::Id).update_columns(changing).to_owned();
        Entity::insert(model).on_conflict(newer).exec_without_returning(&self.inner).await?;
        Ok(())
    }

    /// Forgets a node that stops.
    pub async fn delete_node(&self, id: &str) -> Result<()> {
        Entity::delete_by_id(id).exec(&self.inner).await?;
        Ok(())
    }

    /// Forgets nodes that were not heard of since then, in milliseconds since 1970; how many.
    pub async fn forget_nodes(&self, before: i64) -> Result<u64> {
        Ok(Entity::delete_many().filter(Column::SeenAt.lt(before)).exec(&self.inner).await?.rows_affected)
    }
}

impl Store {
    /// Every node, in the order of their starts. One is lost when it was silent for `lease_ms`. A node of a version whose
    /// words this one does not know is left out.
    pub async fn nodes(&self, lease_ms: i64) -> Result<Vec<Node>> {
        let now = self.dialect.now(&self.read).await?;
        let found = Entity::find().order_by_asc(Column::StartedAt).order_by_asc(Column::Id).all(&self.read).await?;
        let read = |row: Model| {
            let id = row.id.clone();
            let node = node(row, now, lease_ms);
            node.inspect_err(|error| tracing::warn!(node = id, error = %error.chain(), "a node's row cannot be read"))
                .ok()
        };
        Ok(found.into_iter().filter_map(read).collect())
    }

    /// What is worked on, the oldest first; of one owner's tasks, or of all.
    pub async fn running(&self, only: Option<TokenId>, limit: u64) -> Result<Vec<RunningStep>> {
        type Found = (Option<String>, i64, String, String, String, f64, Option<i64>);
        let of_owner = |owner: TokenId| {
            let tasks = task::Entity::find().select_only().column(task::Column::Id);
            step::Column::TaskId.in_subquery(tasks.filter(task::Column::Owner.eq(owner.0)).into_query())
        };
        let found: Vec<Found> = step::Entity::find()
            .select_only()
            .columns([step::Column::LeaseOwner, step::Column::TaskId, step::Column::Key, step::Column::Kind])
            .columns([step::Column::Lane, step::Column::Progress, step::Column::StartedAt])
            .filter(step::Column::State.eq(StepState::Running.as_str()))
            .apply_if(only, |query, owner| query.filter(of_owner(owner)))
            .order_by_asc(step::Column::StartedAt)
            .order_by_asc(step::Column::Id)
            .limit(limit)
            .into_tuple()
            .all(&self.read)
            .await?;
        let read = |(node, task, key, kind, lane, progress, started): Found| {
            let (kind, lane) = (kind.parse()?, lane.parse()?);
            let (node, started_at) = (node.unwrap_or_default(), started.map(date));
            Ok(RunningStep { node, task_id: TaskId(task), key, kind, lane, progress, started_at })
        };
        found.into_iter().map(read).collect()
    }
}

fn node(row: Model, now: i64, lease_ms: i64) -> Result<Node> {
    let state = match row.draining {
        _ if now - row.seen_at > lease_ms => NodeState::Lost,
        true => NodeState::Draining,
        false => NodeState::Ready,
    };
    let said = NewNode {
        id: row.id,
        name: row.name,
        role: row.role.parse()?,
        version: row.version,
        keys_sha256: row.keys_sha256,
        draining: row.draining,
        lanes: read(&row.lanes)?,
        devices: read(&row.devices)?,
        engines: read(&row.engines)?,
        models: read(&row.models)?,
    };
    Ok(Node { said, state, started_at: date(row.started_at), seen_at: date(row.seen_at) })
}

fn read<T: DeserializeOwned>(text: &str) -> Result<T> {
    let unread = |error| Error::new(Code::Database, "A node has said what this version cannot read").with_source(error);
    serde_json::from_str(text).map_err(unread)
}
