//! Receivers of callbacks, watched as such; and secrets that are replaced while receivers still know the old ones.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the table and the columns.
#[derive(DeriveMigrationName)]
pub struct Migration;

/// What is due, found without reading the deliveries themselves; and the deliveries of a receiver.
const INDEXES: [(&str, &[&str]); 2] = [
    ("deliveries_due", &["state", "next_at", "id", "endpoint"]),
    ("deliveries_endpoint", &["endpoint", "state", "id"]),
];

/// What `deliveries_due` takes the place of.
const OLD: (&str, &[&str]) = ("deliveries_claim", &["state", "next_at"]);

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager.create_table(endpoints()).await?;
        manager.create_index(index("endpoints_state", "endpoints", &["state", "id"])).await?;
        // Hashes of addresses; the daemon, which makes them, fills in those of older rows.
        let endpoint = string_len("endpoint", 32).default("").to_owned();
        // Whether a person asked for the next attempt at what had ended.
        let manual = boolean("manual").default(false).to_owned();
        for column in [endpoint, manual] {
            manager.alter_table(change("deliveries").add_column(column).to_owned()).await?;
        }
        manager.drop_index(drop_index(OLD.0)).await?;
        for (name, columns) in INDEXES {
            manager.create_index(index(name, "deliveries", columns)).await?;
        }
        // The value before the present one, encrypted, and when it was replaced.
        for column in [blob_null("previous"), big_integer_null("replaced_at")] {
            manager.alter_table(change("secrets").add_column(column).to_owned()).await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // A word that was not known before.
        let held = Query::update()
            .table(Alias::new("deliveries"))
            .value(Alias::new("state"), "dead")
            .cond_where(Expr::col(Alias::new("state")).eq("held"))
            .to_owned();
        manager.exec_stmt(held).await?;
        for column in ["replaced_at", "previous"] {
            manager.alter_table(change("secrets").drop_column(Alias::new(column)).to_owned()).await?;
        }
        for (name, _) in INDEXES {
            manager.drop_index(drop_index(name)).await?;
        }
        manager.create_index(index(OLD.0, "deliveries", OLD.1)).await?;
        for column in ["manual", "endpoint"] {
            manager.alter_table(change("deliveries").drop_column(Alias::new(column)).to_owned()).await?;
        }
        manager.drop_table(Table::drop().table(Alias::new("endpoints")).to_owned()).await
    }
}

fn endpoints() -> TableCreateStatement {
    Table::create()
        .table(Alias::new("endpoints"))
        // 32 hex digits of the address's SHA-256: an address can be longer than a key may be.
        .col(string_len("id", 32).primary_key())
        .col(text("address"))
        .col(string_len("state", 16))
        // Since when it is in that state.
        .col(big_integer("since"))
        // Failures since it last took something, and when the first one was.
        .col(big_integer("failures"))
        .col(big_integer_null("failing_since"))
        .col(big_integer_null("last_success_at"))
        .col(big_integer_null("last_failure_at"))
        .to_owned()
}

fn change(table: &str) -> TableAlterStatement {
    Table::alter().table(Alias::new(table)).to_owned()
}

fn index(name: &str, table: &str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create().name(name).table(Alias::new(table)).to_owned();
    for column in columns {
        index.col(Alias::new(*column));
    }
    index
}

fn drop_index(name: &str) -> IndexDropStatement {
    Index::drop().name(name).table(Alias::new("deliveries")).to_owned()
}
