//! Where a move goes. It holds nothing before, and what is half there is told from what is whole by a mark.

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, EntityName, RuntimeErr,
    sea_query::{Expr, ExprTrait, Query},
};
use sea_orm_migration::SchemaManager;

use super::{
    Moving,
    address::Address,
    digest::Digest,
    rows::Row,
    tables::{self, Table},
};
use crate::{
    error::{Code, Error, Result},
    fault,
    store::{Store, dialect, entities::cursor, lock, schema, search},
};

/// Who works on a database: of the place, but a sign that somebody has begun to.
const NODES: &str = "nodes";

/// A database that is moved into.
pub(super) struct Target {
    store: Store,
}

impl Target {
    /// Opens it, marks it and makes its tables; what an earlier move has left there goes. Nothing is changed unless it is
    /// empty or marked.
    ///
    /// # Errors
    /// `conflict` when it holds something, `database_locked` when another move or a daemon is at work there, `database` when it
    /// cannot be reached or a newer trawl has used it.
    pub(super) async fn open(at: &Address<'_>, tell: &(dyn Fn(Moving) + Sync)) -> Result<Self> {
        let lock = match at.file {
            Some(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)?;
                }
                Some(lock(path).map_err(busy)?)
            }
            None => None,
        };
        // Looked at before anything is made there, and again when no other move can come in between.
        if let Some((connection, _)) = at.look().await? {
            // The first question tells whether it is a database at all.
            schema::is_marked(&connection).await.map_err(|error| at.unreachable(error))?;
            is_free(&connection).await?;
            connection.close().await?;
        }
        let opened = Box::pin(dialect::open(at.url)).await.map_err(|error| at.unreachable(error))?;
        let store = Store { write: opened.write, read: opened.read, dialect: opened.dialect, lock };
        if !store.dialect.hold(&store.write).await? {
            return Err(busy(Error::new(Code::DatabaseLocked, "")));
        }
        if is_free(&store.write).await? {
            tell(Moving::Anew);
        }
        store.dialect.prepare(&store.write).await?;
        schema::mark(&store.write).await?;
        Box::pin(store.dialect.migrate(&store.write)).await?;
        let target = Self { store };
        for table in tables::moved()?.iter().rev() {
            let tx = target.store.begin().await?;
            tx.inner.execute(&Query::delete().from_table(table.name).to_owned()).await?;
            tx.commit().await?;
        }
        Ok(target)
    }

    /// Takes all rows of a table; their digest, and the largest number among them if the database numbers them.
    pub(super) async fn take(
        &self,
        table: &Table,
        from: &DatabaseTransaction,
        tell: &(dyn Fn(Moving) + Sync),
    ) -> Result<(Digest, Option<i64>)> {
        let (mut digest, mut last) = (Digest::default(), None);
        let taken = table.each_handful(from, async |rows| {
            for row in &rows {
                digest.add(row);
                last = Ord::max(last, table.number_of(row));
            }
            let tx = self.store.begin().await?;
            if let Err(error) = Box::pin(table.insert(&tx.inner, &rows)).await {
                drop(tx);
                return Err(self.named(table, &rows, error).await);
            }
            tx.commit().await?;
            fault::point("transfer::batch");
            tell(Moving::Rows(table.name, digest.rows));
            Ok::<_, Error>(())
        });
        Box::pin(taken).await.map_err(|error| {
            Error::new(Code::Database, format!("The rows of table `{}` cannot be moved", table.name))
                .with_hint(error.hint.clone())
                .with_source(error)
        })?;
        Ok((digest, last))
    }

    /// Why rows cannot be written, with the one that is to blame if the database refuses one of them.
    async fn named(&self, table: &Table, rows: &[Row], error: DbErr) -> Error {
        let is_refusal = |error: &DbErr| match error {
            DbErr::Exec(RuntimeErr::SqlxError(error)) | DbErr::Query(RuntimeErr::SqlxError(error)) => {
                error.as_database_error().is_some()
            }
            _ => false,
        };
        if is_refusal(&error) {
            for row in rows {
                let Ok(tx) = self.store.begin().await else { break };
                if let Err(error) = Box::pin(table.insert(&tx.inner, std::slice::from_ref(row))).await {
                    let detail = format!("The database at `--to` does not take the row {}", table.shown(row));
                    let hint = "Change or delete what it belongs to at `--from`, with a daemon on it, and move again: a text may \
                                hold a character that this kind of database does not know, or be too long for it.";
                    return Error::new(Code::Database, detail).with_hint(hint).with_source(error);
                }
            }
        }
        error.into()
    }

    /// Lets the database give numbers behind this one.
    pub(super) async fn go_on_after(&self, table: &str, column: &str, number: Option<i64>) -> Result<()> {
        match number.filter(|number| *number > 0) {
            Some(number) => Ok(self.store.dialect.go_on_after(&self.store.write, table, column, number).await?),
            None => Ok(()),
        }
    }

    /// Writes the words of all rows as this kind of database searches them.
    pub(super) async fn fill_search(&self, tell: &(dyn Fn(Moving) + Sync)) -> Result<()> {
        for of in search::ALL {
            let (mut last, mut rows) = (i64::MIN, 0);
            loop {
                let tx = self.store.begin().await?;
                let Some((id, filled)) = tx.fill_page(of, last).await? else { break };
                tx.commit().await?;
                (last, rows) = (id, rows + filled);
                fault::point("transfer::words");
                tell(Moving::Words(of.table(), rows));
            }
        }
        Ok(())
    }

    /// The digest of what is in a table.
    pub(super) async fn digest(&self, table: &Table, tell: &(dyn Fn(Moving) + Sync)) -> Result<Digest> {
        let mut digest = Digest::default();
        let read = table.each_handful(&self.store.read, async |rows| {
            rows.iter().for_each(|row| digest.add(row));
            tell(Moving::Checked(table.name, digest.rows));
            Ok::<_, Error>(())
        });
        Box::pin(read).await?;
        Ok(digest)
    }

    /// Takes the mark away: from now on it is a database like any other.
    pub(super) async fn finish(self) -> Result<()> {
        schema::unmark(&self.store.write).await?;
        self.store.write.close().await?;
        Ok(self.store.read.close().await?)
    }
}

/// Whether something has to go first: what a move that was cut off has left.
///
/// # Errors
/// `conflict` when there is something else.
async fn is_free(on: &DatabaseConnection) -> Result<bool> {
    let manager = SchemaManager::new(on);
    if schema::is_marked(on).await? {
        return Ok(true);
    }
    let is_ours = !schema::applied(on).await?.is_empty();
    if is_ours {
        schema::is_current(on).await?;
    }
    let full = |what: String| {
        Error::new(Code::Conflict, format!("The database at `--to` is not empty: {what}"))
            .with_hint("Name a database that no daemon has worked on yet, or remove everything from this one.")
    };
    for name in tables::moved()?.iter().map(|table| table.name).chain([NODES]) {
        if !manager.has_table(name).await? {
            continue;
        }
        if !is_ours {
            return Err(full(format!("it has a table `{name}`, which is none of trawl's")));
        }
        let mut rows = Query::select().expr(Expr::value(1)).from(name).limit(1).to_owned();
        if name == cursor::Entity.table_name() {
            // Not data: a new database asks for its search to be filled.
            rows.and_where(Expr::col("name").ne(search::MARK));
        }
        if on.query_one(&rows).await?.is_some() {
            return Err(full(format!("its table `{name}` has rows")));
        }
    }
    Ok(false)
}

fn busy(error: Error) -> Error {
    match error.code {
        Code::DatabaseLocked => {
            Error::new(Code::DatabaseLocked, "A trawl works on the database at `--to`, or moves data into it")
                .with_hint("Wait until it is done, or stop it and name a database that is empty.")
        }
        _ => error,
    }
}
