//! What steps need beyond the daemon: secrets, the secret that signs a callback, and the posts that workflows have seen.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the tables, and the column to deliveries.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let secrets = Table::create()
            .table(Alias::new("secrets"))
            .col(string_len("name", 63).primary_key())
            // The hosts that may see it, and `exec:<name>` for programs, as a JSON list.
            .col(json("hosts"))
            // Encrypted; the name is bound into it.
            .col(blob("value"))
            .col(big_integer("created_at"))
            .col(big_integer("updated_at"))
            .col(big_integer_null("last_used_at"))
            .to_owned();
        manager.create_table(secrets).await?;
        let seen = Table::create()
            .table(Alias::new("seen_items"))
            // SHA-256 of the workflow's name and the list.
            .col(string_len("list", 64))
            .col(string_len("platform", 32))
            .col(string_len("item_id", 255))
            // Whether everything behind it in the list was seen, too.
            .col(boolean("anchored"))
            .col(big_integer("seen_at"))
            .primary_key(Index::create().col(Alias::new("list")).col(Alias::new("platform")).col(Alias::new("item_id")))
            .to_owned();
        manager.create_table(seen).await?;
        // The name of the secret that signs the message; none: that of the configuration.
        manager.alter_table(deliveries().add_column(string_len_null("secret", 63)).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.alter_table(deliveries().drop_column(Alias::new("secret")).to_owned()).await?;
        for table in ["seen_items", "secrets"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}

fn deliveries() -> TableAlterStatement {
    Table::alter().table(Alias::new("deliveries")).to_owned()
}
