//! What differs between databases: how one is opened, how a transaction starts, what time it is, how steps are claimed and
//! words are found.
//!
//! Another database is another variant of [`Dialect`]; nothing outside this folder asks which one it is.

mod claim;
mod open;
mod transfer;
mod words;

use std::time::{SystemTime, UNIX_EPOCH};

use migrations::Migrator;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, QueryResult, SqliteTransactionMode,
    Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait};

use super::schema;
use crate::{error::Error, fault};

pub(super) use self::open::{Opened, open, open_to_look, sqlite_file};

/// Takes the writer's turn until the end of the transaction and tells the time. The schema's name is part of the lock, as
/// several installations may share a database.
const POSTGRES_TURN: &str = "SELECT pg_advisory_xact_lock(1953653111, hashtext(current_schema())), \
                             (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms";
/// Takes a place beside others that do the same; whoever wants the turn for itself waits for all of them.
const POSTGRES_PLACE: &str = "SELECT pg_advisory_xact_lock_shared(1953653111, hashtext(current_schema())), \
                              (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms";
/// As the turn, for the last statements of a transaction beside others.
const POSTGRES_LAST: &str = "SELECT pg_advisory_xact_lock(1953653112, hashtext(current_schema()))";
const POSTGRES_NOW: &str = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS ms";
const MYSQL_TURN: &str =
    "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED) AS ms FROM writer WHERE id = 1 FOR UPDATE";
const MYSQL_PLACE: &str =
    "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED) AS ms FROM writer WHERE id = 1 LOCK IN SHARE MODE";
const MYSQL_LAST: &str = "SELECT id FROM writer WHERE id = 2 FOR UPDATE";
const MYSQL_NOW: &str = "SELECT CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED) AS ms";

/// The kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One file, one process, one writer.
    Sqlite,
    /// Version 12 or newer.
    Postgres,
    /// MariaDB from 10.6 on and MySQL from 8.0.1 on, which skip locked rows.
    MySql,
}

impl Dialect {
    /// Starts a transaction that is sure to be able to write, and beside which nobody else writes; with the database's time
    /// in milliseconds since 1970. Other nodes wait for its end, so it does nothing but its own statements.
    pub(super) async fn begin(self, connection: &DatabaseConnection) -> Result<(DatabaseTransaction, i64), DbErr> {
        match self {
            // A plain BEGIN takes the lock at the first write and then fails at once when another writer was faster.
            Self::Sqlite => {
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..TransactionOptions::default()
                };
                Ok((connection.begin_with_options(options).await?, here()))
            }
            Self::Postgres => self.turn(connection, POSTGRES_TURN).await,
            Self::MySql => self.turn(connection, MYSQL_TURN).await,
        }
    }

    /// As [`Self::begin`], but others may write beside it that began in this way.
    pub(super) async fn begin_beside(
        self,
        connection: &DatabaseConnection,
    ) -> Result<(DatabaseTransaction, i64), DbErr> {
        match self {
            Self::Sqlite => self.begin(connection).await,
            Self::Postgres => self.turn(connection, POSTGRES_PLACE).await,
            Self::MySql => self.turn(connection, MYSQL_PLACE).await,
        }
    }

    /// Lets one transaction after the other come to its end, of those that are beside each other.
    pub(super) async fn go_last(self, transaction: &DatabaseTransaction) -> Result<(), DbErr> {
        let sql = match self {
            Self::Sqlite => return Ok(()),
            Self::Postgres => POSTGRES_LAST,
            Self::MySql => MYSQL_LAST,
        };
        transaction.query_one_raw(Statement::from_string(self.backend(), sql)).await.map(drop)
    }

    /// The database's clock, in milliseconds since 1970.
    pub(super) async fn now(self, connection: &impl ConnectionTrait) -> Result<i64, DbErr> {
        match self {
            // SQLite runs in this process: its clock is ours.
            Self::Sqlite => Ok(here()),
            Self::Postgres => self.time(connection, POSTGRES_NOW).await,
            Self::MySql => self.time(connection, MYSQL_NOW).await,
        }
    }

    /// Brings the schema up to date; nodes that start at the same time do so one after the other.
    pub(super) async fn migrate(self, connection: &DatabaseConnection) -> Result<(), Error> {
        let stale = |error: DbErr| super::stale().with_source(error);
        open::prepare(self, connection).await?;
        if self == Self::MySql {
            // Every change of a table is a transaction there: the turn is kept by the session.
            connection.execute_unprepared("DO GET_LOCK(CONCAT('trawl.', DATABASE()), 600)").await?;
            let migrated = async {
                schema::is_known(connection).await?;
                up(connection).await.map_err(stale)
            };
            let migrated = migrated.await;
            connection.execute_unprepared("DO RELEASE_LOCK(CONCAT('trawl.', DATABASE()))").await?;
            return migrated;
        }
        // All or nothing; and each statement by itself would wait for the disk.
        let (changes, _) = self.begin(connection).await?;
        schema::is_known(&changes).await?;
        up(&changes).await.map_err(stale)?;
        Ok(changes.commit().await?)
    }

    async fn turn(self, connection: &DatabaseConnection, sql: &str) -> Result<(DatabaseTransaction, i64), DbErr> {
        let transaction = connection.begin().await?;
        let now = self.time(&transaction, sql).await?;
        Ok((transaction, now))
    }

    async fn time(self, connection: &impl ConnectionTrait, sql: &str) -> Result<i64, DbErr> {
        let row: Option<QueryResult> = connection.query_one_raw(Statement::from_string(self.backend(), sql)).await?;
        row.ok_or_else(|| DbErr::RecordNotFound("the database does not tell the time".to_owned()))?.try_get("", "ms")
    }

    pub(super) fn backend(self) -> DbBackend {
        match self {
            Self::Sqlite => DbBackend::Sqlite,
            Self::Postgres => DbBackend::Postgres,
            Self::MySql => DbBackend::MySql,
        }
    }
}

/// Makes all changes of the schema that are missing; one by one where a test may want to die between two.
async fn up<'c, C: ConnectionTrait>(connection: &'c C) -> Result<(), DbErr>
where
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let mut missing = if fault::is_armed() { Migrator::get_pending_migrations(connection).await?.len() } else { 0 };
    while missing > 0 {
        Migrator::up(connection, Some(1)).await?;
        fault::point("schema::changed");
        missing -= 1;
    }
    Migrator::up(connection, None).await
}

/// The clock of this process.
fn here() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
