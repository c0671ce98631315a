//! Table `tasks`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One task. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "tasks")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub workflow: String,
    pub revision: i64,
    pub status: String,
    pub priority: String,
    pub link: String,
    pub params: Json,
    pub options: Json,
    pub media_id: Option<i64>,
    pub language: Option<String>,
    pub progress: f64,
    pub result: Option<Json>,
    pub error: Option<Json>,
    pub waiting: Option<Json>,
    pub warnings: Json,
    pub callback_url: Option<String>,
    pub created_at: i64,
    pub updated_at: i64,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
    pub parent_step: Option<String>,
    pub rerun_of: Option<i64>,
    pub deadline_at: Option<i64>,
    pub held: Option<bool>,
    pub owner: Option<i64>,
    pub facade: Option<Json>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
