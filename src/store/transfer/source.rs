//! Where a move comes from. It is read, and never written to.

use sea_orm::{DatabaseConnection, DatabaseTransaction, IsolationLevel, TransactionTrait};

use super::address::Address;
use crate::{
    domain::NodeState,
    error::{Code, Error, Result},
    store::{Store, dialect, dialect::Dialect, lock, schema},
};

/// A database that is left.
pub(super) struct Source {
    /// Both of its connections can only read.
    store: Store,
}

impl Source {
    /// Opens it, and makes sure that nobody works on it: SQLite's file is taken from daemons until the end of the move.
    ///
    /// # Errors
    /// `not_found` when there is none, `database_locked` when somebody works on it, `database` when its schema is not that of
    /// this version, or a move into it was cut off.
    pub(super) async fn open(at: &Address<'_>, lease_ms: i64) -> Result<Self> {
        let absent = |what: &str| {
            Error::new(Code::NotFound, format!("There is {what} at `{}`", at.flag))
                .with_hint("Check the address; a database that a daemon uses is named by its `database.url`.")
        };
        let lock = match at.file {
            Some(path) if !path.is_file() => return Err(absent("no database")),
            Some(path) => Some(lock(path).map_err(busy)?),
            None => None,
        };
        let Some((connection, dialect)) = at.look().await? else { return Err(absent("no database")) };
        let store = Store { write: connection.clone(), read: connection, dialect, lock };
        let applied = schema::applied(&store.read).await;
        if applied.map_err(|error| at.unreachable(error))?.is_empty() {
            return Err(absent("no database of trawl"));
        }
        if !schema::is_current(&store.read).await? {
            return Err(Error::new(Code::Database, "The database at `--from` has the schema of an older trawl")
                .with_hint("Bring it up to date with `trawl migrate` first, with its address as `database.url`."));
        }
        let source = Self { store };
        source.is_left_alone(lease_ms).await?;
        Ok(source)
    }

    /// Whether no daemon works on it.
    ///
    /// # Errors
    /// `database_locked` when a node was heard of within the last `lease_ms`.
    pub(super) async fn is_left_alone(&self, lease_ms: i64) -> Result<()> {
        if self.store.is_exclusive() {
            return Ok(());
        }
        let nodes = self.store.nodes(lease_ms).await?;
        let Some(node) = nodes.into_iter().find(|node| node.state != NodeState::Lost) else { return Ok(()) };
        let detail = format!("The node \"{}\" works on the database at `--from`", node.said.name.escape_debug());
        let wait = format!("one that died is taken for alive until it was silent for {} s", lease_ms / 1000);
        Err(Error::new(Code::DatabaseLocked, detail).with_hint(format!("Stop all nodes, and move again; {wait}.")))
    }

    /// All of it as it is at one moment.
    pub(super) async fn snapshot(&self) -> Result<DatabaseTransaction> {
        let isolation = match self.store.dialect {
            // Always of one moment.
            Dialect::Sqlite => None,
            Dialect::Postgres | Dialect::MySql => Some(IsolationLevel::RepeatableRead),
        };
        let snapshot = Box::pin(self.store.read.begin_with_config(isolation, None)).await?;
        self.store.dialect.linger(&snapshot).await?;
        Ok(snapshot)
    }

    /// The last number that a table's rows were given, those that are gone included: none is given twice.
    pub(super) async fn last_number(
        &self,
        snapshot: &DatabaseTransaction,
        table: &str,
        column: &str,
    ) -> Result<Option<i64>> {
        Ok(self.store.dialect.last_number(snapshot, table, column).await?)
    }
}

impl Address<'_> {
    /// Connects without being able to write, and without making anything; none when there is no such database.
    pub(super) async fn look(&self) -> Result<Option<(DatabaseConnection, Dialect)>> {
        Box::pin(dialect::open_to_look(self.url)).await.map_err(|error| self.unreachable(error))
    }

    /// Says which end cannot be reached.
    pub(super) fn unreachable(&self, error: Error) -> Error {
        let detail = format!("The database at `{}` cannot be opened", self.flag);
        let hint = "Are address, user and password right, does the database exist, and does its server run?";
        Error::new(Code::Database, detail).with_hint(hint).with_source(error)
    }
}

fn busy(error: Error) -> Error {
    match error.code {
        Code::DatabaseLocked => Error::new(Code::DatabaseLocked, "A trawl works on the database at `--from`")
            .with_hint("Stop it first: what it writes from now on would not come along."),
        _ => error,
    }
}
