//! That tasks were deleted: all that is kept of them, for whoever watches.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the table.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(Alias::new("deletions"))
            // Of the numbers of events, so that both are told in one order.
            .col(big_integer("id").primary_key())
            // No foreign key: it outlives its task.
            .col(big_integer("task_id"))
            .col(big_integer_null("owner"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(table).await?;
        let mut index = Index::create().name("deletions_task").table(Alias::new("deletions")).to_owned();
        manager.create_index(index.col(Alias::new("task_id")).unique().to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("deletions")).to_owned()).await
    }
}
