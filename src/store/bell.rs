//! What nodes call out to each other through the database (PostgreSQL's LISTEN and NOTIFY), so that they need not wait until
//! they look by themselves. A call that is lost is no harm: looking finds whatever was committed.

use sea_orm::{
    ConnectionTrait, Statement,
    sqlx::{Error as SqlxError, postgres::PgListener},
};

use super::{Dialect, Store};
use crate::error::{Code, Error, Result};

/// The channel of all nodes that share tables: several installations may share a database.
const CHANNEL: &str = "SELECT 'trawl_' || md5(current_schema()) AS name";

/// Hears what is called out.
pub struct Bell(PgListener);

impl Store {
    /// Begins to listen; none when this kind of database has no calls.
    pub async fn listen(&self) -> Result<Option<Bell>> {
        if self.dialect != Dialect::Postgres {
            return Ok(None);
        }
        let named = self.read.query_one_raw(Statement::from_string(self.dialect.backend(), CHANNEL)).await?;
        let named = named.ok_or_else(|| Error::new(Code::Database, "The database has no schema to listen in"))?;
        let name: String = named.try_get("", "name")?;
        let mut listener = PgListener::connect_with(self.read.get_postgres_connection_pool()).await?;
        listener.listen(&name).await?;
        Ok(Some(Bell(listener)))
    }

    /// Calls out a word. It is no part of a transaction: PostgreSQL lets one commit with a call after the other.
    pub async fn call(&self, word: &str) -> Result<()> {
        let sql = "SELECT pg_notify('trawl_' || md5(current_schema()), $1)";
        self.read.query_one_raw(Statement::from_sql_and_values(self.dialect.backend(), sql, [word.into()])).await?;
        Ok(())
    }
}

impl Bell {
    /// The next word that any node calls out, this one too.
    pub async fn heard(&mut self) -> Result<String> {
        Ok(self.0.recv().await?.payload().to_owned())
    }
}

impl From<SqlxError> for Error {
    fn from(error: SqlxError) -> Self {
        Self::new(Code::Database, "The database cannot be listened to").with_source(error)
    }
}
