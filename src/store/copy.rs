//! Whole copies of an SQLite database: made beside a daemon that uses it, and looked at before they are taken back.

use std::{
    fs::File,
    path::{Path, PathBuf},
    time::Duration,
};

use sea_orm::{
    ColumnTrait, ConnectOptions, ConnectionTrait, Database, DatabaseConnection, EntityTrait, QueryFilter, QueryOrder,
    QuerySelect, Statement,
    sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions},
};

use super::{entities::media, schema, source_items::IDS_AT_ONCE};
use crate::error::{Code, Error, Result};

/// How long a copy waits for a writer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a copy holds.
#[derive(Clone, Debug)]
pub struct Copied {
    /// The newest change of the schema that it has had.
    pub schema: String,
    /// The kept files that its media name: key, size in bytes, SHA-256 in hex.
    pub files: Vec<(String, i64, String)>,
}

/// The file of an SQLite database.
///
/// # Errors
/// `config` for other databases, with the words which program copies those.
pub fn sqlite_file(url: &str) -> Result<PathBuf> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        return Ok(PathBuf::from(path.trim_start_matches("//")));
    }
    let tool = match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("postgres" | "postgresql") => "`pg_dump`, and `pg_restore` for the way back",
        _ => "`mariadb-dump` or `mysqldump`, and the client for the way back",
    };
    let hint = format!("Use {tool}; copy the *.key and *.secret files and the folder `media` of `paths.data` besides.");
    Err(Error::new(Code::Config, "trawl copies SQLite databases only; this one has its own programs").with_hint(hint))
}

/// Copies the database in a file to another file, as it is at one moment; whoever uses it goes on meanwhile.
///
/// # Errors
/// `database` when there is none, or when the copy is there already.
pub async fn copy_sqlite(from: &Path, to: &Path) -> Result<()> {
    // Not read only: a database whose last writer died has to be made readable first.
    // So that the copy can be made smaller later; saying it waits for the writer once.
    let patient = |options: SqliteConnectOptions| options.busy_timeout(PATIENCE);
    let connection = connect(from, move |options| patient(options).auto_vacuum(SqliteAutoVacuum::Incremental)).await?;
    let to = to.to_str().ok_or_else(|| Error::new(Code::Config, "The path of a backup must be plain text"))?;
    let copy = Statement::from_sql_and_values(connection.get_database_backend(), "VACUUM INTO ?", [to.into()]);
    connection.execute_raw(copy).await?;
    Ok(connection.close().await?)
}

/// Checks a copy, which nobody may be using: every page and every reference, and whether this version knows its schema.
///
/// # Errors
/// `database` when it is damaged, or from a newer trawl.
pub async fn check_sqlite(path: &Path) -> Result<Copied> {
    let connection = connect(path, |options| options.read_only(true).immutable(true)).await?;
    let backend = connection.get_database_backend();
    let damaged = |what: String| {
        Error::new(Code::Database, format!("The copy of the database is damaged: {what}"))
            .with_hint("Take another backup.")
    };
    let checked = connection.query_all_raw(Statement::from_string(backend, "PRAGMA integrity_check")).await;
    let checked = checked.map_err(|error| damaged("it cannot be read to its end".to_owned()).with_source(error))?;
    for row in checked {
        let said: String = row.try_get_by_index(0)?;
        if said != "ok" {
            return Err(damaged(said));
        }
    }
    if let Some(row) = connection.query_one_raw(Statement::from_string(backend, "PRAGMA foreign_key_check")).await? {
        let table: String = row.try_get_by_index(0)?;
        return Err(damaged(format!("a row of `{table}` names one that is not there")));
    }
    schema::is_current(&connection).await?;
    let schema = schema::applied(&connection).await?.pop();
    let schema = schema.ok_or_else(|| damaged("it is none of trawl's".to_owned()))?;
    let files = kept(&connection).await?;
    connection.close().await?;
    Ok(Copied { schema, files })
}

/// Takes the place of a database that is not there yet, so that no daemon makes one meanwhile.
///
/// # Errors
/// `conflict` when there is a database.
pub fn take_place(path: &Path) -> Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let lock = super::lock(path)?;
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    // A log that is left alone belongs to another database, and would be taken for this one's.
    if path.exists() || Path::new(&log).exists() {
        return Err(Error::new(
            Code::Conflict,
            format!("There is a database already, or what is left of one: {}", path.display()),
        )
        .with_hint("Restore into an empty data folder, or move this one away first."));
    }
    Ok(lock)
}

async fn kept(on: &DatabaseConnection) -> Result<Vec<(String, i64, String)>> {
    let mut files: Vec<(String, i64, String)> = Vec::new();
    loop {
        let last = files.last().map(|(file, ..)| file.clone()).unwrap_or_default();
        let page: Vec<(String, Option<i64>, Option<String>)> = media::Entity::find()
            .select_only()
            .column(media::Column::File)
            .column_as(media::Column::Size.max(), "bytes")
            .column_as(media::Column::Sha256.max(), "hash")
            .filter(media::Column::File.gt(last))
            .group_by(media::Column::File)
            .order_by_asc(media::Column::File)
            .limit(IDS_AT_ONCE as u64)
            .into_tuple()
            .all(on)
            .await?;
        if page.is_empty() {
            return Ok(files);
        }
        let file = |(file, size, hash): (String, Option<i64>, Option<String>)| {
            (file, size.unwrap_or_default(), hash.unwrap_or_default())
        };
        files.extend(page.into_iter().map(file));
    }
}

async fn connect(
    path: &Path,
    settings: impl Fn(SqliteConnectOptions) -> SqliteConnectOptions + Send + Sync + 'static,
) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(format!("sqlite://{}", path.display()));
    options.max_connections(1).sqlx_logging(false).map_sqlx_sqlite_opts(settings);
    Ok(Database::connect(options).await?)
}
