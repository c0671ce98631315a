//! What a fire and an alert tell besides: when a fire began, whether it made up for a time that had passed, and since when
//! a schedule is known to fail.

use sea_orm_migration::{prelude::*, schema::*};

/// Adds the columns.
#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, mut column) in added() {
            let add = Table::alter().table(Alias::new(table)).add_column(&mut column).to_owned();
            manager.alter_table(add).await?;
        }
        // When it was told is not known any more: at the last time that fired, at the earliest.
        let known = Query::update()
            .table(Alias::new("schedules"))
            .value("alerted_at", Expr::col("last_fire_at").if_null(Expr::col("created_at")))
            .and_where(Expr::col("alerted").eq(true))
            .to_owned();
        manager.exec_stmt(known).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in added() {
            let column = Alias::new(column.get_column_name());
            manager.alter_table(Table::alter().table(Alias::new(table)).drop_column(column).to_owned()).await?;
        }
        Ok(())
    }
}

fn added() -> [(&'static str, ColumnDef); 3] {
    [
        ("fires", big_integer_null("started_at")),
        ("fires", boolean_null("caught_up")),
        ("schedules", big_integer_null("alerted_at")),
    ]
}
