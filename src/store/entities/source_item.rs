//! Table `source_items`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One post seen in a source. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "source_items")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub source_id: i64,
    pub platform: String,
    pub item_id: String,
    pub link: String,
    pub title: String,
    pub published_at: Option<i64>,
    pub first_seen_at: i64,
    pub task_id: Option<i64>,
    pub pinned: bool,
    pub anchored: bool,
    pub error: Option<Json>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
