//! That this node lives: its leases are renewed, the others hear of it, and what they leave behind is found.

use std::{sync::atomic::Ordering, time::Duration};

use rand::RngExt;
use serde_json::json;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::{
    domain::{Lane, NodeState, Role},
    error::{Code, Error, Result, guarded},
    queue::Unheard,
    store::{LaneLoad, NewNode},
};

/// How soon a heartbeat that failed is tried again: whoever comes back first must not take the others for dead.
const AGAIN: Duration = Duration::from_secs(1);
/// The shortest time that the database gets to take a heartbeat.
const SHORTEST: Duration = Duration::from_secs(1);
/// By how much more it gets after it did not take one in time: a connection that is dead is given up soon, and a database
/// that is slow is not asked again and again for what it never ends.
const MORE: u32 = 2;
/// How long a node that stops tries to say so.
const GOODBYE: Duration = Duration::from_secs(2);
/// How often leases that are over are looked for in the time after which one that was seen twice counts.
const LOOKS: u32 = 5;

/// What a node says of itself that does not change.
pub(super) struct Card {
    pub name: String,
    pub role: Role,
    pub keys_sha256: String,
}

impl Runner {
    /// Renews the leases of running steps and says how this node is, until `stop`; then takes the node off the list. From
    /// `shutdown` on it is told to be stopping.
    pub(super) async fn keep_alive(self, shutdown: CancellationToken, stop: CancellationToken) {
        let config = self.services.queue.config();
        let (every, lease) = (config.heartbeat.0, config.lease.0);
        let usual = (every / 2).max(SHORTEST);
        let mut patience = usual;
        loop {
            let (begun, draining) = (Instant::now(), shutdown.is_cancelled());
            let beat = timeout(patience, guarded(self.beat(draining)));
            let Some(beat) = stop.run_until_cancelled(beat).await else { break };
            patience = if beat.is_ok() { usual } else { (patience * MORE).min(lease.max(usual)) };
            let slow = |_| Err(Error::new(Code::Database, "The database did not answer in time"));
            let wait = match beat.unwrap_or_else(slow) {
                Ok(()) => every.saturating_sub(begun.elapsed()),
                Err(error) => {
                    if self.services.queue.pulse().trouble() {
                        tracing::error!(error = %error.chain(), "leases cannot be renewed");
                    }
                    AGAIN.min(every)
                }
            };
            tokio::select! {
                () = sleep(wait) => {}
                () = self.hurry.notified() => {}
                // Told at once.
                () = shutdown.cancelled(), if !draining => {}
                () = stop.cancelled() => break,
            }
        }
        let _ = timeout(GOODBYE, self.leave()).await;
    }

    /// Takes over what workers have left behind, until `stop`.
    pub(super) async fn look_for_orphans(self, stop: CancellationToken) {
        let queue = &self.services.queue;
        let every = (queue.config().heartbeat.0 / LOOKS).max(Duration::from_millis(100));
        let (mut reaper, mut unheard) = (queue.reaper(), Unheard::default());
        while stop.run_until_cancelled(sleep(every)).await.is_some() {
            let ours: Vec<String> = self.running.claims().into_iter().map(|(id, _)| id).collect();
            let looked = async {
                let lost = queue.give_back_unheard(&mut unheard, &ours).await?;
                Ok((lost, queue.reap(&mut reaper, &ours).await?))
            };
            match guarded(looked).await {
                Ok((0, 0)) => {}
                Ok((lost, 0)) => tracing::warn!(lost, "gave back what was claimed without an answer"),
                Ok((lost, found)) => tracing::warn!(found, lost, "took over from workers that are gone"),
                Err(error) => {
                    let rest = self.rest_after("lapsed leases cannot be looked for", &error);
                    stop.run_until_cancelled(rest).await;
                }
            }
        }
    }

    /// Tells, now and then, that something could not be done with the database, and waits a while: not as long as others
    /// that wait for the same.
    pub(super) async fn rest_after(&self, what: &str, error: &Error) {
        let queue = &self.services.queue;
        if queue.pulse().trouble() {
            tracing::error!(error = %error.chain(), "{what}");
        }
        let spread = rand::rng().random_range(1.0..5.0);
        sleep(queue.config().poll.0.mul_f64(spread)).await;
    }

    /// Room for transcriptions on all nodes together, at least 1.
    pub(super) fn all_slots(&self) -> usize {
        let here = self.lanes.iter().find(|(lane, _)| *lane == Lane::Gpu).map_or(0, |(_, width)| *width);
        (here + self.slots_elsewhere.load(Ordering::Relaxed)).max(1)
    }

    /// One heartbeat.
    async fn beat(&self, draining: bool) -> Result<()> {
        let queue = &self.services.queue;
        let sent = Instant::now();
        let claims = self.running.claims();
        if !claims.is_empty() {
            let ids: Vec<String> = claims.iter().map(|(id, _)| id.clone()).collect();
            let kept = queue.heartbeat(&ids).await?;
            queue.pulse().beat(sent);
            self.running.settle(&claims, &kept);
        }
        let node = self.node(draining).await?;
        let tx = queue.store().begin().await?;
        tx.put_node(&node).await?;
        tx.commit().await?;
        queue.pulse().beat(sent);
        if !queue.store().is_exclusive() {
            self.look_around().await?;
            self.tidy_behind().await?;
        }
        Ok(())
    }

    /// What this node says of itself.
    async fn node(&self, draining: bool) -> Result<NewNode> {
        let services = &self.services;
        let models = services.models.clone();
        let here = tokio::task::spawn_blocking(move || models.here()).await;
        let mut models =
            here.map_err(|error| Error::new(Code::Io, "The models folder is not read").with_source(error))?;
        models.extend(services.pool.models_elsewhere());
        let load =
            |(lane, width): &(Lane, usize)| LaneLoad { lane: *lane, width: *width, busy: self.running.busy(*lane) };
        Ok(NewNode {
            id: services.queue.owner().to_owned(),
            name: self.card.name.clone(),
            role: self.card.role,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            keys_sha256: self.card.keys_sha256.clone(),
            draining,
            lanes: self.lanes.iter().map(load).collect(),
            devices: json!(services.pool.devices()),
            engines: json!(services.pool.status()),
            models: if self.takes(Lane::Gpu) { models } else { Vec::new() },
        })
    }

    /// Learns from the other nodes how much can be transcribed at the same time.
    async fn look_around(&self) -> Result<()> {
        let queue = &self.services.queue;
        let nodes = queue.store().nodes(queue.lease_ms()).await?;
        let others = nodes.iter().filter(|node| node.state == NodeState::Ready && node.said.id != queue.owner());
        let slots = others.flat_map(|node| &node.said.lanes).filter(|load| load.lane == Lane::Gpu);
        self.slots_elsewhere.store(slots.map(|load| load.width).sum(), Ordering::Relaxed);
        Ok(())
    }

    /// Takes the node off the list.
    async fn leave(&self) {
        let queue = &self.services.queue;
        let left = async {
            let tx = queue.store().begin().await?;
            tx.delete_node(queue.owner()).await?;
            tx.commit().await
        };
        if let Err(error) = left.await {
            tracing::warn!(error = %error.chain(), "this node stays in the list for a while");
        }
    }
}
