//! Where another engine fits, and who would have to go for it.

use std::cmp::Reverse;

use super::{EngineId, Place, Seats, State, World};
use crate::transcribe::models::ModelRef;

/// Whom a device is closed to, for the sake of a window that goes before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Closed {
    No,
    /// Memory is about to become free for somebody.
    ToStarts,
    /// It is being drained.
    ToAll,
}

/// Whether there is room for an engine.
pub(super) enum Room {
    /// Here; `over` the budget, because nothing else helps.
    Start {
        device: usize,
        over: bool,
    },
    /// When this one is gone.
    Evict(EngineId),
    /// On this device, when those that are ending have ended.
    Soon(usize),
    None,
}

impl World {
    /// Where an engine for a model can be started. `urgent`: engines that have just become idle are not spared.
    pub(super) fn room(&self, model: &ModelRef, urgent: bool, closed: &[Closed]) -> Room {
        let places = self.startable(model);
        let open = || places.iter().filter(|place| closed[place.device] == Closed::No);
        let budget = |place: &Place| self.devices[place.device].budget;
        if let Some(place) = open().find(|place| self.used(place.device).saturating_add(place.need) <= budget(place)) {
            return Room::Start { device: place.device, over: false };
        }
        if self.is_served(model) {
            return Room::None; // One engine more is not worth another model's.
        }
        if let Some(place) = self.over(model) {
            let device = place.device;
            if closed[device] != Closed::No {
                return Room::None;
            }
            return match self.on(device).find(|(_, seats)| !seats.pinned || seats.state == State::Ending) {
                None => Room::Start { device, over: true },
                Some(_) if self.lasting(device, urgent) > self.pinned(device) => Room::None,
                Some(_) => self.oldest_idle(device, urgent).map_or(Room::Soon(device), Room::Evict),
            };
        }
        let after = |place: &Place, kept: u64| kept.saturating_add(place.need) <= budget(place);
        if let Some(place) = open().find(|place| after(place, self.used(place.device) - self.leaving(place.device))) {
            return Room::Soon(place.device);
        }
        let evict = open().find(|place| after(place, self.lasting(place.device, urgent)));
        evict.and_then(|place| self.oldest_idle(place.device, urgent)).map_or(Room::None, Room::Evict)
    }

    /// The device which has to take no new windows until there is room for the model; none when the model has an engine
    /// already, whose next free slot will do.
    pub(super) fn to_drain(&self, model: &ModelRef) -> Option<usize> {
        if self.is_served(model) {
            return None;
        }
        let over = self.over(model).map(|place| place.device);
        let helps = |place: &&Place| {
            self.pinned(place.device).saturating_add(place.need) <= self.devices[place.device].budget
                || over == Some(place.device)
        };
        let places = self.startable(model);
        places.iter().filter(helps).map(|place| place.device).min_by_key(|device| (self.windows_on(*device), *device))
    }

    /// Where an engine may be started as far as the device's memory allows: GPUs first, then by work and by free memory.
    fn startable(&self, model: &ModelRef) -> Vec<Place> {
        let taken = |device: usize| self.on(device).any(|(_, seats)| seats.model == *model);
        let mut places: Vec<Place> =
            self.places_of(model).iter().filter(|place| !place.later && !taken(place.device)).cloned().collect();
        places.sort_by_key(|place| {
            let device = &self.devices[place.device];
            let free = device.budget.saturating_sub(self.used(place.device));
            (device.cpu, self.windows_on(place.device), Reverse(free), place.device)
        });
        places
    }

    /// Where an engine is tried that fits nowhere, not even alone.
    fn over(&self, model: &ModelRef) -> Option<Place> {
        let places = self.places_of(model);
        let spare = |place: &Place| self.devices[place.device].budget.saturating_sub(self.pinned(place.device));
        if places.iter().any(|place| place.need <= spare(place)) {
            return None;
        }
        self.startable(model).into_iter().max_by_key(|place| (spare(place), Reverse(place.device)))
    }

    /// Whether a model has an engine that takes its windows, now or soon.
    fn is_served(&self, model: &ModelRef) -> bool {
        let allowed = |device: usize| self.places_of(model).iter().any(|place| place.device == device);
        self.engines.values().any(|e| e.state != State::Ending && e.model == *model && allowed(e.device))
    }

    fn on(&self, device: usize) -> impl Iterator<Item = (EngineId, &Seats)> {
        self.engines.iter().filter(move |(_, seats)| seats.device == device).map(|(id, seats)| (*id, seats))
    }

    fn may_go(&self, id: EngineId, seats: &Seats, urgent: bool) -> bool {
        let spared = seats.pinned || seats.rests && !urgent;
        seats.state != State::Ending && !spared && self.load(id) == 0
    }

    fn oldest_idle(&self, device: usize, urgent: bool) -> Option<EngineId> {
        let idle = self.on(device).filter(|(id, seats)| self.may_go(*id, seats, urgent));
        idle.min_by_key(|(_, seats)| seats.used_at).map(|(id, _)| id)
    }

    fn windows_on(&self, device: usize) -> usize {
        self.on(device).map(|(id, _)| self.load(id)).sum()
    }

    /// Bytes of the engines on a device.
    pub(in super::super) fn used(&self, device: usize) -> u64 {
        sum(self.on(device).map(|(_, seats)| seats.size))
    }

    /// Bytes of those that are ending.
    fn leaving(&self, device: usize) -> u64 {
        sum(self.on(device).filter(|(_, seats)| seats.state == State::Ending).map(|(_, seats)| seats.size))
    }

    /// Bytes of those that cannot be asked to go now.
    pub(super) fn lasting(&self, device: usize, urgent: bool) -> u64 {
        let stays = |(id, seats): &(EngineId, &Seats)| seats.state != State::Ending && !self.may_go(*id, seats, urgent);
        sum(self.on(device).filter(stays).map(|(_, seats)| seats.size))
    }

    /// Bytes of those that can never be asked to go.
    fn pinned(&self, device: usize) -> u64 {
        let stays = |seats: &Seats| seats.pinned && seats.state != State::Ending;
        sum(self.on(device).filter(|(_, seats)| stays(seats)).map(|(_, seats)| seats.size))
    }
}

fn sum(sizes: impl Iterator<Item = u64>) -> u64 {
    sizes.fold(0, u64::saturating_add)
}
