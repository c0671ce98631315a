//! What is measured, as lines of one table.

use std::io::Write;

/// A number that the environment may say.
pub fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// Whether it is the long run, which takes the time that it takes.
pub fn is_full() -> bool {
    number("TRAWL_SOAK_FULL", 0) > 0
}

/// The database that the tests run on.
pub fn database() -> &'static str {
    match std::env::var("TRAWL_TEST_DATABASE") {
        Ok(url) if url.starts_with("postgres") => "PostgreSQL",
        Ok(_) => "MariaDB",
        Err(_) => "SQLite",
    }
}

/// Tells a line of the table, and adds it to the file `TRAWL_SOAK_TABLE`.
#[allow(clippy::print_stdout, reason = "a table for people")]
pub fn say(row: &str, asked: &str, measured: &str, ok: bool) {
    let line = format!("| {row} | {} | {asked} | {measured} | {} |\n", database(), if ok { "yes" } else { "NO" });
    print!("{line}");
    if let Some(path) = std::env::var_os("TRAWL_SOAK_TABLE") {
        let mut file = std::fs::File::options().create(true).append(true).open(path).unwrap();
        file.write_all(line.as_bytes()).unwrap();
    }
}

/// Tells those who wait how far it is.
#[allow(clippy::print_stdout, reason = "for people")]
pub fn note(news: &str) {
    println!("{}: {news}", database());
}
