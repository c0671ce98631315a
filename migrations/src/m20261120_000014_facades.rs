//! Through which system's routes a task came, with what its shape of a task shows and ours does not.

use sea_orm_migration::prelude::*;

/// Adds the column.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter().table(Alias::new("tasks")).to_owned();
        // Null for what came through routes of our own.
        change.add_column(ColumnDef::new(Alias::new("facade")).json().null());
        manager.alter_table(change).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut change = Table::alter().table(Alias::new("tasks")).to_owned();
        manager.alter_table(change.drop_column(Alias::new("facade")).to_owned()).await
    }
}
