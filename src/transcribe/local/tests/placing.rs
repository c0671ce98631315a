//! Placing as a state machine: random arrivals, ends, crashes and sizes.

use proptest::prelude::*;

use super::super::placement::*;
use crate::transcribe::models::ModelRef;

fn name(number: usize) -> ModelRef {
    ModelRef::new(format!("m{number}"), std::path::PathBuf::new())
}

/// What happens next; the number chooses one of those to which it can happen.
#[derive(Clone, Copy, Debug)]
enum Happens {
    Arrives { model: usize, job: u64 },
    Withdrawn(usize),
    Finished(usize),
    Ready(usize),
    Gone(usize),
    Crashed(usize),
    Rested,
    Later { model: usize, later: bool },
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        5 => (0..4usize, 0..5u64).prop_map(|(model, job)| Happens::Arrives { model, job }),
        1 => any::<usize>().prop_map(Happens::Withdrawn),
        4 => any::<usize>().prop_map(Happens::Finished),
        3 => any::<usize>().prop_map(Happens::Ready),
        2 => any::<usize>().prop_map(Happens::Gone),
        1 => any::<usize>().prop_map(Happens::Crashed),
        1 => Just(Happens::Rested),
        1 => (0..4usize, any::<bool>()).prop_map(|(model, later)| Happens::Later { model, later }),
    ]
}

struct Scene {
    world: World,
    next: WindowId,
    pinned: usize,
    placed: Vec<WindowId>,
}

impl Scene {
    fn new(budgets: &[u64], needs: &[u64], slots: usize, pinned: usize) -> Self {
        let devices: Vec<Device> =
            budgets.iter().map(|budget| Device { budget: *budget, cpu: false, used: true }).collect();
        let place = |need: u64| move |device| Place { device, need, later: false };
        let places = needs.iter().enumerate();
        let places = places.map(|(n, need)| (name(n), (0..budgets.len()).map(place(*need)).collect())).collect();
        let mut world = World::default();
        (world.devices, world.slots, world.places) = (devices, slots, places);
        Self { world, next: 0, pinned, placed: Vec::new() }
    }

    fn arrives(&mut self, model: usize, job: u64) -> WindowId {
        self.arrives_as(false, model, job)
    }

    fn arrives_as(&mut self, is_urgent: bool, model: usize, job: u64) -> WindowId {
        self.next += 1;
        self.world.submit(self.next, job, is_urgent, name(model));
        self.next
    }

    /// Carries out what is decided, and checks each action.
    fn settle(&mut self) {
        for _ in 0..1_000 {
            let Some(action) = self.world.decide() else { return self.check() };
            match action {
                Action::Give { window, engine } => {
                    let seats = &self.world.engines[&engine];
                    assert_eq!((seats.state, &seats.model), (State::Ready, &self.world.windows[&window].model));
                    assert!(self.world.load(engine) < self.world.slots, "too many windows");
                    self.world.give(window, engine);
                    self.placed.push(window);
                }
                Action::Reserve { window, engine } => {
                    assert_eq!(self.world.engines[&engine].state, State::Loading);
                    self.world.reserve(window, engine);
                }
                Action::Start { window, device, over } => {
                    let model = self.world.windows[&window].model.clone();
                    let place = self.world.places[&model].iter().find(|place| place.device == device).unwrap().clone();
                    assert!(!place.later);
                    let others = || self.world.engines.values().filter(|seats| seats.device == device);
                    assert!(others().all(|seats| seats.model != model), "two engines for a pair");
                    let fits = self.world.used(device) + place.need <= self.world.devices[device].budget;
                    assert_eq!(fits, !over);
                    assert!(!over || others().all(|seats| seats.pinned), "over the budget, and not alone");
                    let pinned = model == name(self.pinned);
                    self.world.start(window, device, pinned);
                }
                Action::Evict { engine } => {
                    let seats = &self.world.engines[&engine];
                    assert!(!seats.pinned && seats.state != State::Ending && self.world.load(engine) == 0);
                    self.world.ending(engine);
                }
            }
        }
        panic!("it does not settle");
    }

    fn check(&self) {
        for (id, seats) in &self.world.engines {
            assert!(self.world.load(*id) <= self.world.slots);
            assert!(seats.state != State::Ending || self.world.load(*id) == 0);
        }
        for want in self.world.windows.values() {
            let promised = want.reserved.map(|engine| self.world.engines[&engine].state);
            assert!(matches!(promised, None | Some(State::Loading)));
        }
    }

    fn engines(&self, state: State) -> Vec<EngineId> {
        let engines = self.world.engines.iter().filter(|(_, seats)| seats.state == state);
        engines.map(|(id, _)| *id).collect()
    }

    fn busy(&self) -> Vec<(WindowId, EngineId)> {
        let engines = self.world.engines.iter();
        let mut all: Vec<_> = engines.flat_map(|(id, seats)| seats.busy.keys().map(|window| (*window, *id))).collect();
        all.sort_unstable();
        all
    }

    fn becomes_ready(&mut self, engine: EngineId) {
        for window in self.world.ready(engine) {
            self.world.give(window, engine);
            self.placed.push(window);
        }
    }

    fn rested(&mut self) {
        self.world.engines.values_mut().for_each(|seats| seats.rests = false);
    }

    fn play(&mut self, happens: Happens) {
        let one_of = |all: Vec<EngineId>, n: usize| (!all.is_empty()).then(|| all[n % all.len()]);
        match happens {
            Happens::Arrives { model, job } => {
                self.arrives(model % self.world.places.len(), job);
            }
            Happens::Withdrawn(n) => {
                if let Some(id) = one_of(self.world.windows.keys().copied().collect(), n) {
                    self.world.windows.remove(&id);
                }
            }
            Happens::Finished(n) => {
                let busy = self.busy();
                if let Some((window, engine)) = (!busy.is_empty()).then(|| busy[n % busy.len()]) {
                    self.world.finish(window, engine);
                }
            }
            Happens::Ready(n) => {
                if let Some(engine) = one_of(self.engines(State::Loading), n) {
                    self.becomes_ready(engine);
                }
            }
            Happens::Gone(n) => {
                if let Some(engine) = one_of(self.engines(State::Ending), n) {
                    self.world.engines.remove(&engine);
                }
            }
            Happens::Crashed(n) => {
                if let Some(engine) = one_of(self.world.engines.keys().copied().collect(), n) {
                    self.world.ending(engine);
                    self.world.engines.remove(&engine);
                }
            }
            Happens::Rested => self.rested(),
            Happens::Later { model, later } => {
                let model = name(model % self.world.places.len());
                self.world.places.get_mut(&model).unwrap()[0].later = later;
            }
        }
        self.settle();
    }

    /// Lets everything come to its end; each window must get its turn.
    fn finish(&mut self) {
        self.world.places.values_mut().flatten().for_each(|place| place.later = false);
        self.settle();
        let mut rounds = 0;
        while !self.world.windows.is_empty() || !self.busy().is_empty() {
            for (window, engine) in self.busy() {
                self.world.finish(window, engine);
            }
            self.engines(State::Loading).into_iter().for_each(|engine| self.becomes_ready(engine));
            for engine in self.engines(State::Ending) {
                self.world.engines.remove(&engine);
            }
            self.rested();
            self.settle();
            rounds += 1;
            assert!(rounds < 1_000, "somebody waits for ever: {:?}", self.world);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn whatever_happens_nobody_waits_for_ever(
        budgets in prop::collection::vec(1..14u64, 1..4),
        needs in prop::collection::vec(1..10u64, 1..5),
        slots in 1..4usize,
        pinned in 0..8usize,
        story in prop::collection::vec(happens(), 1..120),
    ) {
        let mut scene = Scene::new(&budgets, &needs, slots, pinned);
        for happens in story {
            scene.play(happens);
        }
        scene.finish();
    }

    /// Others keep coming, so many that somebody of them always waits; the one window of another model is served.
    #[test]
    fn a_steady_stream_does_not_keep_others_out(
        budget in 1..6u64,
        need in 1..6u64,
        devices in 1..3usize,
        slots in 1..4usize,
        order in prop::collection::vec(any::<usize>(), 1..20),
    ) {
        let mut scene = Scene::new(&vec![budget; devices], &[4, need], slots, 9);
        let many = slots * devices + 2;
        for job in 0..many {
            scene.arrives(0, job as u64);
        }
        scene.settle();
        let other = scene.arrives(1, 99);
        let mut finished = 0;
        while !scene.placed.contains(&other) {
            scene.arrives(0, 100 + finished as u64);
            scene.settle();
            scene.engines(State::Loading).into_iter().for_each(|engine| scene.becomes_ready(engine));
            for engine in scene.engines(State::Ending) {
                scene.world.engines.remove(&engine);
            }
            scene.settle();
            // Every window ends some time: the oldest has its turn, too.
            scene.play(Happens::Finished(if finished % 2 == 0 { 0 } else { order[finished % order.len()] }));
            finished += 1;
            prop_assert!(finished <= 2 * (BYPASSES as usize + many * devices + 10), "{:?}", scene.world);
        }
    }
}

#[test]
fn jobs_without_a_slot_go_first_but_not_for_ever() {
    let mut scene = Scene::new(&[10], &[1], 2, 9);
    let first = scene.arrives(0, 1);
    scene.settle();
    scene.play(Happens::Ready(0));
    let second = scene.arrives(0, 2);
    scene.settle();
    assert_eq!(scene.placed, [first, second]);
    // Both slots are taken. The first job has one, so its next window lets others go first, up to a point.
    let patient = scene.arrives(0, 1);
    let mut overtaken = 0;
    for job in 10.. {
        scene.arrives(0, job);
        let newest = *scene.busy().last().unwrap();
        scene.world.finish(newest.0, newest.1);
        scene.settle();
        if scene.placed.contains(&patient) {
            break;
        }
        overtaken += 1;
    }
    assert_eq!(overtaken, BYPASSES);
}

#[test]
fn urgent_windows_go_first_but_not_for_ever() {
    let mut scene = Scene::new(&[10], &[1], 1, 9);
    scene.arrives(0, 1);
    scene.settle();
    scene.play(Happens::Ready(0));
    // The next job waits already when urgent ones come.
    let patient = scene.arrives(0, 2);
    let mut overtaken = 0;
    for job in 10.. {
        let urgent = scene.arrives_as(true, 0, job);
        scene.play(Happens::Finished(0));
        if scene.placed.contains(&patient) {
            break;
        }
        assert_eq!(scene.placed.last(), Some(&urgent));
        overtaken += 1;
    }
    assert_eq!(overtaken, BYPASSES);
}

#[test]
fn an_engine_that_has_just_finished_is_spared_for_a_moment() {
    let mut scene = Scene::new(&[4], &[3, 3], 1, 9);
    scene.arrives(0, 1);
    scene.settle();
    scene.play(Happens::Ready(0));
    scene.arrives(1, 2);
    scene.play(Happens::Finished(0));
    assert!(scene.engines(State::Ending).is_empty());
    scene.play(Happens::Rested);
    assert_eq!(scene.engines(State::Ending).len(), 1);
}
