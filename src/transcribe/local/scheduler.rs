//! The one task that owns the engines of this machine: it carries out what [`placement`](super::placement) decides and
//! watches over the processes.
//!
//! Callers may rely on every submitted window getting exactly one end, and on nothing here waiting for a process.

mod commands;
mod ends;
mod places;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
};

use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
    time::Instant,
};

pub(super) use self::commands::Command;
use super::{
    Settings,
    devices::{self, Device},
    facts::{Facts, Row},
    pairs::Pair,
    placement::{Action, EngineId, State, WindowId, World},
    process::{Launch, Process, Said},
    running::{Alarm, End, Pending, Running},
};
use crate::{
    error::{Code, Error, Result},
    transcribe::{
        engine::{Detected, EngineStatus, Heard, Recognised},
        models::{ModelInfo, ModelRef},
        protocol::{self, Event},
    },
};

type Listed = Result<Vec<protocol::Device>, String>;

pub(super) struct Scheduler {
    settings: Arc<Settings>,
    facts: Arc<Mutex<Facts>>,
    /// None until the GPUs were listed.
    devices: Option<Vec<Device>>,
    looking: Option<JoinHandle<Listed>>,
    curious: Vec<oneshot::Sender<()>>,
    world: World,
    pending: HashMap<WindowId, Pending>,
    engines: HashMap<EngineId, Running>,
    /// Dropped when the engine is gone, which tells whoever waits for that.
    unloads: HashMap<EngineId, mpsc::Sender<()>>,
    pairs: HashMap<(ModelRef, usize), Pair>,
    infos: HashMap<ModelRef, ModelInfo>,
    ear: mpsc::Sender<(EngineId, Said)>,
    said: mpsc::Receiver<(EngineId, Said)>,
}

impl Scheduler {
    pub(super) fn new(settings: Arc<Settings>, facts: Arc<Mutex<Facts>>) -> Self {
        let (ear, said) = mpsc::channel(64);
        let mut this = Self {
            settings,
            facts,
            devices: None,
            looking: None,
            curious: Vec::new(),
            world: World::default(),
            pending: HashMap::new(),
            engines: HashMap::new(),
            unloads: HashMap::new(),
            pairs: HashMap::new(),
            infos: HashMap::new(),
            ear,
            said,
        };
        if let Some(devices) = this.settings.known_devices() {
            this.found(devices);
        }
        this
    }

    /// Works until it is told to stop, or until the handle is dropped; the processes then die with this task.
    pub(super) async fn run(mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        loop {
            self.advance();
            self.publish();
            let wake = self.next_deadline();
            tokio::select! {
                // The clock comes last: on a busy machine a sign of life may wait here while its time runs out.
                biased;
                command = commands.recv() => match command {
                    Some(Command::Shutdown(done)) => {
                        // From here on submitting fails.
                        commands.close();
                        self.shut_down(commands).await;
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(());
                        return;
                    }
                    Some(command) => self.obey(command),
                    None => return,
                },
                // Never none: a sender is kept here.
                Some((engine, said)) = self.said.recv() => self.hear(engine, said),
                listed = listed(&mut self.looking) => {
                    self.looking = None;
                    self.found(devices::resolve(&self.settings.words, &listed, &self.settings.config));
                }
                () = sleep_until(wake) => self.on_time(),
            }
        }
    }

    /// Has the GPUs listed, beside everything else.
    fn look(&mut self) {
        if self.looking.is_none() {
            let settings = self.settings.clone();
            self.looking = Some(tokio::spawn(async move { devices::list(&settings.program).await }));
        }
    }

    fn found(&mut self, devices: Vec<Device>) {
        for device in &devices {
            match &device.problem {
                Some(problem) => tracing::warn!(device = device.name, problem, "A device cannot be used"),
                None => tracing::debug!(device = device.name, budget = device.budget, "A device can be used"),
            }
        }
        let any = devices.iter().any(Device::is_usable);
        let placing = |device: &Device| super::placement::Device {
            budget: device.budget,
            cpu: device.cpu,
            used: device.is_usable() || !any && device.fallback,
        };
        self.world.devices = devices.iter().map(placing).collect();
        self.world.slots = self.settings.slots;
        self.devices = Some(devices);
        // Whoever waits reads it there as soon as it is woken.
        self.publish();
        for curious in self.curious.drain(..) {
            let _ = curious.send(());
        }
    }

    /// Does everything that can be done now.
    fn advance(&mut self) {
        if self.devices.is_none() {
            return;
        }
        self.choose_places();
        while let Some(action) = self.world.decide() {
            match action {
                Action::Give { window, engine } => self.give(window, engine),
                Action::Reserve { window, engine } => self.world.reserve(window, engine),
                Action::Start { window, device, over } => self.start(window, device, over),
                Action::Evict { engine } => self.stop(engine),
            }
        }
    }

    fn give(&mut self, window: WindowId, engine: EngineId) {
        let device = self.world.engines.get(&engine).map_or(0, |seats| seats.device);
        self.world.give(window, engine);
        let (Some(pending), Some(running)) = (self.pending.remove(&window), self.engines.get(&engine)) else { return };
        let warning = self.warning(&running.model, device);
        if let Some(running) = self.engines.get_mut(&engine) {
            running.take(window, pending, warning);
        }
    }

    fn start(&mut self, window: WindowId, device: usize, over: bool) {
        let Some(model) = self.world.windows.get(&window).map(|want| want.model.clone()) else { return };
        let name = self.device(device).map_or("", |device| &device.name).to_owned();
        let pinned = self.settings.is_pinned(&model.name);
        let need = self.need(&model, device);
        let engine = self.world.start(window, device, pinned);
        let Settings { program, slots, threads, .. } = &*self.settings;
        let short_context = self.settings.config.short_context.contains(&model.name);
        let launch = Launch { program, model: &model, device: &name, slots: *slots, threads: *threads, short_context };
        match Process::start(&launch, engine, self.ear.clone()) {
            Ok(process) => {
                tracing::info!(model = model.name, device = name, need = need.total(*slots), "An engine starts");
                self.pairs.entry((model.clone(), device)).or_default().starts();
                let mut running = Running::new(model, process, need);
                running.problem = over.then(|| {
                    let (need, budget) = (need.total(*slots) >> 20, self.world.devices[device].budget >> 20);
                    format!("It needs about {need} MiB, more than the {budget} MiB that {name} has for engines")
                });
                if let Some(problem) = &running.problem {
                    tracing::warn!(model = running.model.name, problem, "A model may be too large; it is tried alone");
                }
                self.engines.insert(engine, running);
            }
            Err(error) => {
                self.world.engines.remove(&engine);
                if let Some(pending) = self.withdraw(window) {
                    pending.end(Err(error));
                }
            }
        }
    }

    /// Lets an idle engine go.
    fn stop(&mut self, engine: EngineId) {
        self.world.ending(engine);
        if let Some(running) = self.engines.get(&engine) {
            tracing::info!(model = running.model.name, "An engine gives its memory back");
            running.process.stop();
        }
    }

    fn hear(&mut self, engine: EngineId, said: Said) {
        let Some(state) = self.world.engines.get(&engine).map(|seats| seats.state) else { return };
        let event = match said {
            Said::Ended(how) => {
                if state != State::Ending {
                    self.lost(engine, &how);
                }
                self.world.engines.remove(&engine);
                self.engines.remove(&engine);
                self.unloads.remove(&engine);
                return;
            }
            // What it still says is of no interest: its windows have their ends.
            Said::Event(_) if state == State::Ending => return,
            Said::Event(event) => event,
        };
        let Some(running) = self.engines.get_mut(&engine) else { return };
        let (id, end) = match event {
            Event::Ready { engine: version, .. } => {
                tracing::info!(model = running.model.name, version, "An engine is ready");
                running.is_ready();
                for window in self.world.ready(engine) {
                    self.give(window, engine);
                }
                return self.measure(engine);
            }
            Event::Unusable { code, detail } => {
                return self.unusable(engine, Error::new(Code::from_word(&code), detail));
            }
            Event::Progress { id, value } => return running.pass_on(id, Heard::Alive(value)),
            Event::Segment { id, segment } => return running.pass_on(id, Heard::Segment(segment)),
            Event::Languages { id, inference_ms, probabilities } => {
                (id, Ok(End::Languages(Detected { inference_ms, probabilities })))
            }
            Event::Done { id, inference_ms, probabilities, warnings } => {
                let recognised = Recognised { inference_ms, probabilities, warnings, is_makeshift: false };
                (id, Ok(End::Recognised(recognised)))
            }
            Event::Failed { id, code, detail } => (id, Err(Error::new(Code::from_word(&code), detail))),
        };
        let worked = end.is_ok();
        if running.finish(id, end) {
            let model = running.model.clone();
            self.world.finish(id, engine);
            self.measure(engine);
            let device = self.world.engines.get(&engine).map(|seats| seats.device);
            if let Some(pair) = device.filter(|_| worked).and_then(|device| self.pairs.get_mut(&(model, device))) {
                pair.worked();
            }
        }
    }

    /// On a CPU the estimate is replaced by what the process really takes.
    fn measure(&mut self, engine: EngineId) {
        let Some(seats) = self.world.engines.get_mut(&engine) else { return };
        if self.world.devices[seats.device].cpu
            && let Some(size) = self.engines.get(&engine).and_then(|running| running.measured(self.settings.slots))
        {
            seats.size = size;
        }
    }

    /// When [`Self::on_time`] has something to do.
    fn next_deadline(&self) -> Option<Instant> {
        let engines = self.world.engines.iter().filter(|(_, seats)| seats.state != State::Ending);
        let deadlines = engines.filter_map(|(id, seats)| {
            let unload = (!seats.pinned).then_some(self.settings.idle_unload);
            let loading = seats.state == State::Loading;
            self.engines.get(id)?.deadline(loading, seats.rests, self.settings.hang_timeout, unload)
        });
        deadlines.chain(self.pairs.values().filter_map(Pair::waits_until)).min()
    }

    fn on_time(&mut self) {
        let hang = self.settings.hang_timeout;
        let engines: Vec<EngineId> = self.engines.keys().copied().collect();
        for engine in engines {
            let Some(seats) = self.world.engines.get_mut(&engine).filter(|seats| seats.state != State::Ending) else {
                continue;
            };
            let unload = (!seats.pinned).then_some(self.settings.idle_unload);
            let Some(running) = self.engines.get_mut(&engine) else { continue };
            match running.alarm(seats.state == State::Loading, hang, unload) {
                None => {}
                Some(Alarm::Idle { unload: false }) => seats.rests = false,
                Some(Alarm::Idle { unload: true }) => self.stop(engine),
                Some(Alarm::Abandoned) => self.kill(engine),
                Some(Alarm::Hangs) => {
                    self.lost(engine, &format!("said nothing for {} seconds and was ended", hang.as_secs_f32()));
                }
            }
        }
    }

    /// Tells the outside what there is.
    pub(super) fn publish(&self) {
        let Some(devices) = &self.devices else { return };
        let mut facts = self.facts.lock().unwrap_or_else(PoisonError::into_inner);
        facts.rows = self.rows();
        facts.world = self.world.clone();
        if facts.devices.as_ref() != Some(devices) {
            facts.devices = Some(devices.clone());
        }
    }
}

async fn listed(looking: &mut Option<JoinHandle<Listed>>) -> Listed {
    match looking {
        Some(looking) => looking.await.unwrap_or_else(|error| Err(format!("the list of GPUs broke off: {error}"))),
        None => std::future::pending().await,
    }
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::EngineConfig;

    #[test]
    fn whoever_waits_for_the_devices_finds_them() {
        let local = super::super::Local::new(&EngineConfig::default(), "nowhere".into()).unwrap();
        let mut scheduler = Scheduler::new(Arc::clone(&local.settings), Arc::clone(&local.facts));
        let (done, mut wait) = tokio::sync::oneshot::channel();
        scheduler.curious.push(done);
        assert!(wait.try_recv().is_err());
        scheduler.found(devices::resolve(&local.settings.words, &Ok(Vec::new()), &local.settings.config));
        assert_eq!(wait.try_recv(), Ok(()));
        let names: Vec<_> = local.devices().into_iter().map(|device| device.name).collect();
        assert_eq!(names, ["cpu"], "not what the configuration calls it");
    }
}
