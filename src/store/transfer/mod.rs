//! Moving everything from one database to another, whatever kind each of them is: `trawl migrate --from … --to …`.
//!
//! Callers may rely on this: the source is only read; the target held nothing before; every value arrives as it was, and is
//! read back and compared before the move is called done. Until then the target carries a mark with which no trawl opens it,
//! so a move that was cut off is never taken for a whole one. The next one begins anew.

mod address;
mod digest;
mod rows;
mod source;
mod tables;
mod target;
#[cfg(test)]
mod tests;

use self::{address::Address, digest::Digest, source::Source, target::Target};
use crate::{
    error::{Code, Error, Result},
    fault,
};

/// What goes on in a move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moving {
    /// The target holds what an earlier move has left; it is removed first.
    Anew,
    /// So many rows of a table were written.
    Rows(&'static str, u64),
    /// The words of so many rows were written for the search.
    Words(&'static str, u64),
    /// So many rows of a table were read back.
    Checked(&'static str, u64),
}

/// A table that was moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Its name.
    pub table: &'static str,
    /// How many rows it has.
    pub rows: u64,
    /// The digest of all values, in hex: the same on both sides.
    pub digest: String,
}

/// Moves everything at the address `from` to the empty database at `to`, and tells how it goes. A node of the source counts as
/// alive for `lease_ms` after it was last heard of.
///
/// # Errors
/// `invalid_value` for addresses that make no sense, `not_found` when there is nothing at `from`, `database_locked` when a daemon
/// or another move is at work there, `conflict` when `to` holds data, `database` when the source's schema is not that of this
/// version or when something went wrong on the way.
pub async fn transfer(from: &str, to: &str, lease_ms: i64, tell: &(dyn Fn(Moving) + Sync)) -> Result<Vec<Moved>> {
    let (from, to) = (Address::parse("--from", from)?, Address::parse("--to", to)?);
    if from.is_same(&to) {
        return Err(Error::new(Code::InvalidValue, "`--from` and `--to` are the same database"));
    }
    let source = Source::open(&from, lease_ms).await?;
    let target = Box::pin(Target::open(&to, tell)).await?;
    let tables = tables::moved()?;
    let (mut sent, mut moved) = (Vec::with_capacity(tables.len()), Vec::with_capacity(tables.len()));
    let snapshot = source.snapshot().await?;
    for table in &tables {
        let (digest, last) = Box::pin(target.take(table, &snapshot, tell)).await?;
        if let Some(number) = table.number() {
            let given = source.last_number(&snapshot, table.name, number).await?.max(last);
            target.go_on_after(table.name, number, given).await?;
        }
        sent.push(digest);
    }
    drop(snapshot);
    Box::pin(target.fill_search(tell)).await?;
    for (table, sent) in tables.iter().zip(sent) {
        let arrived = Box::pin(target.digest(table, tell)).await?;
        compare(table.name, &sent, &arrived)?;
        moved.push(Moved { table: table.name, rows: arrived.rows, digest: arrived.to_string() });
    }
    // A daemon that has begun meanwhile has written what did not come along.
    source.is_left_alone(lease_ms).await?;
    fault::point("transfer::whole");
    target.finish().await?;
    Ok(moved)
}

fn compare(table: &str, sent: &Digest, arrived: &Digest) -> Result<()> {
    if sent == arrived {
        return Ok(());
    }
    let (of, rows) = (sent.rows, arrived.rows);
    Err(Error::new(
        Code::Database,
        format!(
            "The table `{table}` has not arrived as it was sent: {of} rows were read at `--from`, {rows} at `--to`"
        ),
    )
    .with_hint("Make sure that nothing else works on either database, and move again."))
}
