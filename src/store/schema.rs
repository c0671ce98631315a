//! Which changes of the schema a database has had, and whether this version knows them all.

use sea_orm::{
    ConnectionTrait,
    sea_query::{ColumnDef, Query, Table},
};
use sea_orm_migration::{IntoSchemaManagerConnection, MigratorTrait, SchemaManager};

use crate::error::{Code, Error, Result};

/// Where the changes that were made are noted.
const TABLE: &str = "seaql_migrations";

/// Stands in a database as long as another one is moved into it: what is there may be half of it.
const MOVING: &str = "moving";

/// Whether a database is whole and has had every change that this version knows. Nothing is written.
///
/// # Errors
/// `database` when it has had others: a newer version has used it; and when a move into it has not come to its end.
pub(super) async fn is_current<'c, C>(on: &'c C) -> Result<bool>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    is_whole(on).await?;
    is_known(on).await
}

/// # Errors
/// `database` when a move into a database has not come to its end.
pub(super) async fn is_whole<'c, C>(on: &'c C) -> Result<()>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    if !is_marked(on).await? {
        return Ok(());
    }
    Err(Error::new(Code::Database, "Another database is being moved into this one, or was moved by half").with_hint(
        "Wait until `trawl migrate --from … --to …` has ended, or start it again: it begins anew by itself.",
    ))
}

/// Whether a move into a database has begun and not come to its end.
pub(super) async fn is_marked<'c, C>(on: &'c C) -> Result<bool>
where
    C: ConnectionTrait,
    &'c C: IntoSchemaManagerConnection<'c>,
{
    Ok(SchemaManager::new(on).has_table(MOVING).await?)
}

/// Marks a database: a move into it begins.
pub(super) async fn mark(on: &impl ConnectionTrait) -> Result<()> {
    let id = ColumnDef::new("id").integer().not_null().primary_key().to_owned();
    on.execute(Table::create().table(MOVING).if_not_exists().col(id)).await?;
    Ok(())
}

/// Takes the mark away: the move has come to its end.
pub(super) async fn unmark(on: &impl ConnectionTrait) -> Result<()> {
    on.execute(Table::drop().table(MOVING)).await?;
    Ok(())
}

/// Whether a database has had every change that this version knows, be it whole or not. Nothing is written.
///
/// # Errors
/// `database` when it has had others: a newer version has used it.
pub(super) async fn is_known<'c, C>(on: &'c C) -> Result<bool>
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
