//! The routes of the systems that trawl takes the place of.

pub(super) mod services;
mod whisper_api;
mod work_flow;

pub(super) use self::{
    services::{Extractor, Health, Summaries, Tools, Videos, WhisperTasks},
    whisper_api::{JobUsage, Jobs, Login},
    work_flow::CreateWorkFlow,
};
