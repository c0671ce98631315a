//! Table `event_fires`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One event that a trigger has taken. The columns are explained in the migrations.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event_fires")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub workflow: String,
    pub trigger: i64,
    pub event_id: i64,
    pub source_task: i64,
    pub task_id: Option<i64>,
    pub params: Json,
    pub state: String,
    pub note: Option<String>,
    pub created_at: i64,
    pub started_at: Option<i64>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
