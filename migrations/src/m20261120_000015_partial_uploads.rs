//! Uploads that come in pieces and are not complete yet.

use sea_orm_migration::prelude::*;

/// Adds the table `partial_uploads`.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let mut table = Table::create().table(Alias::new("partial_uploads")).to_owned();
        // A UUID: that of the upload which it becomes.
        table.col(ColumnDef::new(Alias::new("id")).string_len(36).not_null().primary_key());
        // The access token that it came with; null for none.
        table.col(ColumnDef::new(Alias::new("owner")).big_integer().null());
        table.col(ColumnDef::new(Alias::new("file_name")).text().not_null());
        // What the client said about it, word for word.
        table.col(ColumnDef::new(Alias::new("metadata")).text().not_null());
        // Bytes of the whole file; how many are here, the disk knows.
        table.col(ColumnDef::new(Alias::new("length")).big_integer().not_null());
        // Milliseconds since 1970.
        table.col(ColumnDef::new(Alias::new("expires_at")).big_integer().not_null());
        manager.create_table(table).await?;
        let mut index = Index::create().name("partial_uploads_expires").table(Alias::new("partial_uploads")).to_owned();
        manager.create_index(index.col(Alias::new("expires_at")).to_owned()).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.drop_table(Table::drop().table(Alias::new("partial_uploads")).to_owned()).await
    }
}
