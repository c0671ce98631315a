//! Every engine that there is, as one.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::{
    engine::{Engine, EngineStatus, Events, Job, Transcribed},
    local::Local,
};
use crate::{
    config::EngineConfig,
    error::{Code, Error, Result},
};

/// Every engine that the configuration asks for. Nothing is started until there is a job.
pub struct Pool {
    engines: Vec<Box<dyn Engine>>,
}

impl Pool {
    /// The engines of this configuration. `program` is this binary; engine processes are `program engine …`.
    pub fn new(engine: &EngineConfig, program: PathBuf) -> Result<Self> {
        let mut engines: Vec<Box<dyn Engine>> = Vec::new();
        for device in &engine.devices {
            match device.as_str() {
                "auto" | "cpu" if engines.is_empty() => {
                    engines.push(Box::new(Local::new(engine, "cpu", program.clone())));
                }
                "auto" | "cpu" => {}
                other => {
                    let detail = format!("engine.devices: there is no device \"{}\" here", other.escape_debug());
                    return Err(Error::new(Code::Config, detail).with_hint("Use \"auto\" or \"cpu\"."));
                }
            }
        }
        if engines.is_empty() {
            return Err(Error::new(Code::Config, "engine.devices is empty").with_hint("Use [\"auto\"]."));
        }
        Ok(Self { engines })
    }

    /// Whether an engine elsewhere can do jobs for this model, so that its file need not be here.
    pub fn is_remote(&self, _model: &str) -> bool {
        false
    }

    /// Does a job, waiting for a free slot first. Ends within about a second of `cancel`, with [`Code::Cancelled`]; a
    /// crash of the engine is [`Code::EngineCrashed`].
    pub async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed> {
        match self.engines.first() {
            Some(engine) => engine.transcribe(job, events, cancel).await,
            None => Err(Error::new(Code::EngineFailed, "There is no engine")),
        }
    }

    /// How many jobs run at the same time over all engines.
    pub fn slots(&self) -> usize {
        self.engines.iter().map(|engine| engine.slots()).sum()
    }

    /// What each engine does now.
    pub fn status(&self) -> Vec<EngineStatus> {
        self.engines.iter().flat_map(|engine| engine.status()).collect()
    }

    /// Ends every engine; jobs which still run fail with [`Code::ShuttingDown`].
    pub async fn shutdown(&self) {
        for engine in &self.engines {
            engine.shutdown().await;
        }
    }
}
