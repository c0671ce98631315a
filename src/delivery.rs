//! Deliveries: signed callbacks, sent at least once (Standard Webhooks 1.0.0).
//!
//! Callers may rely on this: what is signed is what is stored is what is sent; any 2xx is success, a redirect is not
//! followed and counts as a failure; every attempt is logged with its status or error; the waits between attempts are those
//! of `callbacks.schedule`; one receiver has no more than `callbacks.per_endpoint` on their way, over all processes, so one
//! that hangs holds nobody else up; a receiver that answers 410, or nothing but failures for `callbacks.off_after`, is sent
//! nothing more until a person switches it on again.

mod signature;
mod verdict;

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use rand::RngExt;
use serde_json::json;
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use self::verdict::{Verdict, judge};
use crate::{
    config::CallbacksConfig,
    domain::{DeliveryState, EndpointState},
    error::{Error, Result},
    fault, metrics,
    net::{Net, Post},
    queue::{Queue, redeliver::tell_moved},
    secrets::{Secrets, Signing},
    store::{ClaimedDelivery, DeliveryEnd, Tx},
};

/// So many deliveries are set aside in one transaction.
const HELD_AT_ONCE: u64 = 100;

/// Sends what is in the outbox. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    queue: Queue,
    net: Net,
    secrets: Secrets,
    config: Arc<CallbacksConfig>,
    own: Arc<Signing>,
}

/// What there is to send.
enum Next {
    Due(ClaimedDelivery),
    /// Nothing before that time, in milliseconds since 1970; or nothing at all.
    At(Option<i64>),
}

impl Courier {
    /// A courier that signs with `own` what names none of `secrets`.
    pub fn new(queue: Queue, net: Net, secrets: Secrets, config: &CallbacksConfig, own: Signing) -> Self {
        Self { queue, net, secrets, config: Arc::new(config.clone()), own: Arc::new(own) }
    }

    /// Sends deliveries until `shutdown`, then lets those under way go on for `queue.drain` at most.
    pub async fn run(&self, shutdown: CancellationToken) {
        let places = Arc::new(Semaphore::new(self.queue.config().deliver));
        let tracker = TaskTracker::new();
        // Every delivery is written together with an event.
        let mut events = self.queue.wake().events();
        while !shutdown.is_cancelled() {
            let permit = tokio::select! {
                permit = Arc::clone(&places).acquire_owned() => permit,
                () = shutdown.cancelled() => break,
            };
            let Ok(permit) = permit else { break };
            // What is written from here on wakes us, whether or not this look finds it.
            events.mark_unchanged();
            match self.claim().await {
                Ok(Next::Due(delivery)) => {
                    let courier = self.clone();
                    tracker.spawn(async move {
                        courier.attempt(&delivery).await;
                        drop(permit);
                    });
                }
                Ok(Next::At(due)) => {
                    drop(permit);
                    tokio::select! {
                        () = self.idle(due, &mut events) => {}
                        () = shutdown.cancelled() => break,
                    }
                }
                Err(error) => {
                    tracing::error!(error = %error.chain(), "deliveries cannot be claimed");
                    sleep(self.queue.config().poll.0).await;
                }
            }
        }
        tracker.close();
        // A receiver that lets us wait does not hold the stop up: what has no answer then is sent again after the start.
        let _ = timeout(self.queue.config().drain.0, tracker.wait()).await;
    }

    async fn claim(&self) -> Result<Next> {
        // Nothing may be sent while nobody knows whether it is still ours.
        if !self.queue.pulse().is_sure() {
            return Ok(Next::At(None));
        }
        let each = self.per_endpoint();
        // Looked at first, so that nothing is written while there is nothing to send.
        let due = self.queue.store().next_delivery(each).await?;
        if due.is_none_or(|at| at > chrono::Utc::now().timestamp_millis()) {
            return Ok(Next::At(due));
        }
        let tx = self.queue.store().begin().await?;
        let held = tx.hold_deliveries(HELD_AT_ONCE).await?;
        for one in &held {
            tell_moved(&tx, one, DeliveryState::Held);
        }
        let lease = self.queue.config().lease.0.max(self.config.timeout.0 * 2);
        let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        let claimed = tx.claim_deliveries(self.queue.owner(), lease, 1, each).await?.pop();
        tx.commit().await?;
        if claimed.is_some() {
            fault::point("delivery::claimed");
        }
        if !held.is_empty() {
            tracing::warn!(deliveries = held.len(), "callbacks are held: their endpoints are switched off");
            // There may be more of them: this wakes us, too.
            self.queue.wake().event();
        }
        Ok(claimed.map_or(Next::At(None), Next::Due))
    }

    /// How many one endpoint gets at the same time: never all places.
    fn per_endpoint(&self) -> usize {
        self.config.per_endpoint.min(self.queue.config().deliver - 1).max(1)
    }

    async fn idle(&self, due: Option<i64>, events: &mut watch::Receiver<u64>) {
        let poll = self.queue.config().poll.0;
        let due = due.and_then(|at| u64::try_from(at - chrono::Utc::now().timestamp_millis()).ok());
        let wait = due.map_or(poll, |ms| Duration::from_millis(ms.max(5)).min(poll));
        tokio::select! {
            _ = events.changed() => {}
            () = sleep(wait) => {}
        }
    }

    /// Sends a delivery once and logs what came of it.
    async fn attempt(&self, delivery: &ClaimedDelivery) {
        let started = Instant::now();
        let spread = rand::rng().random_range(0.8..1.2);
        let verdict = match self.prepare(delivery).await {
            Ok(post) => {
                // When nobody knows whether it is still ours to send, the end of its lease gives it back.
                let Some(reply) = self.queue.pulse().while_sure(self.net.post(post)).await else { return };
                fault::point("delivery::answered");
                judge(reply, delivery, &self.config, spread)
            }
            // Nothing was sent, so the receiver is not to blame.
            Err(error) => Verdict { heard: None, ..judge(Err(error), delivery, &self.config, spread) },
        };
        let elapsed = started.elapsed();
        let took = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let outcome = match verdict.end {
            DeliveryEnd::Delivered => "delivered",
            DeliveryEnd::Again(_) => "again",
            DeliveryEnd::Dead => "dead",
        };
        metrics::delivery(outcome, elapsed);
        let written = self.write(delivery, took, &verdict).await;
        let (id, attempt, status) = (&delivery.id, delivery.attempt, verdict.status.unwrap_or(0));
        match (&verdict.error, written) {
            (_, Err(error)) => {
                tracing::error!(delivery = id, error = %error.chain(), "an attempt cannot be logged")
            }
            (Some(error), Ok(())) if verdict.end == DeliveryEnd::Dead => {
                tracing::error!(delivery = id, attempt, status, error = %error.chain(), "callback given up");
            }
            (Some(error), Ok(())) => {
                tracing::warn!(delivery = id, attempt, status, error = %error.chain(), "callback failed");
            }
            (None, Ok(())) => tracing::info!(delivery = id, attempt, status, "callback delivered"),
        }
    }

    async fn write(&self, delivery: &ClaimedDelivery, took: i64, verdict: &Verdict) -> Result<()> {
        let report = verdict.error.as_ref().map(Error::report);
        let tx = self.queue.store().begin().await?;
        let owner = self.queue.owner();
        if tx.end_attempt(owner, delivery, took, verdict.status, report.as_ref(), verdict.end).await? {
            let state = match verdict.end {
                DeliveryEnd::Delivered => "delivered",
                DeliveryEnd::Dead => "dead",
                DeliveryEnd::Again(_) => "pending",
            };
            let mut data = json!({
                "id": delivery.id, "state": state, "attempt": delivery.attempt, "status": verdict.status, "error": report,
            });
            if let Some((id, state)) = self.note_endpoint(&tx, delivery, verdict).await? {
                data["endpoint"] = json!({ "id": id, "state": state });
            }
            if let Some(task) = delivery.task_id {
                tx.add_event(task, "delivery", data);
            }
        }
        tx.commit().await?;
        fault::point("delivery::noted");
        self.queue.wake().event();
        Ok(())
    }

    /// Notes how the receiver fares; its id and state when this attempt has switched it off.
    async fn note_endpoint(
        &self,
        tx: &Tx,
        delivery: &ClaimedDelivery,
        verdict: &Verdict,
    ) -> Result<Option<(String, EndpointState)>> {
        let Some(heard) = verdict.heard else { return Ok(None) };
        let patience = i64::try_from(self.config.off_after.0.as_millis()).unwrap_or(i64::MAX);
        let (endpoint, [before, after]) = tx.note_endpoint(&delivery.url, heard, patience).await?;
        if before == after {
            return Ok(None);
        }
        // Its address may hold what is meant for the receiver alone, so that only its host is told here.
        let host = url::Url::parse(&endpoint.address).ok().and_then(|url| url.host_str().map(str::to_owned));
        metrics::endpoint_off(after.as_str());
        tracing::error!(
            endpoint = endpoint.id,
            host,
            state = after.as_str(),
            "an endpoint of callbacks is switched off: nothing more is sent there until `PATCH /api/endpoints/{{id}}` \
             switches it on"
        );
        Ok(Some((endpoint.id, after)))
    }

    /// The request of an attempt.
    async fn prepare(&self, delivery: &ClaimedDelivery) -> Result<Post> {
        let now = chrono::Utc::now();
        let signature = match &delivery.secret {
            // A secret that is set anew counts from then on.
            Some(name) => {
                let host = self.net.check_url(&delivery.url)?.host_str().unwrap_or_default().to_owned();
                let signing = self.secrets.signing(name, &host).await?;
                signature::header(&signing, self.config.rotation.0, now, delivery).map_err(|error| {
                    error.with_hint(format!(
                        "The secret \"{name}\" begins with whsec_ and goes on with no base64: set it again."
                    ))
                })?
            }
            None => signature::header(&self.own, self.config.rotation.0, now, delivery)?,
        };
        let header = |name: &str, value: String| (name.to_owned(), value);
        Ok(Post {
            url: delivery.url.clone(),
            headers: vec![
                header("content-type", "application/json".to_owned()),
                header("webhook-id", delivery.id.clone()),
                header("webhook-timestamp", now.timestamp().to_string()),
                header("webhook-signature", signature),
            ],
            body: delivery.body.clone().into(),
            timeout: self.config.timeout.0,
        })
    }
}
