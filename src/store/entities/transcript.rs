//! Table `transcripts`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One transcript. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "transcripts")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub task_id: i64,
    pub media_id: Option<i64>,
    pub audio_sha256: String,
    pub model: String,
    pub options: Json,
    pub body: Json,
    pub recipe: Option<String>,
    pub file_warnings: Option<i32>,
    pub created_at: i64,
    pub edit_of: Option<i64>,
    pub revision: Option<i32>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
