//! What the scheduler is told from outside.

use tokio::sync::{mpsc, oneshot};

use super::{
    super::{
        placement::{EngineId, Seats, State, WindowId},
        running::{End, Pending, cancelled},
    },
    Scheduler,
};
use crate::{
    error::{Code, Error, Result},
    transcribe::engine::Recognised,
};

/// To the scheduler.
pub(in super::super) enum Command {
    /// A new window.
    Submit(WindowId, Box<Pending>),
    /// The same, for nothing but the engine: it is not run when there is one already.
    Load(WindowId, Box<Pending>),
    /// Stop this window.
    Cancel(WindowId),
    /// End the idle engines of a model. What is received closes when they are gone; none when there was no engine.
    Unload(String, oneshot::Sender<Result<Option<mpsc::Receiver<()>>>>),
    /// Never unload the engines of a model by themselves.
    Pin(String),
    /// Find out which devices there are, unless that is known.
    Look(oneshot::Sender<()>),
    /// Stop everything.
    Shutdown(oneshot::Sender<()>),
}

impl Scheduler {
    pub(super) fn obey(&mut self, command: Command) {
        match command {
            Command::Submit(id, pending) => self.submit(id, *pending),
            Command::Load(id, pending) => self.load(id, *pending),
            Command::Cancel(id) => self.cancel(id),
            Command::Unload(model, reply) => {
                // Nobody there to hear it is fine, here and below.
                let _ = reply.send(self.unload(&model));
            }
            Command::Pin(model) => {
                let of_model = self.world.engines.values_mut().filter(|seats| seats.model.name == model);
                of_model.for_each(|seats| seats.pinned = true);
            }
            Command::Look(done) => match &self.devices {
                Some(_) => drop(done.send(())),
                None => {
                    self.curious.push(done);
                    self.look();
                }
            },
            Command::Shutdown(_) => {} // The loop has taken it.
        }
    }

    fn submit(&mut self, id: WindowId, pending: Pending) {
        let model = &pending.window.model;
        if let Some(info) = &pending.info {
            self.infos.insert(model.clone(), info.clone());
        }
        // Engines of a file that this one has replaced have nothing to stay for.
        let is_replaced = |seats: &&mut Seats| seats.model.name == model.name && seats.model != *model;
        self.world.engines.values_mut().filter(is_replaced).for_each(|seats| seats.pinned = false);
        self.world.submit(id, pending.window.job, pending.window.is_urgent, model.clone());
        self.pending.insert(id, pending);
        if self.devices.is_none() {
            self.look();
        }
    }

    fn load(&mut self, id: WindowId, pending: Pending) {
        let model = &pending.window.model;
        self.pairs.iter_mut().filter(|((known, _), _)| known == model).for_each(|(_, pair)| pair.forgive());
        self.submit_unless_ready(id, pending);
    }

    /// Submits a window that is for nothing but the engine.
    pub(super) fn submit_unless_ready(&mut self, id: WindowId, pending: Pending) {
        let model = &pending.window.model;
        let mut ready = self.world.engines.values().filter(|seats| seats.state == State::Ready);
        if ready.any(|seats| seats.model == *model) {
            return pending.end(Ok(End::Recognised(Recognised::default())));
        }
        self.submit(id, pending);
    }

    fn cancel(&mut self, id: WindowId) {
        if let Some(pending) = self.withdraw(id) {
            pending.end(Err(cancelled()));
        }
        for running in self.engines.values_mut() {
            running.abort(id);
        }
    }

    /// Takes a waiting window out.
    pub(super) fn withdraw(&mut self, id: WindowId) -> Option<Pending> {
        self.world.windows.remove(&id);
        self.pending.remove(&id)
    }

    fn unload(&mut self, model: &str) -> Result<Option<mpsc::Receiver<()>>> {
        let of_model = |(_, seats): &(&EngineId, &Seats)| seats.model.name == model && seats.state != State::Ending;
        let engines: Vec<EngineId> = self.world.engines.iter().filter(of_model).map(|(id, _)| *id).collect();
        if engines.iter().any(|id| self.world.load(*id) > 0) {
            let detail = format!("The model {model} is at work");
            return Err(Error::new(Code::Conflict, detail).with_hint("Wait until its tasks are done, or cancel them."));
        }
        if engines.is_empty() {
            return Ok(None);
        }
        let (gone, wait) = mpsc::channel(1);
        for engine in engines {
            self.unloads.insert(engine, gone.clone());
            self.stop(engine);
        }
        Ok(Some(wait))
    }
}
