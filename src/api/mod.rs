//! The HTTP API.
//!
//! Callers may rely on this: every answer with a status of 400 or more is `application/problem+json` with a code of
//! [`crate::error`]; nothing that a client sends is held in memory beyond a limit counted on the bytes received; a request
//! that changes something and comes from another site's page is refused; a failure of 500 or more is logged once.

mod access;
mod body;
mod compat;
mod connections;
mod content;
mod cors;
mod cursor;
mod disposition;
mod documented;
mod edge;
mod facade;
mod failures;
mod fields;
mod head;
mod json;
mod measured;
pub mod native;
mod openai;
mod origin;
mod outside;
mod paced;
mod packed;
mod pages;
mod parts;
mod peers;
mod problem;
mod range;
mod rest;
mod routes;
mod sample;
mod server;
mod shape;
#[cfg(test)]
mod tests;
mod who;
mod words;

use std::sync::{Arc, atomic::AtomicBool};

use async_trait::async_trait;
use serde_json::Value;

pub use self::server::{app, openapi, serve};
use crate::{
    access::Access,
    config::Config,
    crawl::{Ask, Identities},
    error::Result,
    files::Files,
    follow::Follow,
    intake::Intake,
    llm::Llm,
    media::Ffmpeg,
    queue::Queue,
    schedule::Scheduler,
    secrets::Secrets,
    transcribe::{Models, Pool, models::Pulls},
};

/// Tells which media a link stands for without downloading it.
#[async_trait]
pub trait Resolve: Send + Sync {
    /// The media as JSON.
    async fn resolve(&self, ask: &Ask) -> Result<Value>;
}

/// What the API works on. Cheap to clone.
#[derive(Clone)]
pub struct State {
    /// Who may call.
    pub access: Access,
    /// The configuration.
    pub config: Arc<Config>,
    /// Tasks and everything about them.
    pub queue: Queue,
    /// The way in.
    pub intake: Intake,
    /// Lists that are followed.
    pub follow: Follow,
    /// What starts by itself.
    pub scheduler: Scheduler,
    /// Uploads and kept media.
    pub files: Files,
    /// Links looked at without making a task.
    pub resolver: Arc<dyn Resolve>,
    /// Who the daemon is towards platforms.
    pub identities: Identities,
    /// What workflows may use and nobody may see.
    pub secrets: Secrets,
    /// Model files.
    pub models: Models,
    /// Their downloads.
    pub pulls: Pulls,
    /// Language models.
    pub llm: Llm,
    /// What takes the sound out of films, and shows how loud media are.
    pub ffmpeg: Ffmpeg,
    /// Devices and engines.
    pub pool: Arc<Pool>,
    /// Facts for `/api/info`: engines, ffmpeg.
    pub info: Arc<dyn Fn() -> Value + Send + Sync>,
    /// Whether the process is stopping; `/ready` says so.
    pub draining: Arc<AtomicBool>,
}
