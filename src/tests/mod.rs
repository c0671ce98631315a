//! The one integration binary: what only the assembled parts, or the whole source, can show.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on should say where; modules name themselves"
)]

mod architecture;
mod cancel;
mod delete;
mod engine;
mod events;
mod kill;
mod priority;
mod road;
mod support;
