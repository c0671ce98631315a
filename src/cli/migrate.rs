//! `trawl migrate`: the schema, and from one database to another.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::{print, write};
use crate::{
    config::Config,
    error::Result,
    store::{Moved, Moving, Store, transfer},
};

/// How often the bar turns.
const TICK: Duration = Duration::from_millis(100);

/// Brings the schema of the configured database up to date.
pub(super) async fn bring_up_to_date(config: &Config) -> Result<()> {
    drop(Store::open(&config.database_url()).await?);
    print("The database is up to date.");
    Ok(())
}

/// Moves everything to an empty database, with a bar on stderr, and prints what arrived.
pub(super) async fn move_all(config: &Config, from: &str, to: &str) -> Result<()> {
    let bar = ProgressBar::new_spinner().with_style(
        ProgressStyle::with_template("{spinner} {msg} {elapsed}").unwrap_or_else(|_| ProgressStyle::default_spinner()),
    );
    bar.enable_steady_tick(TICK);
    let shown = bar.clone();
    let tell = move |now| match now {
        Moving::Anew => shown.suspend(|| {
            write(&mut std::io::stderr(), "A move into this database was cut off; this one begins anew.\n");
        }),
        Moving::Rows(table, rows) => shown.set_message(format!("{table}: {rows} rows")),
        Moving::Words(table, rows) => shown.set_message(format!("{table}: {rows} rows in the search")),
        Moving::Checked(table, rows) => shown.set_message(format!("{table}: {rows} rows compared")),
    };
    let lease_ms = i64::try_from(config.queue.lease.0.as_millis()).unwrap_or(i64::MAX);
    let moved = transfer(from, to, lease_ms, &tell).await;
    bar.finish_and_clear();
    print(&table(&moved?));
    Ok(())
}

fn table(moved: &[Moved]) -> String {
    let mut text = format!("{:<20} {:>12}\n", "TABLE", "ROWS");
    for Moved { table, rows, .. } in moved {
        text += &format!("{table:<20} {rows:>12}\n");
    }
    let rows: u64 = moved.iter().map(|table| table.rows).sum();
    text += &format!("{rows} rows have arrived; all were read back and are the same. The old database is as it was.\n");
    text + "Now set `database.url` to the new one, and start trawl."
}
