//! Transactions that write beside those of other nodes: what the queue does all the time would otherwise wait for its turn.
//!
//! Such a transaction locks the task that it is about ([`Tx::lock_task`]) and takes steps that nobody else is taking. What
//! it finds out about other tasks may be changing at that moment: where that matters it says so ([`Tx::must_be_alone`]), and
//! is done again alone. The same happens when two of them wait for each other or insert the same row. SQLite has one
//! writer: there, every transaction is alone.

use futures_util::future::BoxFuture;
use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{Error as SqlxError, error::ErrorKind},
};

use super::{Dialect, Store, Tx};
use crate::error::{Code, Error, Result};

/// A transaction has come to something that it may not do beside others.
#[derive(Debug, thiserror::Error)]
#[error("others write at the same time")]
struct NotAlone;

impl Store {
    /// Does `work` in a transaction beside those of other nodes; alone, from the beginning, when that does not go.
    pub async fn beside<'a, T>(&self, work: impl Fn(Tx) -> BoxFuture<'a, Result<T>>) -> Result<T> {
        if self.dialect != Dialect::Sqlite {
            let (inner, now) = Box::pin(self.dialect.begin_beside(&self.write)).await?;
            let done = work(Tx::new(inner, self.dialect, now, false)).await;
            if !done.as_ref().is_err_and(is_collision) {
                return done;
            }
        }
        work(self.begin().await?).await
    }
}

impl Tx {
    /// To be called before anything that rests on what other tasks are.
    pub fn must_be_alone(&self) -> Result<()> {
        if self.is_alone {
            return Ok(());
        }
        Err(Error::new(Code::Database, "Another node was faster").with_source(NotAlone))
    }
}

/// Whether an error comes of what others did at the same time.
fn is_collision(error: &Error) -> bool {
    let Some(source) = std::error::Error::source(error) else { return false };
    match source.downcast_ref::<DbErr>() {
        Some(DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error))) => {
            let SqlxError::Database(error) = error.as_ref() else { return false };
            // PostgreSQL: serialization failure, deadlock; MySQL says 40001 for both, and HY000 for a lock that it did not get.
            matches!(error.kind(), ErrorKind::UniqueViolation)
                || error.code().is_some_and(|code| ["40001", "40P01", "HY000"].contains(&code.as_ref()))
        }
        Some(_) => false,
        None => source.is::<NotAlone>(),
    }
}
