//! The tables as sea-orm entities; only `store` sees them.

#![allow(missing_docs, reason = "generated items of the entities carry none")]

pub mod cursor;
pub mod deletion;
pub mod delivery;
pub mod delivery_attempt;
pub mod endpoint;
pub mod event;
pub mod event_fire;
pub mod event_trigger;
pub mod fire;
pub mod idempotency_key;
pub mod identity;
pub mod media;
pub mod node;
pub mod partial_upload;
pub mod schedule;
pub mod secret;
pub mod seen_item;
pub mod source;
pub mod source_item;
pub mod step;
pub mod task;
pub mod task_media;
pub mod token;
pub mod transcript;
pub mod upload;
pub mod usage;
pub mod watched_file;
pub mod waveform;
pub mod workflow;
