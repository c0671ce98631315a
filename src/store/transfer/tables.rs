//! What is moved: every table of the schema, each after those that it names. A test compares the list with the database.

use sea_orm::{
    ColumnTrait, EntityTrait, IdenStatic, Iterable, PrimaryKeyToColumn, PrimaryKeyTrait,
    sea_query::{ColumnType, Query, SelectStatement},
};

use crate::{
    error::{Code, Error, Result},
    store::entities,
};

/// Tables of the place and not of the data: which changes the schema has had, who holds a turn, who works there now. The tables
/// of the search, whose names end as this one's, are made anew.
#[cfg(test)]
pub(super) const OF_THE_PLACE: [&str; 4] = ["seaql_migrations", "writer", "nodes", "_words"];

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// 64 bits.
    Big,
    /// 32 bits.
    Int,
    /// A number with a fraction.
    Double,
    /// Yes or no.
    Bool,
    /// A text; JSON, too.
    Text,
    /// Bytes.
    Bytes,
}

/// One table.
#[derive(Clone, Debug)]
pub(super) struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: Vec<(&'static str, Kind)>,
    /// The place of the column that the database numbers.
    pub numbered: Option<usize>,
}

impl Table {
    fn of<E: EntityTrait>(entity: E) -> Result<Self> {
        let name = entity.table_name();
        let mut columns = Vec::new();
        for column in E::Column::iter() {
            let kind = Kind::of(column.def().get_column_type()).ok_or_else(|| {
                Error::new(
                    Code::Internal,
                    format!("The column `{name}.{}` is of a kind that is not moved", column.as_str()),
                )
            })?;
            columns.push((column.as_str(), kind));
        }
        let key = E::PrimaryKey::iter().next().filter(|_| E::PrimaryKey::auto_increment());
        let key = key.map(|key| key.into_column().as_str());
        let numbered = key.and_then(|key| columns.iter().position(|(column, _)| *column == key));
        Ok(Self { name, columns, numbered })
    }

    /// The query for all rows.
    pub(super) fn select(&self) -> SelectStatement {
        Query::select().columns(self.columns.iter().map(|(name, _)| *name)).from(self.name).to_owned()
    }

    /// The name of the column that the database numbers.
    pub(super) fn number(&self) -> Option<&'static str> {
        self.numbered.map(|at| self.columns[at].0)
    }
}

impl Kind {
    fn of(column: &ColumnType) -> Option<Self> {
        Some(match column {
            ColumnType::BigInteger => Self::Big,
            ColumnType::Integer => Self::Int,
            ColumnType::Double => Self::Double,
            ColumnType::Boolean => Self::Bool,
            ColumnType::String(_) | ColumnType::Text => Self::Text,
            ColumnType::Blob | ColumnType::VarBinary(_) => Self::Bytes,
            _ => return None,
        })
    }
}

/// Every table that is moved.
pub(super) fn moved() -> Result<Vec<Table>> {
    use entities::*;
    Ok(vec![
        Table::of(workflow::Entity)?,
        Table::of(token::Entity)?,
        Table::of(usage::Entity)?,
        Table::of(secret::Entity)?,
        Table::of(identity::Entity)?,
        Table::of(upload::Entity)?,
        Table::of(partial_upload::Entity)?,
        Table::of(watched_file::Entity)?,
        Table::of(idempotency_key::Entity)?,
        Table::of(endpoint::Entity)?,
        Table::of(source::Entity)?,
        Table::of(source_item::Entity)?,
        Table::of(seen_item::Entity)?,
        Table::of(schedule::Entity)?,
        Table::of(fire::Entity)?,
        Table::of(event_trigger::Entity)?,
        Table::of(event_fire::Entity)?,
        Table::of(cursor::Entity)?,
        Table::of(media::Entity)?,
        Table::of(waveform::Entity)?,
        Table::of(task::Entity)?,
        Table::of(task_media::Entity)?,
        Table::of(step::Entity)?,
        Table::of(transcript::Entity)?,
        Table::of(event::Entity)?,
        Table::of(deletion::Entity)?,
        Table::of(delivery::Entity)?,
        Table::of(delivery_attempt::Entity)?,
    ])
}
