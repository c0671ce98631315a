//! How each kind of database is looked after in quiet time.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, Statement};

use super::dialect::Dialect;

/// A database of more pages (256 MiB of 4 KiB) is not written anew as a whole: that holds every writer up.
const REWRITTEN: i64 = 65_536;
/// So many free pages stay for what comes next, and so many are given back at once.
const FREE: i64 = 1_000;
/// So many pages of an index of words are written at once.
const MERGED: i64 = 200;
/// So often at most, as others may write between and look like something left to do.
const ROUNDS: u32 = 100_000;

impl Dialect {
    /// Brings the planner's statistics up to date and gives free space back to the disk; with `forget`, the words of rows that
    /// are gone leave the search's index, too.
    pub(super) async fn tidy(self, connection: &DatabaseConnection, forget: bool) -> Result<(), DbErr> {
        match self {
            Self::Sqlite => {
                if forget {
                    for table in ["tasks_words", "media_words", "transcripts_words"] {
                        merge(connection, table).await?;
                    }
                }
                connection.execute_unprepared("PRAGMA optimize").await?;
                let incremental = pragma(connection, "auto_vacuum").await? == 2;
                if incremental {
                    let mut free = pragma(connection, "freelist_count").await?;
                    while free > FREE {
                        let give = format!("PRAGMA incremental_vacuum({FREE})");
                        connection.query_all_raw(Statement::from_string(DbBackend::Sqlite, give)).await?;
                        let left = pragma(connection, "freelist_count").await?;
                        // Others may free as much as is given back: that is for the next quiet time.
                        if left >= free {
                            break;
                        }
                        free = left;
                    }
                } else {
                    // Made by an older version: written anew once, it can be made smaller in steps from then on.
                    let pages = pragma(connection, "page_count").await?;
                    if pages <= REWRITTEN && pragma(connection, "freelist_count").await? > pages / 4 {
                        connection.execute_unprepared("PRAGMA auto_vacuum=INCREMENTAL").await?;
                        connection.execute_unprepared("VACUUM").await?;
                    }
                }
                connection.execute_unprepared("PRAGMA wal_checkpoint(TRUNCATE)").await?;
                Ok(())
            }
            // Both give space back by themselves.
            Self::Postgres => connection.execute_unprepared("ANALYZE").await.map(drop),
            Self::MySql => {
                let tables = "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() \
                              AND table_type = 'BASE TABLE'";
                for row in connection.query_all_raw(Statement::from_string(DbBackend::MySql, tables)).await? {
                    let table: String = row.try_get_by_index(0)?;
                    let analyze = Statement::from_string(DbBackend::MySql, format!("ANALYZE TABLE `{table}`"));
                    connection.query_all_raw(analyze).await?;
                }
                Ok(())
            }
        }
    }
}

/// Writes an index of words anew, a little at a time: the words of deleted rows stay in it until then. A negative number
/// begins, positive ones go on, and less than two changes say that nothing is left to do (sqlite.org/fts5.html#the_merge_command).
async fn merge(connection: &DatabaseConnection, table: &str) -> Result<(), DbErr> {
    let mut pages = -MERGED;
    for _ in 0..ROUNDS {
        let before = number(connection, "SELECT total_changes()").await?;
        let sql = format!("INSERT INTO {table} ({table}, rank) VALUES ('merge', {pages})");
        connection.execute_unprepared(&sql).await?;
        if number(connection, "SELECT total_changes()").await? - before < 2 {
            break;
        }
        pages = MERGED;
    }
    Ok(())
}

/// The value of a pragma of SQLite.
async fn pragma(connection: &DatabaseConnection, name: &str) -> Result<i64, DbErr> {
    number(connection, &format!("PRAGMA {name}")).await
}

async fn number(connection: &DatabaseConnection, sql: &str) -> Result<i64, DbErr> {
    match connection.query_one_raw(Statement::from_string(DbBackend::Sqlite, sql)).await? {
        Some(row) => row.try_get_by_index(0),
        None => Ok(0),
    }
}
