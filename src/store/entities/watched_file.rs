//! Table `watched_files`.

use sea_orm::entity::prelude::*;

/// One file of a watched folder. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "watched_files")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub place: String,
    pub path: String,
    pub folder: String,
    pub size: i64,
    pub changed_at: i64,
    pub sha256: String,
    pub task_id: Option<i64>,
    pub written: bool,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
