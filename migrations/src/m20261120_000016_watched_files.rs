//! The files of watched folders that were taken in, so that each content is taken in once.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the table.
#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: [(&str, &[&str]); 3] =
    [("watched_content", &["sha256"]), ("watched_task", &["task_id"]), ("watched_waiting", &["written"])];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let files = Table::create()
            .table(Alias::new("watched_files"))
            // SHA-256 of the path: a path can be longer than a key may be.
            .col(string_len("place", 64).primary_key())
            .col(text("path"))
            // The watched folder, as configured.
            .col(text("folder"))
            .col(big_integer("size"))
            // When the file was last written to.
            .col(big_integer("changed_at"))
            .col(string_len("sha256", 64))
            // None: it was refused before it became a task. No foreign key: it outlives its task.
            .col(big_integer_null("task_id"))
            // Whether what came of it lies where it should.
            .col(boolean("written"))
            .to_owned();
        manager.create_table(files).await?;
        for (name, columns) in INDEXES {
            let mut index = Index::create().name(name).table(Alias::new("watched_files")).to_owned();
            for column in columns {
                index.col(Alias::new(*column));
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("watched_files")).to_owned()).await
    }
}
