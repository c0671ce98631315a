//! Table `fires`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One fire of a schedule. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "fires")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub schedule_id: i64,
    pub fire_at: i64,
    pub state: String,
    pub task_id: Option<i64>,
    pub new_items: Option<i64>,
    pub note: Option<String>,
    pub error: Option<Json>,
    pub created_at: i64,
    pub ended_at: Option<i64>,
    pub started_at: Option<i64>,
    pub caught_up: Option<bool>,
    pub node: Option<String>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
