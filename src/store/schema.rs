//! Which changes of the schema a database has had, and whether this version knows them all.

use sea_orm::{ConnectionTrait, sea_query::Query};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};

use crate::error::{Code, Error, Result};

/// Where the changes that were made are noted.
const TABLE: &str = "seaql_migrations";

/// Whether a database has had every change that this version knows. Nothing is written.
///
/// # Errors
/// `database` when it has had others: a newer version has used it.
pub(super) async fn is_current<'c, C>(on: &'c C) -> Result<bool>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    let applied = applied(on).await?;
    let all = migrations::Migrator::migrations();
    let known: Vec<&str> = all.iter().map(|change| change.name()).collect();
    if let Some(unknown) = applied.iter().rev().find(|name| !known.contains(&name.as_str())) {
        let version = env!("CARGO_PKG_VERSION");
        let text = format!(
            "A newer trawl has used this database: it has the change `{unknown}`, which trawl {version} does not know"
        );
        let hint = "Start that newer trawl, or restore a backup from before the upgrade into an empty data folder \
                    (docs/retention.md). Nothing was changed.";
        return Err(Error::new(Code::Database, text).with_hint(hint));
    }
    Ok(known.len() == applied.len())
}

/// The names of the changes that a database has had, the oldest first; none before its first start.
pub(super) async fn applied<'c, C>(on: &'c C) -> Result<Vec<String>>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    if !SchemaManager::new(on).has_table(TABLE).await? {
        return Ok(Vec::new());
    }
    let rows = on.query_all(&Query::select().column("version").from(TABLE).to_owned()).await?;
    let mut names: Vec<String> = Vec::with_capacity(rows.len());
    for row in rows {
        names.push(row.try_get("", "version")?);
    }
    names.sort();
    Ok(names)
}
