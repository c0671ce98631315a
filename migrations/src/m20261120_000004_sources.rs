//! Lists that are followed, and which of their posts were seen.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds sources and the posts seen in them. A post stays when the task that was made of it is deleted.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(sources()).await?;
        manager.create_table(items()).await?;
        let index = |name: &str, columns: &[&'static str]| {
            let mut index = Index::create().name(name).table(Alias::new("source_items")).to_owned();
            for column in columns {
                index.col(Alias::new(*column));
            }
            index
        };
        let seen = index("source_items_seen", &["source_id", "platform", "item_id"]).unique().to_owned();
        manager.create_index(seen).await?;
        manager.create_index(index("source_items_page", &["source_id", "id"])).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["source_items", "sources"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).if_exists().to_owned()).await?;
        }
        Ok(())
    }
}

fn sources() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("sources"))
        .col(big_pk_auto("id"))
        .col(string_len("key", 64).unique_key())
        .col(string_len("platform", 32))
        .col(text("link"))
        .col(text("title"))
        .col(string_len("state", 16))
        .col(string_len("workflow", 64))
        .col(json("params"))
        .col(json("options"))
        .col(string_len("priority", 16))
        .col(text_null("callback_url"))
        .col(big_integer("pages"))
        .col(big_integer_null("horizon"))
        .col(text_null("etag"))
        .col(text_null("last_modified"))
        .col(big_integer_null("last_polled_at"))
        .col(big_integer_null("last_new_at"))
        .col(big_integer("failures"))
        .col(json_null("last_error"))
        .col(big_integer("created_at"))
        .to_owned()
}

fn items() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("source_items"))
        .col(big_pk_auto("id"))
        .col(big_integer("source_id"))
        .col(string_len("platform", 32))
        .col(string_len("item_id", 255))
        .col(text("link"))
        .col(text("title"))
        .col(big_integer_null("published_at"))
        .col(big_integer("first_seen_at"))
        .col(big_integer_null("task_id"))
        .col(boolean("pinned"))
        .col(boolean("anchored"))
        .col(json_null("error"))
        .foreign_key(
            ForeignKey::create()
                .from("source_items", "source_id")
                .to("sources", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}
