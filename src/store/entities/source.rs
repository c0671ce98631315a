//! Table `sources`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One source. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "sources")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub key: String,
    pub platform: String,
    pub link: String,
    pub title: String,
    pub state: String,
    pub workflow: String,
    pub params: Json,
    pub options: Json,
    pub priority: String,
    pub callback_url: Option<String>,
    pub pages: i64,
    pub horizon: Option<i64>,
    pub etag: Option<String>,
    pub last_modified: Option<String>,
    pub last_polled_at: Option<i64>,
    pub last_new_at: Option<i64>,
    pub failures: i64,
    pub last_error: Option<Json>,
    pub created_at: i64,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
