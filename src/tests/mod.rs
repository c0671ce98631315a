//! The one integration binary: what only the assembled parts, or the whole source, can show.

#![allow(
    clippy::unwrap_used,
    missing_docs,
    reason = "a test that cannot go on should say where; modules name themselves"
)]

mod access;
mod architecture;
mod backup;
mod bad_input;
mod cancel;
mod chaos;
mod cli;
mod contract;
mod daemon;
mod delete;
mod engine;
#[path = "../transcribe/tests/pool.rs"]
mod engine_pool;
mod events;
mod examples;
mod faults;
mod forgotten;
mod identities;
mod kill;
mod kinds;
mod llm;
mod media;
mod models;
mod moves;
mod nodes;
mod openai;
mod platforms;
mod posts;
mod priority;
mod quality;
mod recognition;
mod remote;
mod replay;
mod resumable;
mod retention;
mod road;
mod runs;
#[allow(dead_code, reason = "the library's own tests use all of it")]
#[path = "../files/tests/s3.rs"]
mod s3;
mod script;
mod seeds;
mod shown;
mod soak;
mod sources;
mod storage;
mod streams;
mod support;
mod traces;
mod triggers;
mod upgrade;
mod watch;
mod workflows;
mod ytdlp;
