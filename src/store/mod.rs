//! The database: the only place that knows sea-orm and SQL.
//!
//! One file per aggregate. Reads are methods of [`Store`]; everything that changes rows is a method of [`Tx`], so that a
//! caller decides what happens together. Callers may rely on this: an error rolls the whole transaction back, every time
//! in a row is the transaction's [`Tx::now`], and nobody else writes between a transaction's first read and its commit
//! (but see `beside`).

mod away;
mod bell;
mod beside;
mod copy;
mod counts;
mod deletions;
mod deliveries;
mod delivery_moves;
mod dialect;
mod endpoints;
mod entities;
mod events;
mod fires;
mod grams;
mod identities;
mod insert;
mod json;
mod lanes;
mod lapsed;
mod load;
mod media;
mod nodes;
mod partial_uploads;
mod retention;
mod revisions;
mod rows;
mod schedules;
mod schema;
mod search;
mod secrets;
mod seen_items;
mod source_items;
mod sources;
mod steps;
mod task_media;
mod task_span;
mod tasks;
#[cfg(test)]
pub(crate) mod test_url;
#[cfg(test)]
mod tests;
mod tidy;
mod tokens;
mod transcripts;
mod transfer;
mod triggers;
mod upkeep;
mod usage;
mod watched;
mod waveforms;
mod workflows;

use std::{fs::File, path::Path, sync::Mutex};

use chrono::{DateTime, TimeZone, Utc};
use sea_orm::{DatabaseConnection, DatabaseTransaction, DbErr};

pub use self::{
    away::is_away,
    bell::Bell,
    copy::{Copied, check_sqlite, copy_sqlite, sqlite_file, take_place},
    deliveries::{Alert, Attempt, ClaimedDelivery, Delivery, DeliveryEnd, DeliveryFilter, DeliveryPage, NewDelivery},
    delivery_moves::{MovedDelivery, Redelivery},
    endpoints::{EndpointFilter, EndpointPage, StoredEndpoint},
    events::Event,
    fires::{FireEnd, FirePage},
    identities::StoredIdentity,
    lapsed::{Lapsed, LapsedLeases},
    load::Load,
    media::{NewMedia, NewUpload, Upload},
    nodes::{LaneLoad, NewNode, Node, RunningStep},
    partial_uploads::PartialUpload,
    retention::{FileFacts, Hold, LogFacts, TaskFacts},
    revisions::{Revision, RevisionLine},
    rows::is_unreadable,
    schedules::{ScheduleFilter, SchedulePage},
    secrets::StoredSecret,
    source_items::{ItemPage, NewItem},
    sources::{NewSource, PollNote, SourcePage},
    steps::{
        Claim, Claimed, Counted, Fence, Heartbeat, Held, ItemEnd, ItemFilter, ListItem, ListPage, LiveStep, NewStep,
        Start, StepRow, StepView, Stopped,
    },
    task_span::Ends,
    tasks::{NewTask, Page, TaskFilter},
    tokens::NewToken,
    transcripts::NewTranscript,
    transfer::{Moved, Moving, transfer},
    triggers::{EventFire, EventFirePage, EventTrigger, NewEventFire, PendingFire},
    usage::{DAY_MS, UsageRow},
    watched::WatchedFile,
    workflows::{Origin, WorkflowRevision},
};
use self::{dialect::Dialect, events::NewEvent};
use crate::error::{Code, Error, Result};

/// An open database. Cheap to share behind an `Arc`.
pub struct Store {
    write: DatabaseConnection,
    read: DatabaseConnection,
    dialect: Dialect,
    /// Lasts as long as the file is open.
    lock: Option<File>,
}

/// One transaction that may write. Dropping it without [`Tx::commit`] undoes everything.
pub struct Tx {
    inner: DatabaseTransaction,
    dialect: Dialect,
    now: i64,
    is_alone: bool,
    /// What is to be told of it, written at its end.
    events: Mutex<Vec<NewEvent>>,
}

impl Store {
    /// Opens the database at `url` (`sqlite:path`, `postgres://…`, `mysql://…`) and brings its schema up to date. SQLite's
    /// is taken for this process alone.
    pub async fn open(url: &str) -> Result<Self> {
        let store = Self::connect(url).await?;
        schema::is_whole(&store.write).await?;
        Box::pin(store.dialect.migrate(&store.write)).await?;
        let changes = store.begin().await?;
        changes.fill_search().await?;
        changes.fill_endpoints().await?;
        changes.commit().await?;
        Ok(store)
    }

    /// Opens the database at `url` as it is; none when its schema would have to be changed.
    pub async fn open_unchanged(url: &str) -> Result<Option<Self>> {
        let store = Self::connect(url).await?;
        Ok(schema::is_current(&store.read).await?.then_some(store))
    }

    /// Opens the database at `url` to look at it, beside the daemon that holds it or without one. It is left as it is.
    ///
    /// # Errors
    /// `database` when its schema is that of another version.
    pub async fn look(url: &str) -> Result<Self> {
        let store = Self::connect_with(url, |_| Ok(None)).await?;
        if schema::is_current(&store.read).await? { Ok(store) } else { Err(stale()) }
    }

    /// Opens the database at `url` for a command that writes a row or two: as [`Self::open`], or beside the daemon that
    /// holds it.
    ///
    /// # Errors
    /// `database` when a daemon of another version holds it.
    pub async fn open_beside(url: &str) -> Result<Self> {
        match Self::open(url).await {
            Err(error) if error.code == Code::DatabaseLocked => {}
            opened => return opened,
        }
        Self::look(url).await
    }

    async fn connect(url: &str) -> Result<Self> {
        Self::connect_with(url, |path| lock(path).map(Some)).await
    }

    async fn connect_with(url: &str, lock: impl FnOnce(&Path) -> Result<Option<File>>) -> Result<Self> {
        let lock = match dialect::sqlite_file(url)? {
            Some(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                lock(path)?
            }
            None => None,
        };
        let dialect::Opened { write, read, dialect } = Box::pin(dialect::open(url)).await?;
        Ok(Self { write, read, dialect, lock })
    }

    /// Starts a transaction that may write.
    pub async fn begin(&self) -> Result<Tx> {
        // Boxed, as futures of three drivers would fill a thread's stack.
        let (inner, now) = Box::pin(self.dialect.begin(&self.write)).await?;
        Ok(Tx::new(inner, self.dialect, now, true))
    }

    /// Lets the operating system write to the disk when it likes, for tests that crash nothing but themselves.
    #[cfg(test)]
    pub async fn hurry(&self) {
        use sea_orm::ConnectionTrait;
        if self.dialect == Dialect::Sqlite {
            self.write.execute_unprepared("PRAGMA synchronous=OFF").await.unwrap();
        }
    }

    /// Does to the tables what no trawl does, for tests of what it then does.
    #[cfg(test)]
    pub async fn spoil(&self, sql: &str) {
        use sea_orm::ConnectionTrait;
        assert!(self.write.execute_unprepared(sql).await.unwrap().rows_affected() > 0, "{sql}");
    }

    /// The database's clock, in milliseconds since 1970.
    pub async fn now(&self) -> Result<i64> {
        Ok(self.dialect.now(&self.read).await?)
    }

    /// Whether no other process can work on this database: whatever is found in it was left behind. Of databases that
    /// nodes share it is never true.
    pub fn is_exclusive(&self) -> bool {
        self.lock.is_some()
    }

    /// Whether the database answers.
    pub async fn ping(&self) -> Result<()> {
        Ok(self.read.ping().await?)
    }
}

impl Tx {
    fn new(inner: DatabaseTransaction, dialect: Dialect, now: i64, is_alone: bool) -> Self {
        Self { inner, dialect, now, is_alone, events: Mutex::default() }
    }

    /// The time of everything in this transaction: milliseconds since 1970 by the database's clock.
    pub fn now(&self) -> i64 {
        self.now
    }

    /// Makes everything done here last.
    pub async fn commit(self) -> Result<()> {
        Box::pin(self.write_events()).await?;
        Ok(Box::pin(self.inner.commit()).await?)
    }
}

fn stale() -> Error {
    Error::new(Code::Database, "The database's schema is not that of this trawl, and cannot be brought up to date")
        .with_hint("Start the trawl that uses this database; an older schema is brought up to date by `trawl migrate`.")
}

/// Takes the database for this process, so that a second daemon on the same file stops with a clear error.
fn lock(path: &Path) -> Result<File> {
    let file = File::options().create(true).truncate(false).write(true).open(path.with_extension("lock"))?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => {
            Error::new(Code::DatabaseLocked, "Another trawl is running on this database")
        }
        std::fs::TryLockError::Error(error) => {
            Error::new(Code::Database, "The database's lock file cannot be locked (is it on a network drive?)")
                .with_source(error)
        }
    })?;
    Ok(file)
}

impl From<DbErr> for Error {
    fn from(error: DbErr) -> Self {
        Self::new(Code::Database, "The database did not do what it was asked").with_source(error)
    }
}

/// A stored time as a date.
pub(crate) fn date(ms: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(ms).single().unwrap_or_default()
}
