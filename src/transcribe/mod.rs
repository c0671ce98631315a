//! Speech to text.
//!
//! The daemon talks to a [`Pool`]; behind it stand the devices of this machine ([`local`]) and servers elsewhere
//! ([`remote`]). Callers may rely on: a crash of an engine fails the jobs that it held and nothing else; a cancelled job
//! ends within a second; segments come in order, with exact times, while the job runs; audio without speech gives an
//! empty transcript with a warning, never an error.
//!
//! The way of one job on this machine: PCM file → [`recognise`] (speech, windows, language) → [`local`] (a slot for each
//! window) → an engine process ([`child`]) → [`whisper`] → words and text → [`recognise`] (order, guards).

pub mod audio;
pub mod child;
pub mod edit;
mod engine;
pub mod language;
mod local;
pub mod models;
mod pool;
mod protocol;
mod recognise;
mod remote;
mod text;
mod whisper;
mod words;

pub use engine::{DeviceStatus, Engine, EngineEvent, EngineStatus, Events, Job, Transcribed};
pub use language::language;
pub use models::{Fetch, ModelInfo, ModelRef, Models};
pub use pool::Pool;
pub use recognise::recipe;
pub(crate) use text::join;
pub use whisper::{cpu_check, cpu_features};

#[cfg(test)]
mod tests;
