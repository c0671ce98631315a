//! Engines that cannot be used, die, or have to go.

use tokio::sync::mpsc;

use super::{
    super::{
        placement::EngineId,
        running::{Pending, cancelled},
        shutting_down, warm_ask, warm_up,
    },
    Code, Command, Error, ModelRef, Said, Scheduler, State, WindowId,
};

impl Scheduler {
    /// The process says that it cannot load its model, and goes.
    pub(super) fn unusable(&mut self, engine: EngineId, error: Error) {
        let Some(seats) = self.world.engines.get(&engine) else { return };
        tracing::warn!(model = seats.model.name, detail = error.detail, "A model cannot be used");
        // A wrong file is wrong everywhere.
        let elsewhere = error.code != Code::ModelInvalid && self.goes_elsewhere(engine, &error.detail);
        self.end_promised(engine, elsewhere, || Error::new(error.code, error.detail.clone()));
        if let Some(running) = self.engines.get_mut(&engine) {
            running.fail(|| Error::new(error.code, error.detail.clone()));
            running.process.stop();
        }
        self.world.ending(engine);
    }

    /// The process is gone, or has to go: the windows in it fail, everything else stays.
    pub(super) fn lost(&mut self, engine: EngineId, how: &str) {
        let Some(seats) = self.world.engines.get(&engine) else { return };
        let (model, device, state, pinned) = (seats.model.clone(), seats.device, seats.state, seats.pinned);
        let crashed = || Error::new(Code::EngineCrashed, format!("The recognition process {how}"));
        let elsewhere =
            state == State::Loading && self.goes_elsewhere(engine, &format!("the recognition process {how}"));
        let promised = self.end_promised(engine, elsewhere, crashed);
        self.pairs.entry((model.clone(), device)).or_default().crashed();
        if let Some(running) = self.engines.get_mut(&engine) {
            let windows = running.fail(crashed) + promised;
            tracing::error!(model = model.name, windows, stderr = running.process.tail(), "An engine process {how}");
            running.process.kill();
        }
        self.world.ending(engine);
        if pinned && state == State::Ready {
            self.load_again(model);
        }
    }

    /// Ends an engine that works for nobody any more.
    pub(super) fn kill(&mut self, engine: EngineId) {
        self.world.ending(engine);
        let seats = self.world.engines.get(&engine);
        let again = seats.filter(|seats| seats.pinned).map(|seats| seats.model.clone());
        if let Some(running) = self.engines.get_mut(&engine) {
            running.fail(cancelled);
            running.process.kill();
        }
        if let Some(model) = again {
            self.load_again(model);
        }
    }

    /// Marks a GPU as unfit for a model when there is another device for it.
    fn goes_elsewhere(&mut self, engine: EngineId, problem: &str) -> bool {
        let Some(seats) = self.world.engines.get(&engine) else { return false };
        let (model, number) = (seats.model.clone(), seats.device);
        let Some(device) = self.device(number).filter(|device| !device.cpu) else { return false };
        let has_fallback = self.devices.iter().flatten().any(|device| device.fallback);
        if !has_fallback && self.places(&model).iter().all(|place| place.device == number) {
            return false;
        }
        let problem = format!("{} cannot be used for {}: {problem}", device.name, model.name);
        tracing::warn!(problem, "Another device takes over");
        self.pairs.entry((model, number)).or_default().failed(problem);
        true
    }

    /// Ends the windows that were promised a slot of an engine, unless they can go elsewhere.
    fn end_promised(&mut self, engine: EngineId, elsewhere: bool, error: impl Fn() -> Error) -> usize {
        if elsewhere {
            return 0;
        }
        let promised: Vec<WindowId> = self.world.promised(engine).collect();
        for pending in promised.iter().filter_map(|id| self.withdraw(*id)).collect::<Vec<_>>() {
            pending.end(Err(error()));
        }
        promised.len()
    }

    /// Has a pinned model loaded again, for nobody in particular. After a crash it waits like everything else.
    fn load_again(&mut self, model: ModelRef) {
        let (reply, mut messages) = mpsc::unbounded_channel();
        tokio::spawn(async move { while messages.recv().await.is_some() {} });
        let id = self.settings.next_id();
        let info = self.infos.get(&model).cloned();
        let (window, ask) = (warm_up(id, model), Some(warm_ask()));
        self.submit_unless_ready(id, Pending { window, ask, info, reply });
    }

    pub(super) async fn shut_down(&mut self, mut commands: mpsc::UnboundedReceiver<Command>) {
        while let Ok(command) = commands.try_recv() {
            match command {
                Command::Submit(_, pending) | Command::Load(_, pending) => pending.end(Err(shutting_down())),
                Command::Unload(_, reply) => drop(reply.send(Err(shutting_down()))),
                Command::Shutdown(done) => drop(done.send(())),
                Command::Cancel(_) | Command::Pin(_) | Command::Look(_) => {}
            }
        }
        self.looking = None;
        self.world.windows.clear();
        for (_, pending) in self.pending.drain() {
            pending.end(Err(shutting_down()));
        }
        for (id, running) in &mut self.engines {
            self.world.ending(*id);
            running.fail(shutting_down);
            running.process.kill();
        }
        while !self.engines.is_empty() {
            let Some((engine, said)) = self.said.recv().await else { break };
            if let Said::Ended(_) = said {
                self.world.engines.remove(&engine);
                self.engines.remove(&engine);
            }
        }
        self.publish();
    }
}
