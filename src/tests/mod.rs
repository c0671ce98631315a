//! The one integration binary: what only the assembled parts, or the whole source, can show.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on should say where; modules name themselves"
)]

mod architecture;
#[path = "../transcribe/tests/pool.rs"]
mod engine_pool;
mod kill;
mod road;
mod support;
