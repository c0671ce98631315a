//! Table `deliveries`.

use sea_orm::entity::prelude::*;

/// One callback to send. The columns are explained in the migrations and the domain types.
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "deliveries")]
#[allow(missing_docs, reason = "columns, named as in the schema")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub task_id: Option<i64>,
    pub url: String,
    pub event: String,
    pub body: String,
    pub state: String,
    pub attempt: i64,
    pub next_at: i64,
    pub lease_owner: Option<String>,
    pub lease_token: i64,
    pub lease_until: Option<i64>,
    pub created_at: i64,
    pub finished_at: Option<i64>,
    pub secret: Option<String>,
    pub endpoint: String,
    pub manual: bool,
}

/// No relations: rows are joined by hand where they are read.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
