//! Which window goes to which engine, and which engine starts or has to go. Pure: what is known in, one action out.
//!
//! Callers may rely on: an engine never has more windows than slots; a device's budget is only exceeded by an engine
//! that does not fit into it even alone; an engine that works, or is pinned, is never evicted; a window that was
//! overtaken [`BYPASSES`] times goes before everyone, and room is made for it if need be, so nobody starves.

mod room;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use self::room::{Closed, Room};
use crate::transcribe::models::ModelRef;

/// How often a window may be overtaken by younger ones.
pub(super) const BYPASSES: u32 = 8;

/// Numbers rise with the time of arrival.
pub(super) type WindowId = u64;
/// Never used twice.
pub(super) type EngineId = u64;

/// A device, as far as placing is concerned.
#[derive(Clone, Debug)]
pub(super) struct Device {
    /// Bytes that engines may use together.
    pub(super) budget: u64,
    /// Whether it is the CPU, which comes after every GPU.
    pub(super) cpu: bool,
    /// Whether it is in use as far as is known, for a model that nobody asked for yet.
    pub(super) used: bool,
}

/// A device where a model may run.
#[derive(Clone, Debug)]
pub(super) struct Place {
    /// Its number.
    pub(super) device: usize,
    /// Bytes that the engine will need.
    pub(super) need: u64,
    /// Whether an engine must not be started now, because the last one has just died.
    pub(super) later: bool,
}

/// What an engine is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It reads its model.
    Loading,
    /// It takes windows.
    Ready,
    /// It is told to go, and still has its memory.
    Ending,
}

/// An engine, as far as placing is concerned.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    pub(super) model: ModelRef,
    pub(super) device: usize,
    pub(super) state: State,
    /// The windows in its slots, with their jobs.
    pub(super) busy: HashMap<WindowId, u64>,
    /// Bytes.
    pub(super) size: u64,
    pub(super) pinned: bool,
    /// Whether it had work a moment ago. The job's next window may be on its way, and a change of models takes longer
    /// than the moment.
    pub(super) rests: bool,
    /// When it last had work, on a clock that counts events.
    used_at: u64,
}

/// A window that waits.
#[derive(Clone, Debug)]
pub(super) struct Want {
    pub(super) job: u64,
    pub(super) is_urgent: bool,
    pub(super) model: ModelRef,
    /// The loading engine that it will go to, unless another has a slot before.
    pub(super) reserved: Option<EngineId>,
    bypassed: u32,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// Put the window into a free slot of a ready engine.
    Give { window: WindowId, engine: EngineId },
    /// Promise the window a slot of an engine that loads.
    Reserve { window: WindowId, engine: EngineId },
    /// Start an engine for the window, and promise it a slot. `over`: it needs more than the budget.
    Start { window: WindowId, device: usize, over: bool },
    /// End an idle engine: its memory is needed.
    Evict { engine: EngineId },
}

/// Everything that placing depends on.
#[derive(Clone, Debug, Default)]
pub(super) struct World {
    pub(super) devices: Vec<Device>,
    /// Slots of each engine.
    pub(super) slots: usize,
    pub(super) engines: BTreeMap<EngineId, Seats>,
    pub(super) windows: BTreeMap<WindowId, Want>,
    /// Where each model may run.
    pub(super) places: HashMap<ModelRef, Vec<Place>>,
    next_engine: EngineId,
    clock: u64,
}

impl World {
    /// The next thing to do; none when everything that can be done is done.
    pub(super) fn decide(&self) -> Option<Action> {
        let mut closed = vec![Closed::No; self.devices.len()];
        for window in self.order() {
            let want = &self.windows[&window];
            let seat = |state| self.free_seat(&want.model, state, &closed);
            if let Some(engine) = seat(State::Ready) {
                return Some(Action::Give { window, engine });
            }
            if want.reserved.is_some() {
                continue;
            }
            if let Some(engine) = seat(State::Loading) {
                return Some(Action::Reserve { window, engine });
            }
            let overdue = want.bypassed >= BYPASSES;
            match self.room(&want.model, overdue, &closed) {
                Room::Start { device, over } => return Some(Action::Start { window, device, over }),
                Room::Evict(engine) => return Some(Action::Evict { engine }),
                Room::Soon(device) => closed[device] = closed[device].max(Closed::ToStarts),
                Room::None => {
                    if overdue && let Some(device) = self.to_drain(&want.model) {
                        closed[device] = Closed::ToAll;
                    }
                }
            }
        }
        None
    }

    /// The waiting windows in the order in which they are served: overtaken ones, urgent ones, those of jobs without a
    /// slot, others.
    fn order(&self) -> Vec<WindowId> {
        let mut held: HashMap<u64, usize> = HashMap::new();
        for job in self.engines.values().flat_map(|engine| engine.busy.values()) {
            *held.entry(*job).or_default() += 1;
        }
        for want in self.windows.values().filter(|want| want.reserved.is_some()) {
            *held.entry(want.job).or_default() += 1;
        }
        let mut order: Vec<WindowId> = self.windows.keys().copied().collect();
        order.sort_by_key(|id| {
            let want = &self.windows[id];
            let overdue = want.bypassed >= BYPASSES;
            let turn = (!want.is_urgent, held.contains_key(&want.job));
            (Reverse(overdue), (!overdue).then_some(turn), *id)
        });
        order
    }

    /// The least loaded engine of a model with a free slot, where the model may run.
    fn free_seat(&self, model: &ModelRef, state: State, closed: &[Closed]) -> Option<EngineId> {
        let fits = |seats: &Seats| {
            seats.state == state
                && seats.model == *model
                && self.places_of(model).iter().any(|place| place.device == seats.device)
                && (seats.pinned || closed[seats.device] != Closed::ToAll)
        };
        let free = self.engines.iter().filter(|(_, seats)| fits(seats)).map(|(id, _)| (self.load(*id), *id));
        free.filter(|(load, _)| *load < self.slots).min().map(|(_, id)| id)
    }

    /// How many slots of an engine are taken or promised.
    pub(super) fn load(&self, engine: EngineId) -> usize {
        let busy = self.engines.get(&engine).map_or(0, |seats| seats.busy.len());
        busy + self.promised(engine).count()
    }

    /// The windows that are promised a slot of an engine.
    pub(super) fn promised(&self, engine: EngineId) -> impl Iterator<Item = WindowId> {
        self.windows.iter().filter(move |(_, want)| want.reserved == Some(engine)).map(|(id, _)| *id)
    }

    fn places_of(&self, model: &ModelRef) -> &[Place] {
        self.places.get(model).map_or(&[], Vec::as_slice)
    }

    /// How many windows of a model could start at once, beside those that wait already.
    pub(super) fn free_slots(&self, model: &str) -> usize {
        let has = |seats: &Seats, device: usize| seats.model.name == model && seats.device == device;
        let places = self.places.iter().find(|(known, _)| known.name == model).map(|(_, places)| places.as_slice());
        let per_device = |device: usize| match self.engines.iter().find(|(_, seats)| has(seats, device)) {
            Some((_, seats)) if seats.state == State::Ending => 0,
            Some((id, _)) => self.slots.saturating_sub(self.load(*id)),
            None => {
                // A model that nobody asked for yet is taken to be as large as those that are there.
                let alike =
                    || self.engines.values().filter(|seats| seats.device == device).map(|seats| seats.size).max();
                let known = places.into_iter().flatten().find(|place| place.device == device).map(|place| place.need);
                let need = known.or_else(alike).unwrap_or(0);
                let fits = self.lasting(device, true).saturating_add(need) <= self.devices[device].budget;
                if fits { self.slots } else { 0 }
            }
        };
        let free: usize = match places {
            Some(places) => places.iter().filter(|place| !place.later).map(|place| per_device(place.device)).sum(),
            None => (0..self.devices.len()).filter(|device| self.devices[*device].used).map(per_device).sum(),
        };
        free.saturating_sub(self.windows.values().filter(|want| want.reserved.is_none()).count())
    }

    /// A new window.
    pub(super) fn submit(&mut self, window: WindowId, job: u64, is_urgent: bool, model: ModelRef) {
        self.windows.insert(window, Want { job, is_urgent, model, reserved: None, bypassed: 0 });
    }

    /// A window goes into a slot.
    pub(super) fn give(&mut self, window: WindowId, engine: EngineId) {
        let Some(want) = self.windows.remove(&window) else { return };
        for (_, older) in self.windows.range_mut(..window).filter(|(_, want)| want.reserved.is_none()) {
            older.bypassed += 1;
        }
        if let Some(seats) = self.engines.get_mut(&engine) {
            seats.busy.insert(window, want.job);
        }
    }

    /// A window is promised a slot.
    pub(super) fn reserve(&mut self, window: WindowId, engine: EngineId) {
        if let Some(want) = self.windows.get_mut(&window) {
            want.reserved = Some(engine);
        }
    }

    /// An engine for the window starts.
    pub(super) fn start(&mut self, window: WindowId, device: usize, pinned: bool) -> EngineId {
        let id = self.next_engine;
        self.next_engine += 1;
        if let Some(model) = self.windows.get(&window).map(|want| want.model.clone()) {
            let size = self.places_of(&model).iter().find(|place| place.device == device).map_or(0, |p| p.need);
            let (state, busy, used_at) = (State::Loading, HashMap::new(), self.tick());
            self.engines.insert(id, Seats { model, device, state, busy, size, pinned, rests: false, used_at });
        }
        self.reserve(window, id);
        id
    }

    /// An engine has loaded its model. The windows that were promised a slot are to be given to it.
    pub(super) fn ready(&mut self, engine: EngineId) -> Vec<WindowId> {
        if let Some(seats) = self.engines.get_mut(&engine) {
            seats.state = State::Ready;
        }
        self.promised(engine).collect()
    }

    /// A window's slot is free again.
    pub(super) fn finish(&mut self, window: WindowId, engine: EngineId) {
        let now = self.tick();
        if let Some(seats) = self.engines.get_mut(&engine) {
            seats.busy.remove(&window);
            seats.rests = true;
            seats.used_at = now;
        }
    }

    /// An engine is told to go, or is about to: its windows wait again or are lost.
    pub(super) fn ending(&mut self, engine: EngineId) {
        for want in self.windows.values_mut().filter(|want| want.reserved == Some(engine)) {
            want.reserved = None;
        }
        if let Some(seats) = self.engines.get_mut(&engine) {
            seats.state = State::Ending;
            seats.busy.clear();
        }
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}
