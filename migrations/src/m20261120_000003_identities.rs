//! Cookie identities: who the daemon is towards platforms.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates the table of identities. `secret` is encrypted by the daemon; no key lies in the database.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let table = Table::create()
            .table(identities())
            .col(string_len("id", 36).primary_key())
            .col(string_len("platform", 32))
            .col(string_len("name", 64))
            .col(blob("secret"))
            .col(text("user_agent"))
            .col(string_len("state", 16))
            .col(big_integer_null("cool_until"))
            .col(big_integer("failures"))
            .col(string_len_null("last_error", 32))
            .col(big_integer_null("last_used_at"))
            .col(big_integer("created_at"))
            .to_owned();
        manager.create_table(table).await?;
        let index = Index::create()
            .name("identities_name")
            .table(identities())
            .col(Alias::new("platform"))
            .col(Alias::new("name"))
            .unique()
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(identities()).to_owned()).await
    }
}

fn identities() -> Alias {
    Alias::new("identities")
}
