//! OpenAI-compatible transcription servers elsewhere, as engines.
//!
//! Speech is looked for here and cut into pieces that the server takes; they are streamed there, as many at a time as the
//! server has slots, and what comes back goes through the same guards as this machine's own results. Callers may rely
//! on: nothing that a server says is trusted, nor shown beyond a short excerpt; its key goes to its address and nowhere
//! else; a server that fails is left alone for a while, which [`Remote::wait`] tells.

mod failure;
mod health;
mod pieces;
mod reply;
mod request;
mod run;
mod settings;
mod spread;
#[cfg(test)]
mod tests;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

use self::{failure::Who, health::Health, settings::Settings};
use super::engine::{Engine, EngineStatus, Events, Job, Transcribed};
use crate::{
    config::{RemoteConfig, RemoteUse},
    error::{Code, Error, Result},
    net::Net,
};

/// A server. Nothing is sent until there is a job.
pub(super) struct Remote {
    settings: Settings,
    net: Net,
    /// Room for jobs, so that the pool knows before a job's first request whether there is any.
    seats: Arc<Semaphore>,
    /// Room for requests, over all jobs.
    requests: Semaphore,
    health: Health,
    /// Whether its answers have shown that it takes no `verbose_json`.
    is_plain: AtomicBool,
    /// Whether its answers have no times, so that short pieces are the only way to get any.
    is_timeless: AtomicBool,
    closed: CancellationToken,
}

/// The right to be one of a server's jobs, until dropped.
pub(super) type Seat = OwnedSemaphorePermit;

impl Remote {
    /// The server of this name. Fails with `config` when its settings make no sense.
    pub(super) fn new(name: &str, config: &RemoteConfig, net: Net) -> Result<Self> {
        let settings = Settings::new(name, config)?;
        Ok(Self {
            net,
            seats: Arc::new(Semaphore::new(settings.slots)),
            requests: Semaphore::new(settings.slots),
            health: Health::default(),
            is_plain: AtomicBool::new(false),
            is_timeless: AtomicBool::new(false),
            closed: CancellationToken::new(),
            settings,
        })
    }

    /// Its name in the configuration.
    pub(super) fn name(&self) -> &str {
        &self.settings.name
    }

    /// What decides which transcripts it makes: its name, address and model.
    pub(super) fn recipe(&self) -> [&str; 3] {
        self.settings.recipe()
    }

    /// When it is used.
    pub(super) fn used(&self) -> RemoteUse {
        self.settings.used
    }

    /// Gives its models the names that `name` says.
    pub(super) fn settle_names(&mut self, name: impl Fn(&str) -> Result<String>) {
        for model in &mut self.settings.models {
            match name(model) {
                Ok(name) => *model = name,
                Err(error) => {
                    let server = &self.settings.name;
                    tracing::warn!(server, error = %error.chain(), hint = error.hint, "a server does no such model");
                }
            }
        }
    }

    /// The models that it does; `*` for every one.
    pub(super) fn models(&self) -> Vec<String> {
        if self.settings.models.is_empty() { vec!["*".to_owned()] } else { self.settings.models.clone() }
    }

    /// Whether it does this model.
    pub(super) fn does(&self, model: &str) -> bool {
        self.settings.models.is_empty() || self.settings.models.iter().any(|name| name == model)
    }

    /// How long it is still to be left alone after a failure.
    pub(super) fn wait(&self) -> Option<Duration> {
        self.health.wait()
    }

    /// What went wrong last, until something goes well.
    pub(super) fn problem(&self) -> Option<String> {
        self.health.problem()
    }

    /// How many more jobs it takes at once.
    pub(super) fn free_seats(&self) -> usize {
        self.seats.available_permits()
    }

    /// A seat, if one is free.
    pub(super) fn seat(&self) -> Option<Seat> {
        self.seats.clone().try_acquire_owned().ok()
    }

    /// Does a job on a seat.
    pub(super) async fn transcribe_on(
        &self,
        _seat: Seat,
        job: &Job,
        events: &Events<'_>,
        cancel: &CancellationToken,
    ) -> Result<Transcribed> {
        let done = tokio::select! {
            done = self.run(job, events, cancel) => done,
            () = cancel.cancelled() => return Err(Error::new(Code::Cancelled, "The transcription was cancelled")),
            () = self.closed.cancelled() => return Err(shutting_down()),
        };
        match &done {
            Ok(_) => self.health.succeeded(),
            // What is wrong with one audio says nothing about the server.
            Err(error) if error.code == Code::Config || error.code == Code::RemoteEngine && error.is_retryable() => {
                self.health.failed(error);
            }
            Err(_) => {}
        }
        done
    }

    fn who(&self) -> Who<'_> {
        Who { name: &self.settings.name, key: &self.settings.key }
    }
}

#[async_trait]
impl Engine for Remote {
    async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed> {
        let seat = tokio::select! {
            seat = self.seats.clone().acquire_owned() => seat.map_err(|_| shutting_down())?,
            () = cancel.cancelled() => return Err(Error::new(Code::Cancelled, "The transcription was cancelled")),
            () = self.closed.cancelled() => return Err(shutting_down()),
        };
        self.transcribe_on(seat, &job, events, cancel).await
    }

    fn slots(&self) -> usize {
        self.settings.slots
    }

    fn status(&self) -> Vec<EngineStatus> {
        let busy = self.settings.slots - self.requests.available_permits().min(self.settings.slots);
        let problem = self.problem();
        let state = match (self.wait(), busy, &problem) {
            (Some(_), ..) => "waiting",
            (None, 1.., _) => "busy",
            (None, 0, Some(_)) => "failed",
            (None, 0, None) => "ready",
        };
        vec![EngineStatus {
            device: self.settings.engine(),
            model: Some(self.settings.model.clone()).filter(|model| !model.is_empty()),
            state: state.to_owned(),
            slots: self.settings.slots,
            busy,
            problem,
            ..EngineStatus::default()
        }]
    }

    async fn shutdown(&self) {
        self.closed.cancel();
    }
}

fn shutting_down() -> Error {
    Error::new(Code::ShuttingDown, "The engine is being stopped")
}

/// Reads and writes of a mark that nothing else hangs on.
const RELAXED: Ordering = Ordering::Relaxed;
