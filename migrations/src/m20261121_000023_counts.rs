//! How many of one caller's tasks stand where.

use sea_orm_migration::prelude::*;

/// Adds the index by which they are counted.
#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEX: &str = "tasks_owner_status";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut index = Index::create().name(INDEX).table(Alias::new("tasks")).to_owned();
        for column in ["owner", "status", "id"] {
            index.col(Alias::new(column));
        }
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).table(Alias::new("tasks")).to_owned()).await
    }
}
