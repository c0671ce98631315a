//! What starts workflows by itself: schedules with their fires, triggers by events with theirs, and alerts.

use sea_orm_migration::{prelude::*, schema::*, sea_orm::DbBackend};

/// Adds the tables, and lets a delivery go without a task: an alert of a schedule is about none.
#[derive(DeriveMigrationName)]
pub struct Migration;

const DELIVERY_INDEXES: [(&str, &str, &[&str]); 3] = [
    ("deliveries_claim", "deliveries", &["state", "next_at"]),
    ("deliveries_task", "deliveries", &["task_id"]),
    ("attempts_delivery", "delivery_attempts", &["delivery_id", "attempt"]),
];

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in [schedules(), fires(), event_triggers(), event_fires(), cursors()] {
            manager.create_table(table).await?;
        }
        for index in [
            index("schedules_due", "schedules", &["state", "next_at"]),
            index("schedules_trigger", "schedules", &["workflow", "trigger"]),
            index("fires_once", "fires", &["schedule_id", "fire_at"]).unique().to_owned(),
            index("fires_state", "fires", &["state", "schedule_id"]),
            index("event_triggers_once", "event_triggers", &["workflow", "trigger"]).unique().to_owned(),
            index("event_fires_once", "event_fires", &["workflow", "trigger", "event_id"]).unique().to_owned(),
            index("event_fires_state", "event_fires", &["state", "id"]),
            index("event_fires_task", "event_fires", &["task_id"]),
        ] {
            manager.create_index(index).await?;
        }
        rebuild_deliveries(manager, true).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let alerts =
            Query::delete().from_table(Alias::new("deliveries")).cond_where(Expr::col("task_id").is_null()).to_owned();
        manager.exec_stmt(alerts).await?;
        rebuild_deliveries(manager, false).await?;
        for table in ["cursors", "event_fires", "event_triggers", "fires", "schedules"] {
            manager.drop_table(Table::drop().table(Alias::new(table)).if_exists().to_owned()).await?;
        }
        Ok(())
    }
}

fn index(name: &str, table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(Alias::new(table)).to_owned();
    for column in columns {
        index.col(Alias::new(*column));
    }
    index
}

fn schedules() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("schedules"))
        .col(big_pk_auto("id"))
        .col(text("name"))
        .col(string_len("workflow", 64))
        .col(json("params"))
        .col(json("options"))
        .col(string_len("priority", 16))
        .col(text_null("callback_url"))
        .col(big_integer_null("source_id"))
        .col(string_len("cron", 200))
        .col(string_len("tz", 64))
        .col(string_len("overlap", 16))
        .col(string_len("catchup", 16))
        .col(big_integer("jitter_ms"))
        .col(string_len("state", 16))
        .col(big_integer_null("paused_until"))
        // The number of the trigger in the workflow's definition; none for a schedule that was made by hand.
        .col(big_integer_null("trigger"))
        // The time that is to fire next, and when it does: later by what chance adds.
        .col(big_integer_null("next_fire"))
        .col(big_integer_null("next_at"))
        .col(big_integer_null("last_fire_at"))
        .col(big_integer("failures"))
        .col(big_integer("alert_after"))
        .col(text_null("alert_url"))
        .col(boolean("alerted"))
        .col(big_integer("created_at"))
        .foreign_key(
            ForeignKey::create()
                .from("schedules", "source_id")
                .to("sources", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn fires() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("fires"))
        .col(big_pk_auto("id"))
        .col(big_integer("schedule_id"))
        .col(big_integer("fire_at"))
        .col(string_len("state", 16))
        .col(big_integer_null("task_id"))
        .col(big_integer_null("new_items"))
        .col(text_null("note"))
        .col(json_null("error"))
        .col(big_integer("created_at"))
        .col(big_integer_null("ended_at"))
        .foreign_key(
            ForeignKey::create()
                .from("fires", "schedule_id")
                .to("schedules", "id")
                .on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn event_triggers() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("event_triggers"))
        .col(big_pk_auto("id"))
        .col(string_len("workflow", 64))
        .col(big_integer("trigger"))
        .col(string_len("event", 32))
        .col(text_null("condition"))
        .col(json("params"))
        // Events up to this number are older than the trigger.
        .col(big_integer("since"))
        .to_owned()
}

fn event_fires() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("event_fires"))
        .col(big_pk_auto("id"))
        .col(string_len("workflow", 64))
        .col(big_integer("trigger"))
        .col(big_integer("event_id"))
        // The task that the event is about, and the one that was started.
        .col(big_integer("source_task"))
        .col(big_integer_null("task_id"))
        .col(json("params"))
        .col(string_len("state", 16))
        .col(text_null("note"))
        .col(big_integer("created_at"))
        .col(big_integer_null("started_at"))
        .to_owned()
}

fn cursors() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("cursors"))
        .col(string_len("name", 32).primary_key())
        .col(big_integer("position"))
        .to_owned()
}

/// Lets a delivery go without a task, or no more. SQLite cannot change a column, so both tables are written anew there: the
/// log first, as it hangs on the other one.
async fn rebuild_deliveries(manager: &SchemaManager<'_>, without_task: bool) -> Result<(), DbErr> {
    let task = if without_task { big_integer_null("task_id") } else { big_integer("task_id") };
    if manager.get_database_backend() != DbBackend::Sqlite {
        return manager.alter_table(Table::alter().table("deliveries").modify_column(task).to_owned()).await;
    }
    for (name, table, _) in DELIVERY_INDEXES {
        manager.drop_index(Index::drop().name(name).table(Alias::new(table)).to_owned()).await?;
    }
    for table in ["delivery_attempts", "deliveries"] {
        let old = format!("{table}_old");
        manager.rename_table(Table::rename().table(Alias::new(table), Alias::new(old)).to_owned()).await?;
    }
    manager.create_table(deliveries(task)).await?;
    manager.create_table(attempts()).await?;
    for (table, columns) in [("deliveries", &DELIVERY_COLUMNS[..]), ("delivery_attempts", &ATTEMPT_COLUMNS[..])] {
        let columns: Vec<Alias> = columns.iter().map(|column| Alias::new(*column)).collect();
        let old = Query::select().columns(columns.clone()).from(Alias::new(format!("{table}_old"))).to_owned();
        let mut copy = Query::insert().into_table(Alias::new(table)).columns(columns).to_owned();
        copy.select_from(old).map_err(|error| DbErr::Custom(error.to_string()))?;
        manager.exec_stmt(copy).await?;
    }
    for table in ["delivery_attempts_old", "deliveries_old"] {
        manager.drop_table(Table::drop().table(Alias::new(table)).to_owned()).await?;
    }
    for (name, table, columns) in DELIVERY_INDEXES {
        manager.create_index(index(name, table, columns)).await?;
    }
    Ok(())
}

const DELIVERY_COLUMNS: [&str; 14] = [
    "id",
    "task_id",
    "url",
    "event",
    "body",
    "state",
    "attempt",
    "next_at",
    "lease_owner",
    "lease_token",
    "lease_until",
    "created_at",
    "finished_at",
    "secret",
];

const ATTEMPT_COLUMNS: [&str; 7] = ["id", "delivery_id", "attempt", "started_at", "took_ms", "status", "error"];

fn deliveries(task: ColumnDef) -> TableCreateStatement {
    Table::create()
        .table(Alias::new("deliveries"))
        .col(string_len("id", 40).primary_key())
        .col(task)
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
        .col(string_len_null("secret", 63))
        .foreign_key(
            ForeignKey::create().from("deliveries", "task_id").to("tasks", "id").on_delete(ForeignKeyAction::Cascade),
        )
        .to_owned()
}

fn attempts() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("delivery_attempts"))
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
