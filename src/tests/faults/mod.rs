//! Faults, put to the real binary: what it has said stays true, whatever breaks (docs/reliability.md).
//!
//! `TRAWL_FAULTS=full` asks for the sizes of `make soak`.

mod clock;
mod disk;
mod drain;
mod hung;
mod outage;
mod points;
mod poison;
mod world;

/// A size: that of `make test`, or that of `make soak`.
fn sized(usual: usize, full: usize) -> usize {
    if std::env::var("TRAWL_FAULTS").is_ok_and(|size| size == "full") { full } else { usual }
}
