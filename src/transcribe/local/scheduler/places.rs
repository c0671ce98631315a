//! Where a model may run, and what is told about it.

use super::{
    super::{
        memory::{self, Need},
        placement::Place,
    },
    Code, Device, EngineStatus, Error, HashSet, ModelRef, Row, Scheduler, State, WindowId,
};

impl Scheduler {
    /// Brings the places of every model up to date. Windows whose model has none fail.
    pub(super) fn choose_places(&mut self) {
        let wanted = self.world.windows.values().map(|want| &want.model);
        let models: HashSet<ModelRef> = wanted.chain(self.world.places.keys()).cloned().collect();
        for model in models {
            let places = self.places(&model);
            if places.is_empty() {
                let of_model = |id: &WindowId| self.world.windows.get(id).is_some_and(|want| want.model == model);
                let windows: Vec<WindowId> = self.world.windows.keys().copied().filter(of_model).collect();
                for pending in windows.into_iter().filter_map(|id| self.withdraw(id)).collect::<Vec<_>>() {
                    pending.end(Err(self.nowhere(&model)));
                }
            }
            self.world.places.insert(model, places);
        }
    }

    /// The devices that can be used for a model, in the order of the configuration; the CPU that stands in when there is
    /// no other.
    pub(super) fn places(&self, model: &ModelRef) -> Vec<Place> {
        let place = |(device, _): (usize, &Device)| Place {
            device,
            need: self.need(model, device).total(self.settings.slots),
            later: self.pairs.get(&(model.clone(), device)).is_some_and(|pair| pair.waits_until().is_some()),
        };
        let all = || self.devices.iter().flatten().enumerate();
        let places: Vec<Place> =
            all().filter(|(n, device)| device.is_usable() && self.problem(model, *n).is_none()).map(place).collect();
        if places.is_empty() { all().filter(|(_, device)| device.fallback).map(place).collect() } else { places }
    }

    pub(super) fn device(&self, number: usize) -> Option<&Device> {
        self.devices.as_ref()?.get(number)
    }

    /// What an engine will take. Nothing is known of a file that could not be read.
    pub(super) fn need(&self, model: &ModelRef, device: usize) -> Need {
        let cpu = self.device(device).is_some_and(|device| device.cpu);
        self.infos.get(model).map_or_else(Need::default, |info| memory::need(info, cpu))
    }

    /// Why a model cannot be used on a device.
    fn problem(&self, model: &ModelRef, device: usize) -> Option<String> {
        let own = || self.pairs.get(&(model.clone(), device)).and_then(|pair| pair.problem()).map(str::to_owned);
        self.device(device).and_then(|device| device.problem.clone()).or_else(own)
    }

    /// What a reader has to know when the CPU takes the place of every GPU that was asked for.
    pub(super) fn warning(&self, model: &ModelRef, device: usize) -> Option<String> {
        if !self.device(device)?.cpu {
            return None;
        }
        let mut gpus =
            self.devices.iter().flatten().enumerate().filter(|(_, device)| !device.cpu && device.name != "auto");
        let problems: Option<Vec<String>> = gpus.try_fold(Vec::new(), |mut problems, (n, _)| {
            problems.push(self.problem(model, n)?);
            Some(problems)
        });
        let problems = problems.filter(|problems| !problems.is_empty())?;
        Some(format!("The CPU was used: {}", problems.join("; ")))
    }

    fn nowhere(&self, model: &ModelRef) -> Error {
        let all = 0..self.devices.as_ref().map_or(0, Vec::len);
        let problems: Vec<String> = all.filter_map(|device| self.problem(model, device)).collect();
        if problems.is_empty() {
            let detail = "This machine recognises nothing: engine.devices is empty";
            let hint = "Set `engine.devices`, or name a server in `engine.remote` which does this model.";
            return Error::new(Code::Config, detail).with_hint(hint);
        }
        let detail = format!("No device can be used: {}", problems.join("; "));
        Error::new(Code::Config, detail).with_hint("Correct `engine.devices`, or set `engine.cpu_fallback = true`.")
    }

    /// One row for each engine, one for each model that waits or failed without one, one for each device without any.
    pub(super) fn rows(&self) -> Vec<Row> {
        let Some(devices) = &self.devices else { return Vec::new() };
        let mut rows = Vec::new();
        for (number, device) in devices.iter().enumerate() {
            let base =
                EngineStatus { device: device.name.clone(), slots: self.settings.slots, ..EngineStatus::default() };
            let before = rows.len();
            for (id, seats) in self.world.engines.iter().filter(|(_, seats)| seats.device == number) {
                let Some(running) = self.engines.get(id) else { continue };
                let pair = self.pairs.get(&(seats.model.clone(), number));
                let busy = self.world.load(*id);
                let state = match seats.state {
                    State::Loading => "loading",
                    State::Ending => "idle",
                    State::Ready if busy > 0 => "busy",
                    State::Ready => "ready",
                };
                let status = EngineStatus {
                    model: Some(seats.model.name.clone()),
                    state: state.to_owned(),
                    busy,
                    restarts: pair.map_or(0, |pair| pair.restarts),
                    pinned: seats.pinned,
                    problem: running.problem.clone().or_else(|| self.warning(&seats.model, number)),
                    ..base.clone()
                };
                rows.push(Row { status, pid: running.process.pid });
            }
            for ((model, _), pair) in self.pairs.iter().filter(|((_, device), _)| *device == number) {
                let lives = self.world.engines.values().any(|seats| seats.device == number && seats.model == *model);
                let state = match (pair.problem(), pair.waits_until()) {
                    _ if lives => continue,
                    (Some(_), _) => "failed",
                    (None, Some(_)) => "waiting",
                    (None, None) => continue,
                };
                let status = EngineStatus {
                    model: Some(model.name.clone()),
                    state: state.to_owned(),
                    restarts: pair.restarts,
                    pinned: self.settings.is_pinned(&model.name),
                    problem: pair.problem().map(str::to_owned),
                    ..base.clone()
                };
                rows.push(Row { status, pid: None });
            }
            if rows.len() == before && !device.fallback {
                let of_device = self.pairs.iter().filter(|((_, device), _)| *device == number);
                let restarts = of_device.map(|(_, pair)| pair.restarts).sum();
                let state = if device.problem.is_some() { "failed" } else { "idle" };
                let problem = device.problem.clone();
                rows.push(Row {
                    status: EngineStatus { state: state.to_owned(), restarts, problem, ..base },
                    pid: None,
                });
            }
        }
        rows
    }
}
