//! The runner: claims steps lane by lane, does their work, and stops in an orderly way.
//!
//! Callers may rely on this: no lane holds more steps than it has places; a step's work is stopped within a second of
//! its task being cancelled, and as soon as its claim is found to be lost; after a drain every unfinished step is back in
//! the queue and has lost no try.

mod execute;
mod running;

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::JoinSet,
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::running::Running;
use crate::{
    config::Config,
    domain::{Lane, StepKind},
    error::Result,
    queue::{Suspects, Work},
    steps::Services,
};

/// Runs steps until it is told to stop. Cheap to clone.
#[derive(Clone)]
pub struct Runner {
    services: Services,
    running: Arc<Running>,
    tracker: TaskTracker,
    slots: usize,
    cpu: usize,
}

impl Runner {
    /// A runner over the services.
    pub fn new(services: Services, config: &Config) -> Self {
        let slots = services.pool.slots();
        let running = Arc::new(Running::default());
        Self { services, running, tracker: TaskTracker::new(), slots, cpu: config.cpu_lane() }
    }

    /// Runs until `shutdown`; then stops claiming, lets running steps go on for `queue.drain` at most, and gives the rest
    /// back. `now` cuts the drain short.
    pub async fn run(&self, shutdown: CancellationToken, now: CancellationToken) {
        let mut loops = JoinSet::new();
        for lane in [Lane::Net, Lane::Cpu, Lane::Gpu, Lane::Deliver] {
            let (runner, shutdown) = (self.clone(), shutdown.clone());
            loops.spawn(async move { runner.lane(lane, shutdown).await });
        }
        let upkeep = CancellationToken::new();
        tokio::spawn(self.clone().keep_alive(upkeep.clone()));
        tokio::spawn(self.clone().listen(upkeep.clone()));
        loops.join_all().await;
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
            tracing::warn!(steps = self.running.ids().len(), "steps did not stop in time; they start again later");
        }
        upkeep.cancel();
    }

    async fn lane(&self, lane: Lane, shutdown: CancellationToken) {
        let queue = &self.services.queue;
        let config = queue.config();
        let places = match lane {
            Lane::Net => config.net,
            Lane::Cpu => self.cpu,
            Lane::Gpu => self.slots,
            Lane::Deliver => config.deliver,
        };
        let places = Arc::new(Semaphore::new(places.max(1)));
        while !shutdown.is_cancelled() {
            let permit = tokio::select! {
                permit = Arc::clone(&places).acquire_owned() => permit,
                () = shutdown.cancelled() => return,
            };
            let Ok(permit) = permit else { return };
            match self.claim(lane, 1 + places.available_permits()).await {
                Ok(work) if work.is_empty() => {
                    drop(permit);
                    tokio::select! {
                        () = self.idle(lane) => {}
                        () = shutdown.cancelled() => return,
                    }
                }
                Ok(work) => self.start(work, permit, &places),
                Err(error) => {
                    tracing::error!(%lane, error = %error.chain(), "steps cannot be claimed");
                    drop(permit);
                    sleep(config.poll.0).await;
                }
            }
        }
    }

    fn start(&self, work: Vec<Work>, permit: OwnedSemaphorePermit, places: &Arc<Semaphore>) {
        let mut first = Some(permit);
        for work in work {
            // Only this loop takes places of the lane, so those that were free are free still.
            let permit = first.take().or_else(|| Arc::clone(places).try_acquire_owned().ok());
            let runner = self.clone();
            let cancel = self.running.add(&work.fence.id);
            self.tracker.spawn(async move {
                runner.execute(&work, cancel).await;
                drop(permit);
            });
        }
    }

    async fn claim(&self, lane: Lane, limit: usize) -> Result<Vec<Work>> {
        let skip = self.full(lane).await?;
        self.services.queue.claim(lane, limit, &skip).await
    }

    /// Kinds that should not start now because enough of what they make waits already.
    async fn full(&self, lane: Lane) -> Result<Vec<StepKind>> {
        let store = self.services.queue.store();
        let ahead = (self.services.queue.config().prefetch * self.slots) as u64;
        Ok(match lane {
            Lane::Cpu if store.backlog(Lane::Gpu).await? >= ahead => vec![StepKind::Extract],
            Lane::Net if store.backlog(Lane::Cpu).await? + store.backlog(Lane::Gpu).await? >= ahead * 2 => {
                vec![StepKind::Download]
            }
            _ => Vec::new(),
        })
    }

    /// Waits until the lane is woken, or something in it becomes eligible, or the poll interval is over.
    async fn idle(&self, lane: Lane) {
        let queue = &self.services.queue;
        let poll = queue.config().poll.0;
        let until_next = match queue.store().next_eligible(lane).await {
            Ok(Some(at)) => u64::try_from(at - chrono::Utc::now().timestamp_millis()).ok(),
            Ok(None) | Err(_) => None,
        };
        let wait = until_next.map_or(poll, |ms| Duration::from_millis(ms.max(5)).min(poll));
        tokio::select! {
            () = queue.wake().lane_woken(lane) => {}
            () = sleep(wait) => {}
        }
    }

    /// Renews the leases of running steps, and looks for those that other nodes have left behind.
    async fn keep_alive(self, stop: CancellationToken) {
        let queue = &self.services.queue;
        let every = queue.config().heartbeat.0;
        let mut suspects = Suspects::default();
        let mut next = Instant::now() + every;
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(next) => next = Instant::now() + every,
                () = stop.cancelled() => return,
            }
            let ids = self.running.ids();
            if !ids.is_empty() {
                match queue.heartbeat(&ids).await {
                    Ok(kept) => self.running.settle(&ids, &kept),
                    Err(error) => tracing::error!(error = %error.chain(), "leases cannot be renewed"),
                }
            }
            match queue.reap(&mut suspects).await {
                Ok(0) => {}
                Ok(steps) => tracing::warn!(steps, "took steps over from workers that are gone"),
                Err(error) => tracing::error!(error = %error.chain(), "lapsed leases cannot be looked for"),
            }
        }
    }

    /// Stops steps as soon as somebody in this process cancels them.
    async fn listen(self, stop: CancellationToken) {
        let mut stops = self.services.queue.wake().stops();
        loop {
            tokio::select! {
                stopped = stops.recv() => match stopped {
                    Ok(ids) => self.running.cancel(&ids),
                    // The heartbeat finds what was missed.
                    Err(tokio::sync::broadcast::error::RecvError::Lagged(_)) => {}
                    Err(tokio::sync::broadcast::error::RecvError::Closed) => return,
                },
                () = stop.cancelled() => return,
            }
        }
    }
}
