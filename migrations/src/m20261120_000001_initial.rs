//! The first schema. Times are milliseconds since 1970 in UTC; words are those of the design's nouns.

use sea_orm_migration::{prelude::*, schema::*};

/// Creates every table of version 0.1.
#[derive(DeriveMigrationName)]
pub struct Migration;

const TABLES: [&str; 10] = [
    "workflows",
    "tasks",
    "steps",
    "media",
    "uploads",
    "transcripts",
    "deliveries",
    "delivery_attempts",
    "events",
    "idempotency_keys",
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [
            workflows(),
            tasks(),
            steps(),
            media(),
            uploads(),
            transcripts(),
            deliveries(),
            delivery_attempts(),
            events(),
            idempotency_keys(),
        ] {
            manager.create_table(table).await?;
        }
        for index in indexes() {
            manager.create_index(index).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in TABLES.iter().rev() {
            manager.drop_table(Table::drop().table(Alias::new(*table)).if_exists().to_owned()).await?;
        }
        Ok(())
    }
}

fn table(name: &'static str) -> TableCreateStatement {
    Table::create().table(Alias::new(name)).to_owned()
}

fn workflows() -> TableCreateStatement {
    table("workflows")
        .col(string_len("name", 64))
        .col(big_integer("revision"))
        .col(json("definition"))
        .col(string_len("sha256", 64))
        .col(big_integer("created_at"))
        .primary_key(Index::create().col("name").col("revision"))
        .to_owned()
}

fn tasks() -> TableCreateStatement {
    table("tasks")
        .col(big_pk_auto("id"))
        .col(string_len("workflow", 64))
        .col(big_integer("revision"))
        .col(string_len("status", 16))
        .col(string_len("priority", 16))
        .col(text("link"))
        .col(json("params"))
        .col(json("options"))
        .col(big_integer_null("media_id"))
        .col(string_len_null("language", 16))
        .col(double("progress"))
        .col(json_null("result"))
        .col(json_null("error"))
        .col(json_null("waiting"))
        .col(json("warnings"))
        .col(text_null("callback_url"))
        .col(big_integer("created_at"))
        .col(big_integer("updated_at"))
        .col(big_integer_null("started_at"))
        .col(big_integer_null("finished_at"))
        .to_owned()
}

fn steps() -> TableCreateStatement {
    table("steps")
        .col(string_len("id", 36).primary_key())
        .col(big_integer("task_id"))
        .col(string_len("key", 80))
        .col(integer("position"))
        .col(string_len("kind", 80))
        .col(string_len("lane", 16))
        .col(string_len("state", 16))
        .col(json("needs"))
        .col(json("with"))
        .col(json("retry"))
        .col(big_integer_null("timeout_ms"))
        .col(big_integer("level"))
        .col(big_integer("sort_key"))
        .col(big_integer("eligible_at"))
        .col(big_integer("attempt"))
        .col(big_integer("crashes"))
        .col(string_len_null("lease_owner", 36))
        .col(big_integer("lease_token"))
        .col(big_integer_null("lease_until"))
        .col(big_integer_null("cancel_at"))
        .col(double("progress"))
        .col(json_null("output"))
        .col(json_null("error"))
        .col(big_integer("created_at"))
        .col(big_integer_null("started_at"))
        .col(big_integer_null("finished_at"))
        .foreign_key(
            ForeignKey::create().from("steps", "task_id").to("tasks", "id").on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn media() -> TableCreateStatement {
    table("media")
        .col(big_pk_auto("id"))
        .col(string_len("platform", 32))
        .col(string_len("platform_id", 255))
        .col(text_null("page_url"))
        .col(text("title"))
        .col(text_null("author"))
        .col(big_integer_null("duration_ms"))
        .col(big_integer_null("published_at"))
        .col(string_len_null("file", 255))
        .col(big_integer_null("size"))
        .col(string_len_null("sha256", 64))
        .col(string_len_null("content_type", 127))
        .col(big_integer("created_at"))
        .to_owned()
}

fn uploads() -> TableCreateStatement {
    table("uploads")
        .col(string_len("id", 36).primary_key())
        .col(text("file_name"))
        .col(string_len("file", 255))
        .col(big_integer("size"))
        .col(string_len("sha256", 64))
        .col(string_len_null("content_type", 127))
        .col(big_integer("created_at"))
        .to_owned()
}

fn transcripts() -> TableCreateStatement {
    table("transcripts")
        .col(big_pk_auto("id"))
        .col(big_integer("task_id"))
        .col(string_len("audio_sha256", 64))
        .col(string_len("model", 128))
        .col(json("options"))
        .col(json("body"))
        .col(big_integer("created_at"))
        .foreign_key(
            ForeignKey::create().from("transcripts", "task_id").to("tasks", "id").on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn deliveries() -> TableCreateStatement {
    table("deliveries")
        .col(string_len("id", 40).primary_key())
        .col(big_integer("task_id"))
        .col(text("url"))
        .col(string_len("event", 64))
        .col(text("body"))
        .col(string_len("state", 16))
        .col(big_integer("attempt"))
        .col(big_integer("next_at"))
        .col(string_len_null("lease_owner", 36))
        .col(big_integer("lease_token"))
        .col(big_integer_null("lease_until"))
        .col(big_integer("created_at"))
        .col(big_integer_null("finished_at"))
        .foreign_key(
            ForeignKey::create().from("deliveries", "task_id").to("tasks", "id").on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn delivery_attempts() -> TableCreateStatement {
    table("delivery_attempts")
        .col(big_pk_auto("id"))
        .col(string_len("delivery_id", 40))
        .col(big_integer("attempt"))
        .col(big_integer("started_at"))
        .col(big_integer("took_ms"))
        .col(integer_null("status"))
        .col(json_null("error"))
        .foreign_key(
            ForeignKey::create()
                .from("delivery_attempts", "delivery_id")
                .to("deliveries", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn events() -> TableCreateStatement {
    table("events")
        .col(big_pk_auto("id"))
        .col(big_integer("task_id"))
        .col(string_len("kind", 16))
        .col(json("data"))
        .col(big_integer("created_at"))
        .foreign_key(
            ForeignKey::create().from("events", "task_id").to("tasks", "id").on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn idempotency_keys() -> TableCreateStatement {
    table("idempotency_keys")
        .col(string_len("key", 255).primary_key())
        .col(string_len("body_sha256", 64))
        .col(big_integer("task_id"))
        .col(big_integer("created_at"))
        .to_owned()
}

fn indexes() -> Vec<IndexCreateStatement> {
    let index = |name: &'static str, table: &'static str, columns: &[&'static str]| {
        let mut index = Index::create().name(name).table(Alias::new(table)).to_owned();
        for column in columns {
            index.col(Alias::new(*column));
        }
        index
    };
    let unique = |mut index: IndexCreateStatement| index.unique().to_owned();
    vec![
        index("steps_claim", "steps", &["lane", "state", "sort_key", "id"]),
        index("steps_lease", "steps", &["state", "lease_until"]),
        unique(index("steps_key", "steps", &["task_id", "key"])),
        index("tasks_status", "tasks", &["status", "id"]),
        unique(index("media_item", "media", &["platform", "platform_id"])),
        index("transcripts_task", "transcripts", &["task_id", "id"]),
        index("deliveries_claim", "deliveries", &["state", "next_at"]),
        index("deliveries_task", "deliveries", &["task_id"]),
        index("attempts_delivery", "delivery_attempts", &["delivery_id", "attempt"]),
        index("events_task", "events", &["task_id", "id"]),
    ]
}
