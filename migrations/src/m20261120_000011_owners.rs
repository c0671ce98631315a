//! Whose a task and an upload is: the access token that it came with.

use sea_orm_migration::prelude::*;

/// Adds the columns, and the index by which one caller's tasks are listed.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 2] = ["tasks", "uploads"];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES {
            let mut change = Table::alter().table(Alias::new(table)).to_owned();
            // Null for what came without a token; the row outlives the token.
            change.add_column(ColumnDef::new(Alias::new("owner")).big_integer().null());
            manager.alter_table(change).await?;
        }
        let mut index = Index::create().name("tasks_owner").table(Alias::new("tasks")).to_owned();
        manager.create_index(index.col(Alias::new("owner")).col(Alias::new("id")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name("tasks_owner").table(Alias::new("tasks")).to_owned()).await?;
        for table in TABLES {
            let mut change = Table::alter().table(Alias::new(table)).to_owned();
            manager.alter_table(change.drop_column(Alias::new("owner")).to_owned()).await?;
        }
        Ok(())
    }
}
