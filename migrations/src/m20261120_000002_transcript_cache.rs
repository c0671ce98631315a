//! Transcripts are found again by the audio and by what decided what was heard of it.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the cache's key to transcripts. Older ones have none and are never found by it.
#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEX: &str = "transcripts_recipe";

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // One column each time: SQLite adds no more in one statement.
        for column in [string_len_null("recipe", 64), integer_null("file_warnings")] {
            manager.alter_table(Table::alter().table(transcripts()).add_column(column).to_owned()).await?;
        }
        let index = Index::create()
            .name(INDEX)
            .table(transcripts())
            .col(Alias::new("audio_sha256"))
            .col(Alias::new("recipe"))
            .to_owned();
        manager.create_index(index).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_index(Index::drop().name(INDEX).table(transcripts()).to_owned()).await?;
        for column in ["file_warnings", "recipe"] {
            let column = Alias::new(column);
            manager.alter_table(Table::alter().table(transcripts()).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

fn transcripts() -> Alias {
    Alias::new("transcripts")
}
