//! The processes that work on the database, and which of them polls a source.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the table, and who began a fire.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let nodes = Table::create()
            .table(Alias::new("nodes"))
            // As in `steps.lease_owner`: another one at each start.
            .col(string_len("id", 40).primary_key())
            .col(string_len("name", 255))
            .col(string_len("role", 16))
            .col(string_len("version", 64))
            // SHA-256 over the keys that all nodes must have in common.
            .col(string_len("keys_sha256", 64))
            .col(boolean("draining"))
            // As JSON.
            .col(text("lanes"))
            .col(text("devices"))
            .col(text("engines"))
            .col(text("models"))
            .col(big_integer("started_at"))
            .col(big_integer("seen_at"))
            .to_owned();
        manager.create_table(nodes).await?;
        // None: a fire of an older version, or one that no node has begun.
        let node = ColumnDef::new(Alias::new("node")).string_len(40).null().to_owned();
        manager.alter_table(Table::alter().table(Alias::new("fires")).add_column(node).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(Table::alter().table(Alias::new("fires")).drop_column(Alias::new("node")).to_owned())
            .await?;
        manager.drop_table(Table::drop().table(Alias::new("nodes")).to_owned()).await
    }
}
