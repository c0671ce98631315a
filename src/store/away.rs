//! Whether it was the database itself that could not do what it was asked: whoever asked is not to blame and may ask again.

use sea_orm::{
    DbErr, RuntimeErr, SqlxError,
    sqlx::{error::DatabaseError, mysql::MySqlDatabaseError, postgres::PgDatabaseError, sqlite::SqliteError},
};

use crate::error::Error;

/// SQLITE_BUSY, SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN.
const SQLITE: [u32; 5] = [5, 8, 10, 13, 14];
/// A broken connection, no resources (a full disk, too many connections), the operator's hand, an error of the system, a
/// conflict with others.
const POSTGRES: [&str; 5] = ["08", "53", "57", "58", "40"];
/// As the server says what `POSTGRES` stands for: too many connections, no room (two), shutting down, read-only, killed, idle
/// for too long, waited too long for others, a deadlock.
const MYSQL: [u16; 9] = [1040, 1021, 1114, 1053, 1290, 1927, 4031, 1205, 1213];

/// Whether the database was away, had no room or was busy.
pub fn is_away(error: &Error) -> bool {
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        if let Some(error) = inner.downcast_ref::<DbErr>() {
            return is_of_database(error);
        }
        cause = inner.source();
    }
    false
}

fn is_of_database(error: &DbErr) -> bool {
    let (DbErr::Conn(RuntimeErr::SqlxError(error))
    | DbErr::Exec(RuntimeErr::SqlxError(error))
    | DbErr::Query(RuntimeErr::SqlxError(error))) = error
    else {
        return matches!(error, DbErr::ConnectionAcquire(_));
    };
    match error.as_ref() {
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed => true,
        SqlxError::Database(error) => is_said_so(error.as_ref()),
        _ => false,
    }
}

fn is_said_so(error: &dyn DatabaseError) -> bool {
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        return MYSQL.contains(&error.number());
    }
    let code = error.code().unwrap_or_default();
    if error.try_downcast_ref::<PgDatabaseError>().is_some() {
        return POSTGRES.iter().any(|class| code.starts_with(class)) || code == "25P03";
    }
    // What SQLite adds to an error's number stands in front of its last eight bits.
    let is_sqlite = error.try_downcast_ref::<SqliteError>().is_some();
    is_sqlite && code.parse::<u32>().is_ok_and(|code| SQLITE.contains(&(code & 0xff)))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sea_orm::ConnAcquireErr;

    use super::*;
    use crate::error::Code;

    fn of(error: SqlxError) -> Error {
        DbErr::Exec(RuntimeErr::SqlxError(Arc::new(error))).into()
    }

    #[test]
    fn broken_connections_are_nobodys_fault() {
        let reset = || SqlxError::Io(std::io::ErrorKind::ConnectionReset.into());
        assert!(is_away(&of(reset())) && is_away(&of(SqlxError::PoolTimedOut)));
        assert!(is_away(&Error::new(Code::Io, "a step").with_source(of(reset()))));
        assert!(is_away(&DbErr::ConnectionAcquire(ConnAcquireErr::Timeout).into()));
        assert!(!is_away(&of(SqlxError::RowNotFound)) && !is_away(&DbErr::RecordNotInserted.into()));
        assert!(!is_away(&Error::new(Code::Database, "nobody says why")));
    }

    /// What a database says that has as many pages as it may have.
    #[tokio::test]
    async fn so_is_a_database_without_room() {
        let folder = tempfile::tempdir().unwrap();
        let store =
            crate::store::Store::open(&format!("sqlite:{}", folder.path().join("a.db").display())).await.unwrap();
        use sea_orm::ConnectionTrait;
        store.write.execute_unprepared("CREATE TABLE t (b BLOB UNIQUE)").await.unwrap();
        store.write.execute_unprepared("PRAGMA max_page_count = 1").await.unwrap();
        let full = store.write.execute_unprepared("INSERT INTO t VALUES (zeroblob(10000000))").await.unwrap_err();
        assert!(is_away(&full.into()));
        store.write.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap();
        let twice = store.write.execute_unprepared("INSERT INTO t VALUES (1)").await.unwrap_err();
        assert!(!is_away(&twice.into()));
    }
}
