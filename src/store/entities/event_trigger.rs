//! Table `event_triggers`.

use sea_orm::entity::prelude::*;

use crate::store::json::Json;

/// One trigger of a workflow by an event. The columns are explained in the migrations.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "event_triggers")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub workflow: String,
    pub trigger: i64,
    pub event: String,
    pub condition: Option<String>,
    pub params: Json,
    pub since: i64,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
