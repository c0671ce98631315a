//! Access tokens, what was done with them, and what they may do.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the tables.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let tokens = Table::create()
            .table(Alias::new("tokens"))
            // Never given again: tasks name their owner by it after the token is revoked.
            .col(big_integer("id").auto_increment().primary_key())
            // The part of the token that may be shown.
            .col(string_len("key_id", 8).unique_key())
            // Of the whole token.
            .col(binary_len("sha256", 32))
            .col(string_len("name", 100))
            // Words separated by spaces.
            .col(string_len("scopes", 32))
            .col(big_integer("created_at"))
            .col(big_integer_null("expires_at"))
            .col(big_integer_null("last_used_at"))
            .col(big_integer_null("revoked_at"))
            // Quotas; null for none.
            .col(big_integer_null("max_audio_seconds"))
            .col(big_integer_null("max_bytes"))
            .col(big_integer_null("max_tasks"))
            .to_owned();
        manager.create_table(tokens).await?;
        let usage = Table::create()
            .table(Alias::new("usage"))
            // 0: without a token.
            .col(big_integer("token_id"))
            // Days since 1970, UTC.
            .col(big_integer("day"))
            .col(big_integer("requests"))
            .col(big_integer("tasks"))
            .col(big_integer("audio_ms"))
            .col(big_integer("bytes_in"))
            .col(big_integer("llm_tokens"))
            .primary_key(Index::create().col(Alias::new("token_id")).col(Alias::new("day")))
            .to_owned();
        manager.create_table(usage).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["usage", "tokens"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
        }
        Ok(())
    }
}
