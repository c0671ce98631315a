//! What moving data asks of a database: the numbers that it gives to rows, and patience.

use sea_orm::{ConnectionTrait, DatabaseConnection, DbErr, Statement};

use super::{Dialect, open};

impl Dialect {
    /// The last number that rows of a table were given, those that are gone included; none when it never gave one.
    pub(in crate::store) async fn last_number(
        self,
        on: &impl ConnectionTrait,
        table: &str,
        column: &str,
    ) -> Result<Option<i64>, DbErr> {
        let (sql, values) = match self {
            Self::Sqlite => ("SELECT seq FROM sqlite_sequence WHERE name = ?".to_owned(), vec![table.into()]),
            Self::Postgres => {
                let Some(sequence) = sequence(on, table, column).await? else { return Ok(None) };
                (format!("SELECT CASE WHEN is_called THEN last_value END FROM {sequence}"), Vec::new())
            }
            Self::MySql => {
                // MySQL would tell what it knew a day ago. MariaDB does not read the comment.
                let fresh = "SET /*!80000 SESSION information_schema_stats_expiry = 0, */ SESSION sql_auto_is_null = 0";
                on.execute_unprepared(fresh).await?;
                let sql = "SELECT CAST(AUTO_INCREMENT AS SIGNED) - 1 FROM information_schema.TABLES \
                           WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?";
                (sql.to_owned(), vec![table.into()])
            }
        };
        let row = on.query_one_raw(Statement::from_sql_and_values(self.backend(), sql, values)).await?;
        row.map_or(Ok(None), |row| row.try_get_by_index(0))
    }

    /// Lets the next row of a table have a number behind this one, which is at least 1.
    pub(in crate::store) async fn go_on_after(
        self,
        on: &impl ConnectionTrait,
        table: &str,
        column: &str,
        number: i64,
    ) -> Result<(), DbErr> {
        match self {
            Self::Sqlite => {
                // It knows the largest number that it has seen already, if it has seen one.
                for sql in [
                    "INSERT INTO sqlite_sequence (seq, name) SELECT ?1, ?2 \
                     WHERE NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = ?2)",
                    "UPDATE sqlite_sequence SET seq = ?1 WHERE name = ?2 AND seq < ?1",
                ] {
                    let values = [number.into(), table.into()];
                    on.execute_raw(Statement::from_sql_and_values(self.backend(), sql, values)).await?;
                }
            }
            Self::Postgres => {
                if let Some(sequence) = sequence(on, table, column).await? {
                    let values = [sequence.into(), number.into()];
                    let sql = "SELECT setval($1::text::regclass, $2)";
                    on.query_one_raw(Statement::from_sql_and_values(self.backend(), sql, values)).await?;
                }
            }
            Self::MySql => {
                let next = number.saturating_add(1);
                on.execute_unprepared(&format!("ALTER TABLE `{table}` AUTO_INCREMENT = {next}")).await?;
            }
        }
        Ok(())
    }

    /// Makes ready what tables are made in.
    pub(in crate::store) async fn prepare(self, connection: &DatabaseConnection) -> Result<(), DbErr> {
        open::prepare(self, connection).await
    }

    /// Lets a transaction that only reads wait for its next statement: it holds up nobody.
    pub(in crate::store) async fn linger(self, on: &impl ConnectionTrait) -> Result<(), DbErr> {
        let sql = match self {
            Self::Sqlite => return Ok(()),
            Self::Postgres => "SET LOCAL idle_in_transaction_session_timeout = 0",
            Self::MySql => "SET /*M! SESSION idle_transaction_timeout = 0, */ SESSION sql_auto_is_null = 0",
        };
        on.execute_unprepared(sql).await.map(drop)
    }

    /// Takes a server's database for one who moves data into it, as long as the connection lasts; whether nobody else has.
    /// SQLite's is taken by its file.
    pub(in crate::store) async fn hold(self, connection: &DatabaseConnection) -> Result<bool, DbErr> {
        let sql = match self {
            Self::Sqlite => return Ok(true),
            // By the schema's name, which may not be there yet.
            Self::Postgres => {
                "SELECT pg_try_advisory_lock(1953653111, hashtext('move ' || current_setting('search_path')))"
            }
            Self::MySql => "SELECT GET_LOCK(CONCAT('trawl.move.', MD5(DATABASE())), 0) = 1",
        };
        let row = connection.query_one_raw(Statement::from_string(self.backend(), sql)).await?;
        row.map_or(Ok(false), |row| row.try_get_by_index(0))
    }
}

/// The sequence of PostgreSQL that numbers a column, quoted.
async fn sequence(on: &impl ConnectionTrait, table: &str, column: &str) -> Result<Option<String>, DbErr> {
    let sql = "SELECT pg_get_serial_sequence(quote_ident($1), $2)";
    let ask = Statement::from_sql_and_values(Dialect::Postgres.backend(), sql, [table.into(), column.into()]);
    on.query_one_raw(ask).await?.map_or(Ok(None), |row| row.try_get_by_index(0))
}
