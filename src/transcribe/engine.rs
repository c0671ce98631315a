//! What an engine is to the rest of the daemon.

use std::path::PathBuf;

use async_trait::async_trait;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::models::ModelRef;
use crate::{
    domain::{Options, Segment, Transcript},
    error::Result,
};

/// One transcription to do.
#[derive(Clone, Debug)]
pub struct Job {
    /// The model to do it with.
    pub model: ModelRef,
    /// Signed 16-bit little-endian PCM, mono, 16 kHz.
    pub pcm: PathBuf,
    /// How many samples the file holds.
    pub samples: u64,
    /// What to make of it.
    pub options: Options,
}

/// What a job tells while it runs.
#[derive(Clone, Debug, PartialEq)]
pub enum EngineEvent {
    /// How much is done, 0 to 1; at least about once a second.
    Progress(f64),
    /// A finished segment. Segments come in order and are final.
    Segment(Segment),
}

/// Hears the events of a job.
pub type Events<'a> = dyn Fn(EngineEvent) + Send + Sync + 'a;

/// The result of a job.
#[derive(Clone, Debug, PartialEq)]
pub struct Transcribed {
    /// The words.
    pub transcript: Transcript,
    /// How long the engine worked on them.
    pub inference_ms: u64,
}

/// An engine's state, for display.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct EngineStatus {
    /// The model in memory.
    pub model: Option<String>,
    /// Where it computes.
    pub device: String,
    /// Transcriptions at the same time.
    pub slots: usize,
    /// How many are running.
    pub busy: usize,
    /// How often it was started again after a failure.
    pub restarts: u64,
    /// Bytes of main memory in use.
    pub rss: Option<u64>,
}

/// Something that turns audio into text: an engine process on this machine, or in time a server elsewhere.
#[async_trait]
pub trait Engine: Send + Sync {
    /// Does a job, waiting for a free slot first. Ends within about a second of `cancel`, with [`Code::Cancelled`].
    ///
    /// [`Code::Cancelled`]: crate::error::Code::Cancelled
    async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed>;

    /// How many jobs run at the same time; more may be given and wait in order.
    fn slots(&self) -> usize;

    /// What it does now.
    fn status(&self) -> EngineStatus;

    /// Ends everything; jobs which still run fail with [`Code::ShuttingDown`].
    ///
    /// [`Code::ShuttingDown`]: crate::error::Code::ShuttingDown
    async fn shutdown(&self);
}
