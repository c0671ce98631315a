//! trawl: paste a link, get the words. ARCHITECTURE.md is the map.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod crawl;
pub mod delivery;
pub mod domain;
pub mod error;
pub mod files;
pub mod follow;
pub mod intake;
pub mod llm;
pub mod media;
pub mod metrics;
pub mod net;
pub mod queue;
pub mod runner;
pub mod schedule;
mod seal;
pub mod secrets;
pub mod steps;
pub mod store;
pub mod subtitle;
pub mod transcribe;
pub mod watch;
pub mod workflow;
pub mod zh;
