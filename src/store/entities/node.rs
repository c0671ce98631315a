//! Table `nodes`.

use sea_orm::entity::prelude::*;

/// One node. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "nodes")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: String,
    pub role: String,
    pub version: String,
    pub keys_sha256: String,
    pub draining: bool,
    pub lanes: String,
    pub devices: String,
    pub engines: String,
    pub models: String,
    pub started_at: i64,
    pub seen_at: i64,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
