//! An engine in a child process on this machine.
//!
//! One task, the [`supervisor`], owns the process and decides everything; this is the handle to it.

mod process;
mod supervisor;
#[cfg(test)]
mod tests;

use std::{
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use self::supervisor::{Command, End, Message, Pending, Supervisor};
use super::{
    engine::{Ask, DeviceStatus, Engine, EngineStatus, Events, Job, Listener, Recognised, Slots, Transcribed, Window},
    models::ModelRef,
    recognise,
};
use crate::{
    config::EngineConfig,
    error::{Code, Error, Result},
};

/// What the supervisor has to know.
#[derive(Clone, Debug)]
struct Settings {
    program: PathBuf,
    device: String,
    slots: usize,
    threads: usize,
    idle_unload: Duration,
    hang_timeout: Duration,
}

/// What is shared with the supervisor for display.
#[derive(Debug, Default)]
struct Facts {
    status: EngineStatus,
    pid: Option<u32>,
}

/// The handle. Dropping it kills the process.
pub(super) struct Local {
    settings: Settings,
    facts: Arc<Mutex<Facts>>,
    next_id: AtomicU64,
    commands: OnceLock<mpsc::UnboundedSender<Command>>,
}

impl Local {
    /// An engine that is not started yet.
    pub(super) fn new(engine: &EngineConfig, program: PathBuf) -> Result<Self> {
        let device = "cpu";
        let settings = Settings {
            program,
            device: device.to_owned(),
            slots: engine.slots.max(1),
            threads: engine.threads(),
            idle_unload: engine.idle_unload.0,
            hang_timeout: engine.hang_timeout.0,
        };
        let status = EngineStatus { device: device.to_owned(), slots: settings.slots, ..EngineStatus::default() };
        Ok(Self {
            settings,
            facts: Arc::new(Mutex::new(Facts { status, pid: None })),
            next_id: AtomicU64::new(1),
            commands: OnceLock::new(),
        })
    }

    /// The devices that are used.
    pub(super) fn devices(&self) -> Vec<DeviceStatus> {
        Vec::new()
    }

    /// Loads a model and waits until it is ready.
    pub(super) async fn load(&self, model: &ModelRef) -> Result<()> {
        Err(Error::new(Code::EngineFailed, format!("{} cannot be loaded yet", model.name)))
    }

    /// Ends the idle engines of a model.
    pub(super) async fn unload(&self, _model: &str) -> Result<bool> {
        Ok(false)
    }

    fn send(&self, command: Command) -> Result<()> {
        let start = || {
            let (sender, receiver) = mpsc::unbounded_channel();
            tokio::spawn(Supervisor::new(self.settings.clone(), self.facts.clone()).run(receiver));
            sender
        };
        self.commands.get_or_init(start).send(command).map_err(|_| shutting_down())
    }
}

#[async_trait]
impl Slots for Local {
    async fn detect(&self, window: &Window, cancel: &CancellationToken) -> Result<Vec<(String, f32)>> {
        match self.work(window, None, &|_| {}, cancel).await? {
            End::Languages(probabilities) => Ok(probabilities),
            End::Recognised(_) => Err(Error::new(Code::EngineFailed, "The engine answered something else")),
        }
    }

    async fn recognise(
        &self,
        window: &Window,
        ask: &Ask,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<Recognised> {
        match self.work(window, Some(ask.clone()), listener, cancel).await? {
            End::Recognised(recognised) => Ok(recognised),
            End::Languages(_) => Err(Error::new(Code::EngineFailed, "The engine answered something else")),
        }
    }

    fn width(&self) -> usize {
        self.settings.slots
    }
}

impl Local {
    async fn work(
        &self,
        window: &Window,
        ask: Option<Ask>,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<End> {
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (reply, mut messages) = mpsc::unbounded_channel();
        self.send(Command::Submit(Box::new(Pending { id, window: window.clone(), ask, reply })))?;
        let mut told = false;
        loop {
            tokio::select! {
                message = messages.recv() => match message {
                    Some(Message::Event(event)) => listener(event),
                    Some(Message::End(result)) => return *result,
                    None => return Err(shutting_down()),
                },
                () = cancel.cancelled(), if !told => {
                    told = true;
                    self.send(Command::Cancel(id))?;
                }
            }
        }
    }
}

fn shutting_down() -> Error {
    Error::new(Code::ShuttingDown, "The engine is being stopped")
}

#[async_trait]
impl Engine for Local {
    async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed> {
        let missing = || Error::new(Code::ModelMissing, format!("The model {} is not here", job.model));
        let model = job.file.as_ref().ok_or_else(missing)?;
        recognise::transcribe(self, model, &job, events, cancel).await
    }

    fn slots(&self) -> usize {
        self.settings.slots
    }

    fn status(&self) -> Vec<EngineStatus> {
        let facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        vec![EngineStatus { rss: facts.pid.and_then(process::memory), ..facts.status.clone() }]
    }

    async fn shutdown(&self) {
        // An engine that never started has nothing to end, and must not start afterwards.
        let (closed, _) = mpsc::unbounded_channel();
        let (done, wait) = oneshot::channel();
        if self.commands.get_or_init(|| closed).send(Command::Shutdown(done)).is_ok() {
            // An error means that the supervisor is gone already.
            let _ = wait.await;
        }
    }
}
