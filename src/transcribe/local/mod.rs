//! The devices of this machine: engines in child processes, one for each model on each device, as many as memory allows.
//!
//! One task, the [`scheduler`], owns the processes; [`placement`] decides without side effects which window goes where;
//! this is the handle to them.

mod devices;
mod facts;
mod memory;
mod pairs;
mod placement;
mod process;
mod running;
mod scheduler;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use self::{
    devices::{Device, Word},
    facts::Facts,
    placement::WindowId,
    running::{End, Message, Pending},
    scheduler::{Command, Scheduler},
};
use super::{
    engine::{
        Ask, Detected, DeviceStatus, Engine, EngineStatus, Events, Job, Listener, Recognised, Slots, Transcribed,
        Window,
    },
    models::{ModelInfo, ModelRef, check_file},
    recognise,
};
use crate::{
    config::EngineConfig,
    domain::{Options, options::Ladder},
    error::{Code, Error, Result},
};

/// What the scheduler has to know.
#[derive(Debug)]
struct Settings {
    program: PathBuf,
    config: EngineConfig,
    words: Vec<Word>,
    slots: usize,
    threads: usize,
    idle_unload: Duration,
    hang_timeout: Duration,
    pinned: Mutex<HashSet<String>>,
    last_id: AtomicU64,
}

impl Settings {
    /// The devices, when no GPU has to be looked for.
    fn known_devices(&self) -> Option<Vec<Device>> {
        let cpu_only = self.words.iter().all(|word| *word == Word::Cpu);
        cpu_only.then(|| devices::resolve(&self.words, &Ok(Vec::new()), &self.config))
    }

    fn is_pinned(&self, model: &str) -> bool {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner).contains(model)
    }

    fn next_id(&self) -> WindowId {
        self.last_id.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// The handle. Dropping it kills the processes.
pub(super) struct Local {
    settings: Arc<Settings>,
    facts: Arc<Mutex<Facts>>,
    infos: Mutex<HashMap<ModelRef, ModelInfo>>,
    commands: OnceLock<mpsc::UnboundedSender<Command>>,
}

impl Local {
    /// The devices of a configuration. Nothing is started or looked for yet. [`Code::Config`] when `engine.devices` has a
    /// word that is no device.
    pub(super) fn new(engine: &EngineConfig, program: PathBuf) -> Result<Self> {
        let settings = Settings {
            program,
            words: devices::words(engine)?,
            slots: engine.slots.max(1),
            threads: engine.threads(),
            idle_unload: engine.idle_unload.0,
            hang_timeout: engine.hang_timeout.0,
            pinned: Mutex::new(engine.pinned.iter().cloned().collect()),
            last_id: AtomicU64::new(0),
            config: engine.clone(),
        };
        let (settings, facts) = (Arc::new(settings), Arc::default());
        // Only for what it publishes: there is something to see before the first window.
        Scheduler::new(Arc::clone(&settings), Arc::clone(&facts)).publish();
        Ok(Self { settings, facts, infos: Mutex::default(), commands: OnceLock::new() })
    }

    /// The devices that are used. Until the GPUs were looked for (see [`Self::look`]), their names as configured.
    pub(super) fn devices(&self) -> Vec<DeviceStatus> {
        let named = |word: &Word| DeviceStatus { name: self.name(word), ..DeviceStatus::default() };
        self.facts().devices().unwrap_or_else(|| self.settings.words.iter().map(named).collect())
    }

    /// Finds out which devices there are, unless that is known: at most 10 seconds, usually much less.
    pub(super) async fn look(&self) {
        let (done, wait) = oneshot::channel();
        if self.send(Command::Look(done)).is_ok() {
            // An error means that everything is being stopped.
            let _ = wait.await;
        }
    }

    /// Loads a model where there is most room, warms it up, and waits until that is done. A model in memory is left as it
    /// is. Devices that failed to load the model are tried again.
    pub(super) async fn load(&self, model: &ModelRef) -> Result<()> {
        let window = warm_up(self.settings.next_id(), model.clone());
        self.work(&window, Some(warm_ask()), &|_| {}, &CancellationToken::new(), Command::Load).await.map(drop)
    }

    /// Ends the idle engines of a model, pinned or not, and waits until they are gone; [`Code::Conflict`] when one of
    /// them works. Says whether there was one.
    pub(super) async fn unload(&self, model: &str) -> Result<bool> {
        let (reply, wait) = oneshot::channel();
        self.send(Command::Unload(model.to_owned(), reply))?;
        match wait.await.map_err(|_| shutting_down())?? {
            None => Ok(false),
            Some(mut gone) => {
                gone.recv().await;
                Ok(true)
            }
        }
    }

    /// From now on the engines of this model are never unloaded by themselves, and loaded again when they crash.
    pub(super) fn pin(&self, model: &str) {
        self.settings.pinned.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned());
        // One that starts later looks for itself.
        if let Some(commands) = self.commands.get() {
            // An error means that everything is being stopped.
            let _ = commands.send(Command::Pin(model.to_owned()));
        }
    }

    /// What of the configuration changes the texts of a model.
    pub(super) fn recipe(&self, model: &str) -> &'static str {
        if self.settings.config.short_context.iter().any(|name| name == model) { "short context" } else { "" }
    }

    /// How many windows of a model could start at once, beside those that wait already.
    pub(super) fn free_slots(&self, model: &str) -> usize {
        let facts = self.facts();
        if facts.devices.is_some() {
            facts.world.free_slots(model)
        } else {
            self.settings.words.len() * self.settings.slots
        }
    }

    fn name(&self, word: &Word) -> String {
        match word {
            Word::Auto => "auto".to_owned(),
            Word::Cpu => "cpu".to_owned(),
            Word::Gpu(name) => name.clone(),
        }
    }

    fn facts(&self) -> MutexGuard<'_, Facts> {
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send(&self, command: Command) -> Result<()> {
        let start = || {
            let (sender, receiver) = mpsc::unbounded_channel();
            tokio::spawn(Scheduler::new(self.settings.clone(), self.facts.clone()).run(receiver));
            sender
        };
        self.commands.get_or_init(start).send(command).map_err(|_| shutting_down())
    }

    /// What a model's file says; none when it cannot be read.
    async fn info(&self, model: &ModelRef) -> Option<ModelInfo> {
        let infos = || self.infos.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(info) = infos().get(model) {
            return Some(info.clone());
        }
        let path = model.path.clone();
        let info = tokio::task::spawn_blocking(move || check_file(&path)).await.ok()?.ok()?;
        infos().insert(model.clone(), info.clone());
        Some(info)
    }

    async fn work(
        &self,
        window: &Window,
        ask: Option<Ask>,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
        command: fn(WindowId, Box<Pending>) -> Command,
    ) -> Result<End> {
        let id = self.settings.next_id();
        let info = self.info(&window.model).await;
        let (reply, mut messages) = mpsc::unbounded_channel();
        self.send(command(id, Box::new(Pending { window: window.clone(), ask, info, reply })))?;
        let _guard = Guard { local: self, id };
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

/// Takes a window back whose caller is gone. One that has ended is not known any more, so that does nothing.
struct Guard<'a> {
    local: &'a Local,
    id: WindowId,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // An error means that everything is being stopped.
        let _ = self.local.send(Command::Cancel(self.id));
    }
}

/// A window of nothing. The engine makes the shortest silence of it and takes the whole way through the model, so that
/// the first real window finds it warm.
fn warm_up(job: u64, model: ModelRef) -> Window {
    // Jobs are numbered from 1 on, so none has this number.
    Window { job: u64::MAX - job, is_urgent: false, model, pcm: "/dev/null".into(), range: 0..0 }
}

fn warm_ask() -> Ask {
    let options = Options { temperature: Ladder(vec![0.0]), beam_size: 1, ..Options::default() };
    Ask { language: Some("en".to_owned()), previous: String::new(), options }
}

fn shutting_down() -> Error {
    Error::new(Code::ShuttingDown, "The engine is being stopped")
}

fn unexpected() -> Error {
    Error::new(Code::EngineFailed, "The engine answered something else")
}

#[async_trait]
impl Slots for Local {
    async fn detect(&self, window: &Window, cancel: &CancellationToken) -> Result<Detected> {
        match self.work(window, None, &|_| {}, cancel, Command::Submit).await? {
            End::Languages(detected) => Ok(detected),
            End::Recognised(_) => Err(unexpected()),
        }
    }

    async fn recognise(
        &self,
        window: &Window,
        ask: &Ask,
        listener: &Listener<'_>,
        cancel: &CancellationToken,
    ) -> Result<Recognised> {
        match self.work(window, Some(ask.clone()), listener, cancel, Command::Submit).await? {
            End::Recognised(recognised) => Ok(recognised),
            End::Languages(_) => Err(unexpected()),
        }
    }

    /// All slots of all devices in use, at least 1: without any device a window is what tells.
    fn width(&self) -> usize {
        self.slots().max(1)
    }
}

#[async_trait]
impl Engine for Local {
    async fn transcribe(&self, job: Job, events: &Events<'_>, cancel: &CancellationToken) -> Result<Transcribed> {
        let missing = || Error::new(Code::ModelMissing, format!("The model {} is not here", job.model));
        let model = job.file.as_ref().ok_or_else(missing)?;
        // Only then is it known how many windows are worth having in work.
        tokio::select! {
            () = self.look() => {}
            () = cancel.cancelled() => return Err(running::cancelled()),
        }
        recognise::transcribe(self, model, &job, events, cancel).await
    }

    /// The slots of every device in use. Until the GPUs were looked for, every word of `engine.devices` counts as one.
    fn slots(&self) -> usize {
        self.facts().usable().unwrap_or(self.settings.words.len()) * self.settings.slots
    }

    fn status(&self) -> Vec<EngineStatus> {
        let facts = self.facts();
        if facts.devices.is_some() {
            return facts.status();
        }
        let idle = |word: &Word| EngineStatus {
            device: self.name(word),
            state: "idle".to_owned(),
            slots: self.settings.slots,
            ..EngineStatus::default()
        };
        self.settings.words.iter().map(idle).collect()
    }

    async fn shutdown(&self) {
        // An engine that never started has nothing to end, and must not start afterwards.
        let (closed, _) = mpsc::unbounded_channel();
        let (done, wait) = oneshot::channel();
        if self.commands.get_or_init(|| closed).send(Command::Shutdown(done)).is_ok() {
            // An error means that the scheduler is gone already.
            let _ = wait.await;
        }
    }
}
