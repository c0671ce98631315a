//! The API of Fast-Powerful-Whisper-AI-Services-API: `/api/whisper/*`, `/api/tiktok/*`, `/api/douyin/*`, `/api/chatgpt/*`
//! and `/api/health/*`, with its envelope, task object and words.
//!
//! Callers may rely on this: a task made here is a task like every other, seen through `/api/tasks` too; a request is
//! answered before anything is downloaded; what is wrong with a request is told before there is a task.

mod answer;
mod ask;
mod asked;
mod error;
mod fields;
mod film;
mod filters;
mod health;
mod saved;
mod summary;
mod tasks;
mod tools;
mod videos;

pub(in crate::api) use self::{answer::Envelope, asked::Asked, error::reshape};
use crate::api::native::Context;

/// Every route of this system.
pub(in crate::api) type Routes =
    (tasks::WhisperTasks, videos::Videos, summary::Summaries, tools::Tools, film::Films, health::ServiceHealth);

/// Every route of this system.
pub(super) fn routes(context: &Context) -> Routes {
    (
        tasks::WhisperTasks(context.clone()),
        videos::Videos(context.clone()),
        summary::Summaries::new(context.clone()),
        tools::Tools(context.clone()),
        film::Films::new(context.clone()),
        health::ServiceHealth,
    )
}
