//! Every engine that there is, as one.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::{
    engine::{DeviceStatus, Engine, EngineStatus, Events, Job, Transcribed},
    local::Local,
    models::ModelRef,
};
use crate::{config::EngineConfig, error::Result};

/// Every engine that the configuration asks for. Nothing is started until there is a job.
pub struct Pool {
    local: Local,
}

impl Pool {
    /// The engines of this configuration. `program` is this binary; engine processes are `program engine …`.
    pub fn new(engine: &EngineConfig, program: PathBuf) -> Result<Self> {
        Ok(Self { local: Local::new(engine, program)? })
    }

    /// Whether an engine elsewhere can do jobs for this model, so that its file need not be here.
    pub fn is_remote(&self, _model: &str) -> bool {
        false
    }

    /// Does a job, waiting for a free slot first. Ends within about a second of `cancel`, with [`Code::Cancelled`]; a
    /// crash of the engine is [`Code::EngineCrashed`].
    ///
    /// [`Code::Cancelled`]: crate::error::Code::Cancelled
    /// [`Code::EngineCrashed`]: crate::error::Code::EngineCrashed
    pub async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed> {
        self.local.transcribe(job, events, cancel).await
    }

    /// How many jobs run at the same time over all engines.
    pub fn slots(&self) -> usize {
        self.local.slots()
    }

    /// What each engine does now.
    pub fn status(&self) -> Vec<EngineStatus> {
        self.local.status()
    }

    /// The devices of this machine that are used.
    pub fn devices(&self) -> Vec<DeviceStatus> {
        self.local.devices()
    }

    /// Loads a model where there is most room, and waits until it is ready.
    pub async fn load(&self, model: &ModelRef) -> Result<()> {
        self.local.load(model).await
    }

    /// Ends the idle engines of a model; `conflict` when one of them works. Says whether there was one.
    pub async fn unload(&self, model: &str) -> Result<bool> {
        self.local.unload(model).await
    }

    /// Ends every engine; jobs which still run fail with `shutting_down`.
    pub async fn shutdown(&self) {
        self.local.shutdown().await;
    }
}
