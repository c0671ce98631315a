//! The runner: claims steps lane by lane, does their work, and stops in an orderly way.
//!
//! Callers may rely on this: no lane holds more steps than it has places, but a transcription whose last window is at work
//! gives its own to the next, so that the next one's window is there when the slot is free; a step's work is stopped within a second of
//! its task being cancelled, within a heartbeat when another node was told so, and as soon as its claim is found to be
//! lost; what others can see is not done while nobody knows whether the claim still holds; code that panics ends one
//! step's try, and no lane, lease or deadline with it; after a drain every unfinished step is back in the queue and has
//! lost no try.

mod alive;
mod bells;
mod ends;
mod execute;
mod folders;
mod places;
mod reuse;
mod running;

use std::{
    pin::pin,
    sync::{Arc, atomic::AtomicUsize},
    time::Duration,
};

use rand::RngExt;
use tokio::{
    sync::{
        Notify, OwnedSemaphorePermit, RwLock,
        broadcast::{Receiver, error::RecvError},
    },
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::{alive::Card, ends::Ends, folders::Folders, places::Places, running::Running};
use crate::{
    config::Config,
    domain::{Lane, StepKind},
    error::{Error, Result, guarded},
    queue::{Stop, Work},
    steps::Services,
};

/// How many times more decoded clips may wait for a model than wait for a slot.
const WAITING_FACTOR: u64 = 8;

/// How long claims that are under way may take when the node stops.
const LAST_CLAIMS: Duration = Duration::from_secs(2);

/// How often deadlines are looked at.
const LATE: Duration = Duration::from_secs(1);

/// What of a lane should not start now.
struct Full {
    kinds: Vec<StepKind>,
    /// Whether steps of the highest priority start all the same.
    spare_urgent: bool,
}

/// Runs steps until it is told to stop. Cheap to clone.
#[derive(Clone)]
pub struct Runner {
    services: Services,
    running: Arc<Running>,
    ends: Arc<Ends>,
    tracker: TaskTracker,
    /// The lanes that steps are taken of, each with how many of its steps run at the same time.
    lanes: Arc<[(Lane, usize)]>,
    /// Room for transcriptions on other nodes.
    slots_elsewhere: Arc<AtomicUsize>,
    /// A heartbeat is wanted at once.
    hurry: Arc<Notify>,
    card: Arc<Card>,
    folders: Arc<Folders>,
    /// The place for urgent transcriptions.
    express: Arc<Places>,
    /// Held by every transcription to its end, and by one that has to be alone against all others.
    company: Arc<RwLock<()>>,
}

impl Runner {
    /// A runner over the services. `keys_sha256` tells whether other nodes have the same keys.
    pub fn new(services: Services, config: &Config, keys_sha256: String) -> Self {
        let width = |lane| match lane {
            Lane::Net => config.queue.net,
            Lane::Cpu => config.cpu_lane(),
            Lane::Gpu => services.pool.slots(),
            Lane::Deliver => config.queue.deliver,
            Lane::Flow => config.queue.flow,
            Lane::Llm => config.queue.llm,
        };
        let lanes = config.lanes().into_iter().map(|lane| (lane, width(lane))).collect();
        let card = Card { name: config.node_name(), role: config.server.role, keys_sha256 };
        Self {
            services,
            running: Arc::default(),
            ends: Arc::default(),
            tracker: TaskTracker::new(),
            lanes,
            slots_elsewhere: Arc::default(),
            hurry: Arc::default(),
            card: Arc::new(card),
            folders: Arc::default(),
            express: Arc::new(Places::new(1)),
            company: Arc::default(),
        }
    }

    /// Runs until `shutdown`; then stops claiming, lets running steps go on for `queue.drain` at most, and gives the rest
    /// back. `now` cuts the drain short.
    pub async fn run(&self, shutdown: CancellationToken, now: CancellationToken) {
        let upkeep = CancellationToken::new();
        // Heard from before anything runs, so that no stop is missed.
        let stops = self.services.queue.wake().stops();
        tokio::spawn(self.clone().listen(stops, upkeep.clone()));
        let mut loops = JoinSet::new();
        for (lane, width) in self.lanes.iter().copied() {
            let (runner, shutdown) = (self.clone(), shutdown.clone());
            loops.spawn(async move { runner.lane(lane, width, shutdown).await });
        }
        if self.takes(Lane::Gpu) {
            let (runner, stop) = (self.clone(), shutdown.clone());
            loops.spawn(async move { runner.express(stop).await });
        }
        let beats = tokio::spawn(self.clone().keep_alive(shutdown.clone(), upkeep.clone()));
        tokio::spawn(self.clone().keep_in_touch(upkeep.clone()));
        tokio::spawn(self.clone().look_for_orphans(upkeep.clone()));
        tokio::spawn(self.clone().watch_deadlines(upkeep.clone()));
        tokio::select! {
            _ = loops.join_all() => {}
            // A claim may wait for a database that is silent. What it has claimed all the same is found when its lease ends.
            () = async { shutdown.cancelled().await; sleep(LAST_CLAIMS).await } => {}
        }
        shutdown.cancelled().await;
        self.tracker.close();
        let drain = self.services.queue.config().drain.0;
        tokio::select! {
            _ = timeout(drain, self.tracker.wait()) => {}
            () = now.cancelled() => {}
        }
        // What still runs is stopped and goes back to the queue. It was told to stop, so it does so soon; a step that does
        // not is found by the next start.
        self.running.give_back();
        if timeout(Duration::from_secs(8), self.tracker.wait()).await.is_err() {
            tracing::warn!(steps = self.running.claims().len(), "steps did not stop in time; they start again later");
        }
        upkeep.cancel();
        // It ends with the node's row being removed; that of one whose database is away is forgotten after a day.
        let _ = beats.await;
    }

    fn takes(&self, lane: Lane) -> bool {
        self.lanes.iter().any(|(taken, _)| *taken == lane)
    }

    async fn lane(&self, lane: Lane, width: usize, shutdown: CancellationToken) {
        let queue = &self.services.queue;
        let config = queue.config();
        let places = Arc::new(Places::new(width));
        while !shutdown.is_cancelled() {
            let permit = tokio::select! {
                permit = places.one() => permit,
                () = shutdown.cancelled() => return,
            };
            let Ok(permit) = permit else { return };
            // Looked at first, so that nothing is written while there is nothing to do.
            let rest = self.rest(lane, false).await;
            let claimed =
                if rest.is_some() { Ok(Vec::new()) } else { guarded(self.claim(lane, 1 + places.free())).await };
            match claimed {
                Ok(work) if work.is_empty() => {
                    drop(permit);
                    tokio::select! {
                        () = queue.wake().lane_woken(lane) => {}
                        () = sleep(rest.unwrap_or(config.poll.0)) => {}
                        () = shutdown.cancelled() => return,
                    }
                }
                Ok(work) => self.start(lane, work, permit, &places, &shutdown).await,
                Err(error) => {
                    drop(permit);
                    shutdown.run_until_cancelled(self.rest_after("steps cannot be claimed", &error)).await;
                }
            }
        }
    }

    /// One place more for transcriptions of the highest priority. Windows of a task without a slot go before those of a
    /// task that has one, so an urgent clip waits for a window of a long recording, not for its end.
    async fn express(&self, shutdown: CancellationToken) {
        let queue = &self.services.queue;
        while !shutdown.is_cancelled() {
            let permit = tokio::select! {
                permit = self.express.one() => permit,
                () = shutdown.cancelled() => return,
            };
            let Ok(permit) = permit else { return };
            let rest = self.rest(Lane::Gpu, true).await;
            let claimed = if rest.is_some() { Ok(Vec::new()) } else { guarded(queue.claim_urgent(Lane::Gpu)).await };
            let claimed = match claimed {
                Ok(claimed) => claimed,
                Err(error) => {
                    drop(permit);
                    shutdown.run_until_cancelled(self.rest_after("urgent steps cannot be claimed", &error)).await;
                    continue;
                }
            };
            match claimed.into_iter().next() {
                Some(work) => {
                    let cancel = self.running.add(&work.fence, work.row.step.lane);
                    self.spawn(work, cancel, Some(permit), true);
                }
                None => tokio::select! {
                    () = queue.wake().urgent_woken() => {}
                    () = sleep(rest.unwrap_or(queue.config().poll.0)) => {}
                    () = shutdown.cancelled() => return,
                },
            }
        }
    }

    /// Starts what was claimed. A transcription that another death of its engine would end runs while nothing else does
    /// in its lane: if it is to blame, it takes nobody with it who would then be given up for the same crashes.
    async fn start(
        &self,
        lane: Lane,
        work: Vec<Work>,
        permit: OwnedSemaphorePermit,
        places: &Places,
        shutdown: &CancellationToken,
    ) {
        let last_chance = self.services.queue.config().max_crashes - 1;
        let is_suspect = |(work, _): &(Work, _)| lane == Lane::Gpu && work.row.step.crashes >= last_chance.max(1);
        let work = work.into_iter().map(|work| {
            let cancel = self.running.add(&work.fence, lane);
            (work, cancel)
        });
        let (suspects, others): (Vec<_>, Vec<_>) = work.partition(is_suspect);
        let mut first = Some(permit);
        for (work, cancel) in others {
            // Only this loop takes places of the lane, so those that were free are free still.
            let permit = first.take().or_else(|| places.try_one());
            self.spawn(work, cancel, permit, true);
        }
        drop(first);
        for (work, cancel) in suspects {
            let alone = async {
                let places = (places.all().await.ok()?, self.express.one().await.ok()?);
                // Some may have left their places and be at work still.
                Some((places, Arc::clone(&self.company).write_owned().await))
            };
            let permit = tokio::select! {
                permit = alone => permit,
                // It ends at once, without a place.
                () = cancel.cancelled() => None,
                () = shutdown.cancelled() => {
                    cancel.cancel();
                    None
                }
            };
            self.spawn(work, cancel, permit, false);
        }
    }

    /// `permit` is held until the work is done, or, if the step `may_leave` early, until it needs its place no longer.
    fn spawn(&self, work: Work, cancel: CancellationToken, permit: impl Send + 'static, may_leave: bool) {
        let runner = self.clone();
        self.tracker.spawn(async move {
            let is_company = may_leave && work.row.step.kind == StepKind::Transcribe;
            let _company = if is_company { Some(runner.company.read().await) } else { None };
            let leave = Notify::new();
            let work = Arc::new(work);
            let mut execution = pin!(runner.execute(&work, cancel, &leave));
            tokio::select! {
                () = &mut execution => return,
                () = leave.notified(), if may_leave => drop(permit),
            }
            execution.await;
        });
    }

    async fn claim(&self, lane: Lane, limit: usize) -> Result<Vec<Work>> {
        let Full { kinds, spare_urgent } = self.full(lane).await?;
        self.services.queue.claim(lane, limit, &kinds, spare_urgent).await
    }

    /// What should not start now because enough of what it makes waits already. What is urgent does not wait behind what
    /// is not, until there is so much of it that it would fill the disk.
    async fn full(&self, lane: Lane) -> Result<Full> {
        let store = self.services.queue.store();
        let ahead = (self.services.queue.config().prefetch * self.all_slots()) as u64;
        // What waits for a model holds nobody up until it is a lot: its samples fill the disk meanwhile.
        let is_crammed = async || Ok::<_, Error>(store.put_off(Lane::Gpu).await? >= ahead * WAITING_FACTOR);
        let full = |kind, waiting: u64, enough: u64| Full {
            kinds: if waiting >= enough { vec![kind] } else { Vec::new() },
            spare_urgent: waiting < enough * WAITING_FACTOR,
        };
        Ok(match lane {
            Lane::Cpu if is_crammed().await? => Full { kinds: vec![StepKind::Extract], spare_urgent: false },
            Lane::Cpu => full(StepKind::Extract, store.backlog(Lane::Gpu).await?, ahead),
            Lane::Net => {
                let waiting = store.backlog(Lane::Cpu).await? + store.backlog(Lane::Gpu).await?;
                full(StepKind::Download, waiting, ahead * 2)
            }
            Lane::Gpu | Lane::Deliver | Lane::Flow | Lane::Llm => Full { kinds: Vec::new(), spare_urgent: true },
        })
    }

    /// How long nothing in the lane can start unless something is added, the poll interval at most; none when something
    /// can now, or nobody knows. Nothing starts while this node has not been heard of.
    async fn rest(&self, lane: Lane, urgent: bool) -> Option<Duration> {
        // Nodes that begin at the same time do not look at the same time for ever.
        let poll = self.services.queue.config().poll.0.mul_f64(rand::rng().random_range(0.75..1.25));
        // What is claimed now might have to be let go at once.
        if !self.services.queue.pulse().is_sure() {
            return Some(poll);
        }
        let next = self.services.queue.store().next_eligible(lane, urgent).await.ok()?;
        let Some(wait) = next else { return Some(poll) };
        let wait = u64::try_from(wait).ok().filter(|ms| *ms > 0)?;
        Some(Duration::from_millis(wait.max(5)).min(poll))
    }

    /// Looks for what is late.
    async fn watch_deadlines(self, stop: CancellationToken) {
        while stop.run_until_cancelled(sleep(LATE)).await.is_some() {
            if let Err(error) = guarded(self.services.queue.fail_overdue()).await {
                stop.run_until_cancelled(self.rest_after("deadlines cannot be looked at", &error)).await;
            }
        }
    }

    /// Stops steps as soon as somebody in this process ends their task. A task of which nothing runs has nobody else who
    /// removes its working folder.
    async fn listen(self, mut stops: Receiver<Stop>, stop: CancellationToken) {
        loop {
            tokio::select! {
                stopped = stops.recv() => match stopped {
                    Ok(Stop { task, steps }) if steps.is_empty() => {
                        let runner = self.clone();
                        self.tracker.spawn(async move { runner.tidy(task).await });
                    }
                    Ok(Stop { steps, .. }) => self.running.cancel(&steps),
                    // The heartbeat finds the steps that were missed, the sweep the folders.
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                },
                () = stop.cancelled() => return,
            }
        }
    }
}
