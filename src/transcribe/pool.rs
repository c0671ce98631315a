//! Every engine that there is, as one: the devices of this machine, and servers elsewhere.

use std::{
    path::PathBuf,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{
    engine::{DeviceStatus, Engine, EngineEvent, EngineStatus, Events, Job, Transcribed},
    local::Local,
    models::ModelRef,
    remote::{Remote, Seat},
};
use crate::{
    config::{EngineConfig, RemoteUse},
    error::{Code, Error, Result},
    net::Net,
};

/// Every engine that the configuration asks for. Nothing is started until there is a job.
pub struct Pool {
    /// None: this machine has no part in it.
    local: Option<Local>,
    /// Jobs that are at work or waiting on this machine.
    local_jobs: AtomicUsize,
    /// In the order of their names.
    remotes: Vec<Remote>,
}

/// Who does a job.
enum Choice<'a> {
    Local(&'a Local),
    /// Without a seat, it has to be waited for.
    Remote(&'a Remote, Option<Seat>),
}

impl Pool {
    /// The engines of this configuration. `program` is this binary; engine processes are `program engine …`. Fails with
    /// `config` when a server's settings make no sense, or when there is no engine at all.
    pub fn new(engine: &EngineConfig, net: Net, program: PathBuf) -> Result<Self> {
        let remotes = engine.remote.iter().map(|(name, config)| Remote::new(name, config, net.clone()));
        let remotes = remotes.collect::<Result<Vec<_>>>()?;
        if engine.devices.is_empty() && remotes.is_empty() {
            let hint = "Set `engine.devices` to [\"auto\"], or name a server in `engine.remote`.";
            return Err(
                Error::new(Code::Config, "There is neither a device nor a server to recognise on").with_hint(hint)
            );
        }
        let local = (!engine.devices.is_empty()).then(|| Local::new(engine, program)).transpose()?;
        Ok(Self { local, local_jobs: AtomicUsize::new(0), remotes })
    }

    /// No engine at all, for a process that recognises nothing.
    pub fn none() -> Self {
        Self { local: None, local_jobs: AtomicUsize::new(0), remotes: Vec::new() }
    }

    /// The models that servers elsewhere do, by their names here; `*` for every one.
    pub fn models_elsewhere(&self) -> Vec<String> {
        self.remotes.iter().flat_map(Remote::models).collect()
    }

    /// Gives the models of servers elsewhere their own names: `name` says what somebody's word for a model means. A word
    /// that means nothing is told and left as it is.
    pub fn settle_names(&mut self, name: impl Fn(&str) -> Result<String>) {
        for remote in &mut self.remotes {
            remote.settle_names(&name);
        }
    }

    /// Whether an engine elsewhere can do jobs for this model, so that its file need not be here.
    pub fn is_remote(&self, model: &str) -> bool {
        self.remotes.iter().any(|remote| remote.does(model))
    }

    /// Which engines can do jobs for this model, as one text: this machine with what is special about it there, and the
    /// servers by name, address and model there. Equal as long as a transcript cannot come from elsewhere; holds no key.
    pub fn recipe(&self, model: &str) -> String {
        let servers: Vec<_> = self.remotes.iter().filter(|remote| remote.does(model)).map(Remote::recipe).collect();
        let local = self.local.as_ref().map(|local| local.recipe(model));
        json!([local, servers]).to_string()
    }

    /// Does a job, waiting for a free slot first. Ends within about a second of `cancel`, with [`Code::Cancelled`]; a
    /// crash of the engine is [`Code::EngineCrashed`].
    ///
    /// Servers with `use = "first"` come before this machine, the others when it has no free slot. When a server fails in
    /// a way that can pass, another engine does the job, and the transcript says so; segments are heard only when they
    /// are sure to stay, so with an engine to fall back on they come at the end.
    pub async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed> {
        let (mut failed, mut warnings) = (Vec::new(), Vec::new());
        let mut last = None;
        loop {
            let (remote, seat) = match self.choose(&job, &failed) {
                Some(Choice::Local(local)) => return told(self.do_here(local, job, events, cancel).await, warnings),
                Some(Choice::Remote(remote, seat)) => (remote, seat),
                None => return Err(last.unwrap_or_else(|| self.nobody(&job))),
            };
            failed.push(remote.name().to_owned());
            let held = Held::new(events, self.has_other(&job, &failed));
            let listener = |event| held.hear(event);
            let done = match seat {
                Some(seat) => remote.transcribe_on(seat, &job, &listener, cancel).await,
                None => remote.transcribe(job.clone(), &listener, cancel).await,
            };
            match done {
                Err(error) if error.code == Code::RemoteEngine && error.is_retryable() => {
                    tracing::warn!(server = remote.name(), error = %error.chain(), "a transcription server failed");
                    warnings.push(format!("{}; another engine did it", error.detail));
                    last = Some(error);
                }
                done => {
                    held.release(done.is_ok());
                    return told(done, warnings);
                }
            }
        }
    }

    /// How many jobs run at the same time over all engines.
    pub fn slots(&self) -> usize {
        self.local.as_ref().map_or(0, Engine::slots) + self.remotes.iter().map(Engine::slots).sum::<usize>()
    }

    /// What each engine does now.
    pub fn status(&self) -> Vec<EngineStatus> {
        let local = self.local.iter().flat_map(Engine::status);
        local.chain(self.remotes.iter().flat_map(Engine::status)).collect()
    }

    /// The devices of this machine that are used.
    pub fn devices(&self) -> Vec<DeviceStatus> {
        self.local.as_ref().map(Local::devices).unwrap_or_default()
    }

    /// Finds out which GPUs there are, unless that is known: at most 10 seconds, usually far below one.
    pub async fn look(&self) {
        if let Some(local) = &self.local {
            local.look().await;
        }
    }

    /// Loads a model that is never to be unloaded for another one, and waits until it is ready.
    pub async fn pin(&self, model: &ModelRef) -> Result<()> {
        if let Some(local) = &self.local {
            local.pin(&model.name);
        }
        self.load(model).await
    }

    /// Loads a model where there is most room, and waits until it is ready. `conflict` when models are not loaded here.
    pub async fn load(&self, model: &ModelRef) -> Result<()> {
        match &self.local {
            Some(local) => local.load(model).await,
            None => Err(Error::new(Code::Conflict, "No model is loaded here: only servers elsewhere recognise")
                .with_hint("Name a device in `engine.devices` to recognise on this machine, too.")),
        }
    }

    /// Ends the idle engines of a model; `conflict` when one of them works. Says whether there was one.
    pub async fn unload(&self, model: &str) -> Result<bool> {
        match &self.local {
            Some(local) => local.unload(model).await,
            None => Ok(false),
        }
    }

    /// Ends every engine; jobs which still run fail with `shutting_down`.
    pub async fn shutdown(&self) {
        for remote in &self.remotes {
            remote.shutdown().await;
        }
        if let Some(local) = &self.local {
            local.shutdown().await;
        }
    }

    /// Who is to do a job; none when nobody can now. `failed` servers had their chance.
    fn choose(&self, job: &Job, failed: &[String]) -> Option<Choice<'_>> {
        let willing = |used| self.willing(job, failed).filter(move |remote| remote.used() == used);
        let seated = |used| {
            let free = willing(used).find_map(|remote| Some((remote, remote.seat()?)));
            free.map(|(remote, seat)| Choice::Remote(remote, Some(seat)))
        };
        if let Some(choice) = seated(RemoteUse::First) {
            return Some(choice);
        }
        if let Some(local) = self.here(job) {
            let is_full =
                || self.local_jobs.load(Ordering::SeqCst) >= local.slots() || local.free_slots(&job.model) == 0;
            let over = if is_full() { seated(RemoteUse::Overflow) } else { None };
            return Some(over.unwrap_or(Choice::Local(local)));
        }
        let waited_for = || self.willing(job, failed).next().map(|remote| Choice::Remote(remote, None));
        seated(RemoteUse::Overflow).or_else(waited_for)
    }

    /// Servers that can do a job and are not left alone, the busiest last.
    fn willing(&self, job: &Job, failed: &[String]) -> impl Iterator<Item = &Remote> {
        let able = |remote: &&Remote| remote.does(&job.model) && remote.wait().is_none();
        let fresh = |remote: &&Remote| !failed.iter().any(|name| name == remote.name());
        let mut willing: Vec<&Remote> = self.remotes.iter().filter(able).filter(fresh).collect();
        willing.sort_by_key(|remote| std::cmp::Reverse(remote.free_seats()));
        willing.into_iter()
    }

    /// This machine, when it can do the job.
    fn here(&self, job: &Job) -> Option<&Local> {
        self.local.as_ref().filter(|_| job.file.is_some())
    }

    fn has_other(&self, job: &Job, failed: &[String]) -> bool {
        self.here(job).is_some() || self.willing(job, failed).next().is_some()
    }

    async fn do_here(
        &self,
        local: &Local,
        job: Job,
        events: &Events<'_>,
        cancel: &CancellationToken,
    ) -> Result<Transcribed> {
        let _counted = Counted::new(&self.local_jobs);
        local.transcribe(job, events, cancel).await
    }

    /// Why nobody can do a job.
    fn nobody(&self, job: &Job) -> Error {
        let able = || self.remotes.iter().filter(|remote| remote.does(&job.model));
        let Some(first) = able().min_by_key(|remote| remote.wait()) else {
            return Error::new(Code::ModelMissing, format!("The model {} is not here", job.model));
        };
        let problem = first.problem().unwrap_or_else(|| format!("The server {} failed", first.name()));
        let detail = format!("No server for the model {} can be used now. {problem}", job.model);
        Error::new(Code::RemoteEngine, detail).with_retry_after(first.wait())
    }
}

/// A result with what has to be told beside it.
fn told(done: Result<Transcribed>, warnings: Vec<String>) -> Result<Transcribed> {
    done.map(|mut done| {
        done.is_makeshift |= !warnings.is_empty();
        done.transcript.warnings.extend(warnings);
        done
    })
}

/// A job that is counted until it ends, however it ends.
struct Counted<'a>(&'a AtomicUsize);

impl<'a> Counted<'a> {
    fn new(jobs: &'a AtomicUsize) -> Self {
        jobs.fetch_add(1, Ordering::SeqCst);
        Self(jobs)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

/// Segments of a server, held back while another engine may still have to do the job anew.
struct Held<'a> {
    events: &'a Events<'a>,
    segments: Option<Mutex<Vec<EngineEvent>>>,
}

impl<'a> Held<'a> {
    fn new(events: &'a Events<'a>, is_held: bool) -> Self {
        Self { events, segments: is_held.then(Mutex::default) }
    }

    fn hear(&self, event: EngineEvent) {
        match (&self.segments, &event) {
            (Some(held), EngineEvent::Segment(_)) => held.lock().unwrap_or_else(PoisonError::into_inner).push(event),
            _ => (self.events)(event),
        }
    }

    fn release(self, is_good: bool) {
        let held = self.segments.map(|held| held.into_inner().unwrap_or_else(PoisonError::into_inner));
        for event in held.unwrap_or_default().into_iter().filter(|_| is_good) {
            (self.events)(event);
        }
    }
}
