//! Rows on their way: read one by one, written in handfuls of few different sizes.

use std::pin::pin;

use futures_util::TryStreamExt;
use sea_orm::{
    ConnectionTrait, DbErr, QueryResult, StreamTrait, Value,
    sea_query::{Expr, InsertStatement, Query},
};

use super::tables::{Kind, Table};

/// Values of one statement. More would hardly be faster, and every database has a limit of its own (SQLite: 32,766).
const VALUES: usize = 2_048;
/// Rows that one transaction writes, about.
const ROWS: usize = 500;
/// Bytes that it writes, about: what is held in memory. A statement of them passes MySQL's `max_allowed_packet`.
const BYTES: usize = 4 * 1024 * 1024;

/// One row's values, in the order of the table's columns.
pub(super) type Row = Vec<Value>;

impl Kind {
    fn read(self, row: &QueryResult, at: usize) -> Result<Value, DbErr> {
        Ok(match self {
            Self::Big => row.try_get_by_index::<Option<i64>>(at)?.into(),
            Self::Int => row.try_get_by_index::<Option<i32>>(at)?.into(),
            Self::Double => row.try_get_by_index::<Option<f64>>(at)?.into(),
            Self::Bool => row.try_get_by_index::<Option<bool>>(at)?.into(),
            Self::Text => row.try_get_by_index::<Option<String>>(at)?.into(),
            Self::Bytes => row.try_get_by_index::<Option<Vec<u8>>>(at)?.into(),
        })
    }
}

impl Table {
    fn row(&self, found: &QueryResult) -> Result<Row, DbErr> {
        self.columns.iter().enumerate().map(|(at, (_, kind))| kind.read(found, at)).collect()
    }

    /// Reads every row, a handful at a time, without holding more of them.
    pub(super) async fn each_handful<E: From<DbErr>>(
        &self,
        on: &impl StreamTrait,
        mut take: impl AsyncFnMut(Vec<Row>) -> Result<(), E>,
    ) -> Result<(), E> {
        // Whole statements only, while rows are small.
        let (mut rows, mut bytes, most) = (Vec::new(), 0, ROWS.next_multiple_of(self.rows_at_once()));
        let mut found = pin!(on.stream(&self.select()).await?);
        while let Some(row) = found.try_next().await? {
            let row = self.row(&row)?;
            bytes += row.iter().map(size).sum::<usize>();
            rows.push(row);
            if rows.len() >= most || bytes >= BYTES {
                take(std::mem::take(&mut rows)).await?;
                bytes = 0;
            }
        }
        if rows.is_empty() { Ok(()) } else { take(rows).await }
    }

    /// Writes rows.
    pub(super) async fn insert(&self, on: &impl ConnectionTrait, rows: &[Row]) -> Result<(), DbErr> {
        // Statements of few sizes: a server prepares each size anew, and keeps it.
        let chunks = rows.chunks_exact(self.rows_at_once());
        let rest = chunks.remainder().chunks(1);
        for rows in chunks.chain(rest) {
            on.execute(&self.insertion(rows)?).await?;
        }
        Ok(())
    }

    fn insertion(&self, rows: &[Row]) -> Result<InsertStatement, DbErr> {
        let mut insert = Query::insert();
        insert.into_table(self.name).columns(self.columns.iter().map(|(name, _)| *name));
        for row in rows {
            let values = row.iter().cloned().map(Expr::value);
            insert.values(values).map_err(|error| DbErr::Custom(error.to_string()))?;
        }
        Ok(insert)
    }

    /// Which row it is, for people: by its first column, which is its key or begins it.
    pub(super) fn shown(&self, row: &Row) -> String {
        let (column, value) = (self.columns.first().map_or("", |(name, _)| name), row.first());
        match value {
            Some(Value::BigInt(Some(number))) => format!("`{column}` {number}"),
            Some(Value::String(Some(text))) => format!("`{column}` \"{}\"", text.escape_debug()),
            _ => "without a key".to_owned(),
        }
    }

    fn rows_at_once(&self) -> usize {
        (VALUES / self.columns.len().max(1)).max(1)
    }

    /// The number that the database gave a row, for tables that it numbers.
    pub(super) fn number_of(&self, row: &Row) -> Option<i64> {
        match row.get(self.numbered?)? {
            Value::BigInt(number) => *number,
            _ => None,
        }
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::String(Some(text)) => text.len(),
        Value::Bytes(Some(bytes)) => bytes.len(),
        _ => 8,
    }
}
