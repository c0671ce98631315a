//! Table `schedules`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One schedule. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "schedules")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub name: String,
    pub workflow: String,
    pub params: Json,
    pub options: Json,
    pub priority: String,
    pub callback_url: Option<String>,
    pub source_id: Option<i64>,
    pub cron: String,
    pub tz: String,
    pub overlap: String,
    pub catchup: String,
    pub jitter_ms: i64,
    pub state: String,
    pub paused_until: Option<i64>,
    pub trigger: Option<i64>,
    pub next_fire: Option<i64>,
    pub next_at: Option<i64>,
    pub last_fire_at: Option<i64>,
    pub failures: i64,
    pub alert_after: i64,
    pub alert_url: Option<String>,
    pub alerted: bool,
    pub created_at: i64,
    pub alerted_at: Option<i64>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
