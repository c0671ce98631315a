//! What a database server needs that several nodes share.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

/// JSON becomes text: the servers' own types sort an object's keys and refuse some characters; SQLite has none. In MySQL, room
/// in columns that are small there, and the rows that a writer holds until its transaction ends. PostgreSQL has locks of its
/// own for that, and SQLite one writer.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let connection = manager.get_connection();
        match manager.get_database_backend() {
            DbBackend::Postgres => return json_as_text(manager).await,
            DbBackend::MySql => {}
            _ => return Ok(()),
        }
        connection.execute_unprepared("CREATE TABLE IF NOT EXISTS writer (id integer PRIMARY KEY)").await?;
        connection.execute_unprepared("INSERT IGNORE INTO writer (id) VALUES (1), (2)").await?;
        widen(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::MySql {
            manager.get_connection().execute_unprepared("DROP TABLE IF EXISTS writer").await?;
        }
        Ok(())
    }
}

async fn json_as_text(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let json = Query::select()
        .exprs(["table_name", "column_name"].map(|name| Expr::col(name).cast_as("text")))
        .from(("information_schema", "columns"))
        .and_where(Expr::col("table_schema").eq(Expr::cust("current_schema()")))
        .and_where(Expr::col("data_type").is_in(["json", "jsonb"]))
        .to_owned();
    for row in connection.query_all(&json).await? {
        let (table, column): (String, String) = (row.try_get_by_index(0)?, row.try_get_by_index(1)?);
        let change = format!("ALTER TABLE \"{table}\" ALTER COLUMN \"{column}\" TYPE text");
        connection.execute_unprepared(&change).await?;
    }
    Ok(())
}

/// Texts and bytes may be longer than 64 KiB, and JSON is not looked at: MariaDB's check of it knows 32 levels.
async fn widen(manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    let small = Query::select()
        .exprs(["TABLE_NAME", "COLUMN_NAME", "DATA_TYPE", "IS_NULLABLE"].map(Expr::col))
        .from(("information_schema", "columns"))
        .and_where(Expr::col("TABLE_SCHEMA").eq(Expr::cust("DATABASE()")))
        .and_where(Expr::col("DATA_TYPE").is_in(["text", "blob", "json", "longtext"]))
        .to_owned();
    for row in connection.query_all(&small).await? {
        let [table, column, kind, null]: [String; 4] =
            [row.try_get_by_index(0)?, row.try_get_by_index(1)?, row.try_get_by_index(2)?, row.try_get_by_index(3)?];
        let wide = if kind == "blob" { "LONGBLOB" } else { "LONGTEXT" };
        let null = if null == "YES" { "NULL" } else { "NOT NULL" };
        connection.execute_unprepared(&format!("ALTER TABLE `{table}` MODIFY `{column}` {wide} {null}")).await?;
    }
    Ok(())
}
