//! Table `task_media`.

use sea_orm::entity::prelude::*;

/// A media that a task uses. The columns are explained in the migrations.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "task_media")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub task_id: i64,
    #[sea_orm(primary_key, auto_increment = false)]
    pub media_id: i64,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
