//! Table `steps`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One step: a row of the queue. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "steps")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub task_id: i64,
    pub key: String,
    pub position: i32,
    pub kind: String,
    pub lane: String,
    pub state: String,
    pub needs: Json,
    pub with: Json,
    pub retry: Json,
    pub timeout_ms: Option<i64>,
    pub level: i64,
    pub sort_key: i64,
    pub eligible_at: i64,
    pub attempt: i64,
    pub crashes: i64,
    pub lease_owner: Option<String>,
    pub lease_token: i64,
    pub lease_until: Option<i64>,
    pub cancel_at: Option<i64>,
    pub progress: f64,
    pub output: Option<Json>,
    pub error: Option<Json>,
    pub created_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub rule: Option<Json>,
    pub list: Option<String>,
    pub item_index: Option<i64>,
    pub item: Option<Json>,
    pub remaining: Option<i64>,
    pub chosen: Option<bool>,
    pub input_hash: Option<String>,
    pub deadline_at: Option<i64>,
    pub reuse: Option<bool>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
