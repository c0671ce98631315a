//! trawl: paste a link, get the words. ARCHITECTURE.md is the map.

pub mod api;
pub mod config;
pub mod domain;
pub mod error;
pub mod files;
pub mod media;
pub mod net;
pub mod queue;
pub mod store;
pub mod subtitle;
pub mod transcribe;
pub mod workflow;
