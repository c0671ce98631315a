//! Deliveries: signed callbacks, sent at least once (Standard Webhooks 1.0.0).
//!
//! Callers may rely on this: what is signed is what is stored is what is sent; any 2xx is success, a redirect is not
//! followed and counts as a failure, 410 ends the delivery; every attempt is logged with its status or error; the waits
//! between attempts are those of `callbacks.schedule`.

use std::{sync::Arc, time::Duration};

use rand::RngExt;
use serde_json::json;
use tokio::{
    sync::{Semaphore, watch},
    time::{Instant, sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::CallbacksConfig,
    error::{Code, Error, Result},
    metrics,
    net::{Net, Post, PostReply},
    queue::Queue,
    secrets::Secrets,
    store::{ClaimedDelivery, DeliveryEnd},
};

/// After these answers a receiver is left alone for at least a minute.
const BUSY: [u16; 3] = [429, 502, 504];
const BUSY_WAIT: Duration = Duration::from_secs(60);

/// Sends what is in the outbox. Cheap to clone.
#[derive(Clone)]
pub struct Courier {
    queue: Queue,
    net: Net,
    secrets: Secrets,
    config: Arc<CallbacksConfig>,
    signer: Arc<standardwebhooks::Webhook>,
}

/// What came of one attempt.
struct Verdict {
    status: Option<u16>,
    error: Option<Error>,
    end: DeliveryEnd,
}

/// What there is to send.
enum Next {
    Due(ClaimedDelivery),
    /// Nothing before that time, in milliseconds since 1970; or nothing at all.
    At(Option<i64>),
}

impl Courier {
    /// A courier that signs with `secret` (`whsec_` and base64) what names none of `secrets`.
    pub fn new(queue: Queue, net: Net, secrets: Secrets, config: &CallbacksConfig, secret: &str) -> Result<Self> {
        let signer = standardwebhooks::Webhook::new(secret).map_err(|error| {
            Error::new(Code::Config, "`callbacks.secret` must be whsec_ followed by base64").with_source(error)
        })?;
        Ok(Self { queue, net, secrets, config: Arc::new(config.clone()), signer: Arc::new(signer) })
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
        // Looked at first, so that nothing is written while there is nothing to send.
        let due = self.queue.store().next_delivery().await?;
        if due.is_none_or(|at| at > chrono::Utc::now().timestamp_millis()) {
            return Ok(Next::At(due));
        }
        let tx = self.queue.store().begin().await?;
        let lease = self.queue.config().lease.0.max(self.config.timeout.0 * 2);
        let lease = i64::try_from(lease.as_millis()).unwrap_or(i64::MAX);
        let claimed = tx.claim_deliveries(self.queue.owner(), lease, 1).await?.pop();
        tx.commit().await?;
        Ok(claimed.map_or(Next::At(None), Next::Due))
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
        // When nobody knows whether it is still ours to send, the end of its lease gives it back.
        let Some(reply) = self.queue.pulse().while_sure(self.send(delivery)).await else { return };
        let elapsed = started.elapsed();
        let took = i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX);
        let verdict = judge(reply, delivery.attempt, &self.config, rand::rng().random_range(0.8..1.2));
        let outcome = match verdict.end {
            DeliveryEnd::Delivered => "delivered",
            DeliveryEnd::Again(_) => "again",
            DeliveryEnd::Dead => "dead",
        };
        metrics::delivery(outcome, elapsed);
        let written = self.write(delivery, took, &verdict).await;
        let status = verdict.status.unwrap_or(0);
        match (&verdict.error, written) {
            (_, Err(error)) => {
                tracing::error!(delivery = delivery.id, error = %error.chain(), "an attempt cannot be logged")
            }
            (Some(error), Ok(())) => {
                tracing::warn!(delivery = delivery.id, attempt = delivery.attempt, status, error = %error.chain(), "callback failed");
            }
            (None, Ok(())) => {
                tracing::info!(delivery = delivery.id, attempt = delivery.attempt, status, "callback delivered")
            }
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
            let data = json!({
                "id": delivery.id, "state": state, "attempt": delivery.attempt, "status": verdict.status, "error": report,
            });
            if let Some(task) = delivery.task_id {
                tx.add_event(task, "delivery", data).await?;
            }
        }
        tx.commit().await?;
        self.queue.wake().event();
        Ok(())
    }

    async fn send(&self, delivery: &ClaimedDelivery) -> Result<PostReply> {
        let timestamp = chrono::Utc::now().timestamp();
        let own = self.signer_of(delivery).await?;
        let signature = own
            .as_ref()
            .unwrap_or(&self.signer)
            .sign(&delivery.id, timestamp, delivery.body.as_bytes())
            .map_err(|error| Error::new(Code::Internal, "A callback cannot be signed").with_source(error))?;
        let header = |name: &str, value: String| (name.to_owned(), value);
        let post = Post {
            url: delivery.url.clone(),
            headers: vec![
                header("content-type", "application/json".to_owned()),
                header("webhook-id", delivery.id.clone()),
                header("webhook-timestamp", timestamp.to_string()),
                header("webhook-signature", signature),
            ],
            body: delivery.body.clone().into(),
            timeout: self.config.timeout.0,
        };
        self.net.post(post).await
    }
}

impl Courier {
    /// The signer of a delivery that names its secret. A secret that is set anew counts from then on.
    async fn signer_of(&self, delivery: &ClaimedDelivery) -> Result<Option<standardwebhooks::Webhook>> {
        let Some(name) = &delivery.secret else { return Ok(None) };
        let host = self.net.check_url(&delivery.url)?.host_str().unwrap_or_default().to_owned();
        let secret = self.secrets.value(name, &host).await?;
        // `whsec_` announces base64; anything else is the key as it is.
        let signer = match secret.starts_with("whsec_") {
            true => standardwebhooks::Webhook::new(&secret),
            false => standardwebhooks::Webhook::from_bytes(secret.into_bytes()),
        };
        signer.map(Some).map_err(|_| {
            Error::new(Code::Config, format!("The secret \"{name}\" begins with whsec_ and goes on with no base64"))
        })
    }
}

/// What follows from a receiver's reply. `spread` is the factor by which waits differ, 0.8 to 1.2.
fn judge(reply: Result<PostReply>, attempt: i64, config: &CallbacksConfig, spread: f64) -> Verdict {
    let (status, error, asked) = match reply {
        Ok(reply) if (200..300).contains(&reply.status) => {
            return Verdict { status: Some(reply.status), error: None, end: DeliveryEnd::Delivered };
        }
        Ok(reply) => {
            let error = Error::new(Code::CallbackRefused, format!("The receiver answered {}", reply.status));
            (Some(reply.status), error, reply.retry_after)
        }
        Err(error) => (None, error, None),
    };
    let next = usize::try_from(attempt).ok().and_then(|made| config.wait_before(made + 1));
    let end = match next {
        _ if status == Some(410) => DeliveryEnd::Dead,
        None => DeliveryEnd::Dead,
        Some(wait) => {
            let mut wait = wait.mul_f64(spread);
            let is_busy = status.is_some_and(|status| BUSY.contains(&status)) || error.code == Code::SourceTimeout;
            if is_busy {
                wait = wait.max(BUSY_WAIT);
            }
            // A receiver may ask for more patience, up to twice our own wait.
            let wait = asked.map_or(wait, |asked| asked.clamp(wait, wait * 2));
            DeliveryEnd::Again(i64::try_from(wait.as_millis()).unwrap_or(i64::MAX))
        }
    };
    Verdict { status, error: Some(error), end }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Span;

    fn config() -> CallbacksConfig {
        let schedule = ["0s", "5s", "5m"].map(|span| span.parse::<Span>().unwrap()).to_vec();
        CallbacksConfig { secret: String::new(), timeout: "20s".parse().unwrap(), schedule }
    }

    fn end(status: u16, retry_after: Option<u64>, attempt: i64) -> DeliveryEnd {
        let retry_after = retry_after.map(Duration::from_secs);
        judge(Ok(PostReply { status, retry_after }), attempt, &config(), 1.0).end
    }

    #[test]
    fn any_2xx_is_success_and_nothing_else() {
        for status in [200, 201, 202, 204, 299] {
            assert_eq!(end(status, None, 1), DeliveryEnd::Delivered);
        }
        for status in [301, 302, 308, 400, 404, 500] {
            assert_eq!(end(status, None, 1), DeliveryEnd::Again(5_000), "{status}");
        }
    }

    #[test]
    fn gone_and_the_last_attempt_end_it() {
        assert_eq!(end(410, None, 1), DeliveryEnd::Dead);
        assert_eq!(end(500, None, 2), DeliveryEnd::Again(300_000));
        assert_eq!(end(500, None, 3), DeliveryEnd::Dead);
    }

    #[test]
    fn busy_receivers_get_a_minute_and_may_ask_for_twice_the_wait() {
        assert_eq!(end(429, None, 1), DeliveryEnd::Again(60_000));
        assert_eq!(end(503, Some(7), 1), DeliveryEnd::Again(7_000));
        assert_eq!(end(503, Some(700), 1), DeliveryEnd::Again(10_000));
        assert_eq!(end(503, Some(1), 1), DeliveryEnd::Again(5_000));
        let slow = judge(Err(Error::new(Code::SourceTimeout, "slow")), 1, &config(), 1.0);
        assert_eq!((slow.end, slow.status), (DeliveryEnd::Again(60_000), None));
    }
}
