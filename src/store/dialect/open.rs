//! Opening a database.

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, RuntimeErr, Statement,
    sqlx::{
        Connection, Executor, SqliteConnection,
        mysql::MySqlDatabaseError,
        sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
    },
};

use super::Dialect;
use crate::error::{Code, Error, Result};

/// Reading connections of one process.
const READERS: u32 = 8;

/// How long the server lets a transaction of a node wait for its next statement. A node that is stopped in the middle of
/// one would hold up all others.
const IDLE_TRANSACTION: Duration = Duration::from_secs(10);

/// As [`IDLE_TRANSACTION`] for MySQL, which would close connections that just have nothing to do.
const IDLE_CONNECTION: Duration = Duration::from_secs(60);

/// How long a statement waits in MySQL and MariaDB for rows that another transaction has locked; they wait 50 seconds if nobody
/// says otherwise. A node has one connection to write with: whoever gives up waiting for an answer leaves it waiting for the
/// row, and heartbeats with it.
const LOCKED: Duration = Duration::from_secs(10);

/// How long work waits for its turn with a connection.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a server that is away is waited for, by readers: somebody waits for them.
const READERS_PATIENCE: Duration = Duration::from_secs(5);

/// An open database.
pub(in crate::store) struct Opened {
    /// The one connection that writes.
    pub write: DatabaseConnection,
    /// Connections that cannot write.
    pub read: DatabaseConnection,
    /// Its kind.
    pub dialect: Dialect,
}

/// The kind of database that an address stands for; with SQLite's, the path of the file.
fn kind(url: &str) -> Result<(Dialect, Option<&Path>)> {
    match url.split_once(':') {
        Some(("sqlite", path)) => Ok((Dialect::Sqlite, Some(Path::new(path.trim_start_matches("//"))))),
        Some(("postgres" | "postgresql", _)) => Ok((Dialect::Postgres, None)),
        Some(("mysql" | "mariadb", _)) => Ok((Dialect::MySql, None)),
        _ => Err(Error::new(
            Code::Config,
            "`database.url` must start with \"sqlite:\", \"postgres://\", \"mysql://\" or \"mariadb://\"",
        )),
    }
}

/// The file of a SQLite database; none for another kind.
pub(in crate::store) fn sqlite_file(url: &str) -> Result<Option<&Path>> {
    kind(url).map(|(_, path)| path)
}

/// Connects to the database at `url`.
pub(in crate::store) async fn open(url: &str) -> Result<Opened> {
    let (dialect, path) = kind(url)?;
    let address = address(url, path);
    let write = match connect(dialect, &address, true).await {
        Err(error) if dialect == Dialect::MySql && is_unknown_database(&error) => {
            create(&address).await?;
            connect(dialect, &address, true).await?
        }
        connected => connected?,
    };
    let read = connect(dialect, &address, false).await?;
    Ok(Opened { write, read, dialect })
}

/// Connects to the database at `url` to read it; none when it is not there. Nothing is made, and no file is changed.
pub(in crate::store) async fn open_to_look(url: &str) -> Result<Option<(DatabaseConnection, Dialect)>> {
    let (dialect, path) = kind(url)?;
    let connected = match path {
        Some(path) if !path.is_file() => return Ok(None),
        Some(_) => {
            let mut options = ConnectOptions::new(address(url, path));
            options
                .max_connections(1)
                .sqlx_logging(false)
                .map_sqlx_sqlite_opts(|options| options.busy_timeout(PATIENCE).pragma("query_only", "ON"));
            Database::connect(options).await
        }
        None => connect(dialect, &address(url, path), false).await,
    };
    match connected {
        Err(error) if is_unknown_database(&error) => Ok(None),
        connected => Ok(Some((connected?, dialect))),
    }
}

/// The address as the drivers take it.
fn address(url: &str, path: Option<&Path>) -> String {
    match path {
        Some(path) => format!("sqlite://{}", path.display()),
        None => url.replacen("mariadb:", "mysql:", 1),
    }
}

async fn connect(dialect: Dialect, address: &str, writer: bool) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(address);
    options
        .max_connections(if writer { 1 } else { READERS })
        .min_connections(1)
        .acquire_timeout(if writer || dialect == Dialect::Sqlite { PATIENCE } else { READERS_PATIENCE })
        .sqlx_logging(false);
    match dialect {
        // The database is in this process: a connection to it does not break while nobody looks.
        Dialect::Sqlite => options
            .test_before_acquire(false)
            .map_sqlx_sqlite_before_acquire(|connection, _| Box::pin(async move { Ok(is_clean(connection)) }))
            .map_sqlx_sqlite_opts(move |options| sqlite_options(options, writer)),
        Dialect::Postgres => options.map_sqlx_postgres_opts(move |options| {
            let idle = IDLE_TRANSACTION.as_millis().to_string();
            options.application_name("trawl").options([
                ("default_transaction_isolation", "read committed"),
                ("default_transaction_read_only", if writer { "off" } else { "on" }),
                ("idle_in_transaction_session_timeout", idle.as_str()),
            ])
        }),
        Dialect::MySql => options.map_sqlx_mysql_pool_opts(move |pool| {
            pool.after_connect(move |connection, _| {
                Box::pin(async move {
                    for statement in mysql_session(writer) {
                        connection.execute(sea_orm::sqlx::AssertSqlSafe(statement)).await?;
                    }
                    Ok(())
                })
            })
        }),
    };
    Database::connect(options).await
}

/// Whether the server has no database of the address's name.
fn is_unknown_database(error: &DbErr) -> bool {
    let DbErr::Conn(RuntimeErr::SqlxError(error)) = error else { return false };
    error.as_database_error().is_some_and(|error| match error.try_downcast_ref::<MySqlDatabaseError>() {
        Some(error) => error.number() == 1049,
        None => error.code().as_deref() == Some("3D000"),
    })
}

/// Makes the database that an address of MySQL names.
async fn create(address: &str) -> Result<()> {
    let mut server = url::Url::parse(address)
        .map_err(|error| Error::new(Code::Config, "`database.url` is no address").with_source(error))?;
    let name = server.path().trim_matches('/').replace('`', "");
    server.set_path("");
    let connection = Database::connect(server.as_str()).await?;
    connection.execute_unprepared(&format!("CREATE DATABASE IF NOT EXISTS `{name}`")).await?;
    Ok(connection.close().await?)
}

/// Makes ready what tables are made in: PostgreSQL's schema when the address names one that is not there; in MySQL, letters
/// that differ in case only are different ones.
pub(super) async fn prepare(dialect: Dialect, connection: &DatabaseConnection) -> Result<(), DbErr> {
    match dialect {
        Dialect::Sqlite => {}
        Dialect::Postgres => {
            let sql = "SELECT current_setting('search_path') AS name WHERE current_schema() IS NULL";
            let missing = connection.query_one_raw(Statement::from_string(DbBackend::Postgres, sql)).await?;
            if let Some(missing) = missing {
                let name: String = missing.try_get("", "name")?;
                let name = name.split(',').next().unwrap_or_default().trim().trim_matches('"').replace('"', "\"\"");
                connection.execute_unprepared(&format!("CREATE SCHEMA IF NOT EXISTS \"{name}\"")).await?;
            }
        }
        Dialect::MySql => {
            let sql = "SELECT 1 FROM information_schema.schemata WHERE schema_name = DATABASE() AND default_collation_name <> 'utf8mb4_bin'";
            if connection.query_one_raw(Statement::from_string(DbBackend::MySql, sql)).await?.is_some() {
                connection.execute_unprepared("ALTER DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_bin").await?;
            }
        }
    }
    Ok(())
}

/// The settings of one connection to MySQL or MariaDB.
fn mysql_session(writer: bool) -> [String; 3] {
    [
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED".to_owned(),
        format!("SET SESSION TRANSACTION READ {}", if writer { "WRITE" } else { "ONLY" }),
        // MariaDB reads the first comment, MySQL the second: it has a clock for silent connections only. What they close is
        // opened again.
        format!(
            "SET /*M! SESSION idle_transaction_timeout = {}, */ /*!80000 SESSION wait_timeout = {}, */ \
             SESSION innodb_lock_wait_timeout = {}, SESSION sql_auto_is_null = 0",
            IDLE_TRANSACTION.as_secs(),
            IDLE_CONNECTION.as_secs(),
            LOCKED.as_secs()
        ),
    ]
}

/// Whether a connection is in no transaction. On a full disk SQLite ends one by itself, and the end that is then asked for
/// fails: what was begun next would be part of a transaction that nobody ever commits.
fn is_clean(connection: &SqliteConnection) -> bool {
    !connection.is_in_transaction()
}

/// The settings of one SQLite connection. `synchronous=FULL` on the writer: with less, an accepted link could be lost
/// with the power.
fn sqlite_options(options: SqliteConnectOptions, writer: bool) -> SqliteConnectOptions {
    let options = options
        .create_if_missing(writer)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(Duration::from_secs(5))
        .foreign_keys(true)
        // What is deleted is overwritten.
        .pragma("secure_delete", "ON");
    match writer {
        // It counts before the first table is there; said later, it would only wait for the writer.
        true if !options.get_filename().exists() => options.auto_vacuum(SqliteAutoVacuum::Incremental),
        true => options,
        false => options.pragma("query_only", "ON"),
    }
}
