//! Table `media`.

use sea_orm::entity::prelude::*;

/// One media. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "media")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub platform: String,
    pub platform_id: String,
    pub page_url: Option<String>,
    pub title: String,
    pub author: Option<String>,
    pub duration_ms: Option<i64>,
    pub published_at: Option<i64>,
    pub file: Option<String>,
    pub size: Option<i64>,
    pub sha256: Option<String>,
    pub content_type: Option<String>,
    pub created_at: i64,
    pub file_removed_at: Option<i64>,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
