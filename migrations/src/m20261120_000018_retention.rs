//! What retention needs: when a kept file was taken away, and how what belongs to a task, or is old, is found.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the column and the indexes.
#[derive(DeriveMigrationName)]
pub struct Migration;

const INDEXES: [(&str, &str, &[&str]); 5] = [
    ("tasks_finished", "tasks", &["finished_at", "id"]),
    ("tasks_rerun", "tasks", &["rerun_of"]),
    ("fires_task", "fires", &["task_id"]),
    ("event_fires_source", "event_fires", &["source_task"]),
    ("idempotency_task", "idempotency_keys", &["task_id"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Milliseconds since 1970; null while the file is here, and where there never was one.
        let removed = big_integer_null("file_removed_at");
        manager.alter_table(Table::alter().table(Alias::new("media")).add_column(removed).to_owned()).await?;
        for (name, table, columns) in INDEXES {
            let mut index = Index::create().name(name).table(Alias::new(table)).to_owned();
            for column in columns {
                index.col(Alias::new(*column));
            }
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (name, table, _) in INDEXES {
            manager.drop_index(Index::drop().name(name).table(Alias::new(table)).to_owned()).await?;
        }
        let column = Alias::new("file_removed_at");
        manager.alter_table(Table::alter().table(Alias::new("media")).drop_column(column).to_owned()).await
    }
}
