//! What differs between databases: how a transaction starts, what time it is, how steps are claimed and words are found.
//!
//! Another database is another variant of [`Dialect`]; nothing outside this file asks which one it is.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode, Statement,
    TransactionOptions, TransactionTrait, Value,
    sea_query::{Expr, SimpleExpr},
    sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};

use super::{Claim, grams::Phrase, search::Searched};

/// The kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dialect {
    /// One file, one process, one writer.
    Sqlite,
}

/// The settings of one SQLite connection. `synchronous=FULL` on the writer: with less, an accepted link could be lost
/// with the power.
pub(super) fn sqlite_options(options: SqliteConnectOptions, writer: bool) -> SqliteConnectOptions {
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

impl Dialect {
    /// Starts a transaction that is sure to be able to write.
    pub(super) async fn begin(self, connection: &DatabaseConnection) -> Result<DatabaseTransaction, DbErr> {
        match self {
            // A plain BEGIN takes the lock at the first write and then fails at once when another writer was faster.
            Self::Sqlite => {
                let options = TransactionOptions {
                    sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
                    ..TransactionOptions::default()
                };
                connection.begin_with_options(options).await
            }
        }
    }

    /// The database's clock, in milliseconds since 1970.
    pub(super) async fn now(self, _connection: &impl ConnectionTrait) -> Result<i64, DbErr> {
        match self {
            // SQLite runs in this process: its clock is ours.
            Self::Sqlite => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
            }
        }
    }

    /// Claims steps: one statement that marks the first free rows of a lane as running and returns them whole.
    pub(super) fn claim(self, claim: &Claim<'_>, now: i64) -> Statement {
        match self {
            Self::Sqlite => {
                let skipped = vec!["?"; claim.skip_kinds.len()].join(",");
                let urgent = if claim.urgent { " AND level=0 AND crashes=0" } else { "" };
                let spared = if claim.spare_urgent { "level=0 OR " } else { "" };
                let sql = format!(
                    "UPDATE steps SET state='running', attempt=attempt+1, progress=0, lease_token=lease_token+1, \
                     lease_owner=?, lease_until=?, cancel_at=NULL, started_at=? \
                     WHERE id IN (SELECT id FROM steps WHERE lane=? AND state='ready' AND eligible_at<=? \
                     AND ({spared}kind NOT IN ({skipped})){urgent} ORDER BY sort_key,id LIMIT ?) RETURNING *"
                );
                let mut values: Vec<Value> = vec![
                    claim.owner.into(),
                    (now + claim.lease_ms).into(),
                    now.into(),
                    claim.lane.as_str().into(),
                    now.into(),
                ];
                values.extend(claim.skip_kinds.iter().map(|kind| Value::from(kind.as_str())));
                values.push((claim.limit as i64).into());
                Statement::from_sql_and_values(DbBackend::Sqlite, sql, values)
            }
        }
    }

    /// Claims deliveries that are due, as [`Self::claim`] does for steps.
    pub(super) fn claim_deliveries(self, owner: &str, lease_ms: i64, limit: usize, now: i64) -> Statement {
        match self {
            Self::Sqlite => Statement::from_sql_and_values(
                DbBackend::Sqlite,
                "UPDATE deliveries SET state='sending', attempt=attempt+1, lease_token=lease_token+1, lease_owner=?, \
                 lease_until=? WHERE id IN (SELECT id FROM deliveries WHERE state='pending' AND next_at<=? \
                 ORDER BY next_at,id LIMIT ?) RETURNING *",
                [owner.into(), (now + lease_ms).into(), now.into(), (limit as i64).into()],
            ),
        }
    }

    /// Writes the words of a row, split by [`super::grams`], in the place of those that were there.
    pub(super) fn set_words(self, of: Searched, id: i64, words: String) -> Statement {
        match self {
            Self::Sqlite => {
                let sql = format!("INSERT OR REPLACE INTO {}_words (rowid, words) VALUES (?,?)", of.table());
                Statement::from_sql_and_values(DbBackend::Sqlite, sql, [id.into(), words.into()])
            }
        }
    }

    /// Removes the words of a row.
    pub(super) fn drop_words(self, of: Searched, id: i64) -> Statement {
        match self {
            Self::Sqlite => {
                let sql = format!("DELETE FROM {}_words WHERE rowid=?", of.table());
                Statement::from_sql_and_values(DbBackend::Sqlite, sql, [id.into()])
            }
        }
    }

    /// The condition that any of these stands in a task's link, its title and author, or what was said.
    pub(super) fn found(self, phrases: &[Phrase]) -> SimpleExpr {
        match self {
            Self::Sqlite => {
                let text = |phrase: &Phrase| {
                    // Letters and digits between quotes: nothing there that FTS5 could take for its own.
                    let words = phrase.tokens.join(" ");
                    if phrase.open { format!("\"{words}\"*") } else { format!("\"{words}\"") }
                };
                // The index holds all that is asked of transcripts; by itself SQLite would read their rows, which are large.
                let sought = phrases.iter().map(text).collect::<Vec<_>>().join(" OR ");
                Expr::cust_with_values(
                    "tasks.id IN (SELECT rowid FROM tasks_words WHERE tasks_words MATCH ? \
                     UNION ALL SELECT id FROM tasks WHERE media_id IN (SELECT rowid FROM media_words WHERE media_words MATCH ?) \
                     UNION ALL SELECT task_id FROM transcripts INDEXED BY transcripts_whose WHERE id IN \
                     (SELECT rowid FROM transcripts_words WHERE transcripts_words MATCH ?))",
                    [sought.clone(), sought.clone(), sought],
                )
            }
        }
    }
}

impl Searched {
    fn table(self) -> &'static str {
        match self {
            Self::Task => "tasks",
            Self::Media => "media",
            Self::Transcript => "transcripts",
        }
    }
}
