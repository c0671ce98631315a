//! Table `delivery_attempts`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One try at a delivery. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "delivery_attempts")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub delivery_id: String,
    pub attempt: i64,
    pub started_at: i64,
    pub took_ms: i64,
    pub status: Option<i32>,
    pub error: Option<Json>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
