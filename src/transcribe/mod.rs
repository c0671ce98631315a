//! Speech to text.
//!
//! The daemon talks to a [`Pool`]; the pool keeps an engine process (`trawl engine`, see [`child`]) with a model loaded
//! and hands it one job per slot. Callers may rely on: a crash of the engine fails the jobs that it held and nothing
//! else; a cancelled job ends within a second; segments come in order, with exact times, while the job runs; audio
//! without speech gives an empty transcript with a warning, never an error.
//!
//! The way of one job inside the engine: PCM file → [`vad`] scores → speech regions → [`windows`] of at most 30 s →
//! [`whisper`] → [`words`] and [`text`] → [`repeats`] → protocol events.

pub mod audio;
pub mod child;
mod engine;
pub mod language;
mod local;
pub mod models;
mod pool;
mod protocol;
mod repeats;
mod text;
mod vad;
mod whisper;
mod windows;
mod words;

pub use engine::{Engine, EngineEvent, EngineStatus, Events, Job, Transcribed};
pub use language::language;
pub use models::{Fetch, ModelInfo, ModelRef, Models};
pub use pool::Pool;

#[cfg(test)]
mod tests;
