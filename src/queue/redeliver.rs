//! Deliveries sent once more, and endpoints switched on and off, because a person said so.

use serde_json::json;

use super::Queue;
use crate::{
    domain::{DeliveryState, EndpointState},
    error::{Code, Error, Result},
    store::{Delivery, MovedDelivery, Redelivery, Tx},
};

/// So many deliveries are sent once more in one transaction, so that others have their turn.
const AT_ONCE: u64 = 500;

impl Queue {
    /// Sends a delivery once more, now. One that had ended is tried this once.
    ///
    /// # Errors
    /// `conflict` when it is being sent at this moment.
    pub async fn redeliver(&self, delivery: &Delivery) -> Result<()> {
        let tx = self.store.begin().await?;
        if !tx.redeliver(&delivery.id).await? {
            let detail = format!("The delivery {} is being sent", delivery.id);
            return Err(Error::new(Code::Conflict, detail).with_hint("Wait a moment, then look what came of it."));
        }
        let (id, event) = (delivery.id.clone(), delivery.event.clone());
        tell_moved(&tx, &MovedDelivery { id, task_id: delivery.task_id, event }, DeliveryState::Pending);
        tx.commit().await?;
        self.wake.event();
        Ok(())
    }

    /// Sends deliveries that have ended once more, now, each of them this once. Returns how many.
    pub async fn redeliver_many(&self, wanted: &Redelivery) -> Result<u64> {
        let (mut last, mut count) = (String::new(), 0);
        loop {
            let tx = self.store.begin().await?;
            let moved = tx.redeliver_some(wanted, &last, AT_ONCE).await?;
            for one in &moved {
                tell_moved(&tx, one, DeliveryState::Pending);
            }
            tx.commit().await?;
            self.wake.event();
            count += moved.len() as u64;
            match moved.last() {
                Some(one) => last.clone_from(&one.id),
                None => return Ok(count),
            }
        }
    }

    /// Switches an endpoint on, which sends what was held for it, or off.
    ///
    /// # Errors
    /// `not_found` when nothing was ever sent there.
    pub async fn switch_endpoint(&self, id: &str, on: bool) -> Result<()> {
        let state = if on { EndpointState::On } else { EndpointState::Off };
        let tx = self.store.begin().await?;
        if !tx.switch_endpoint(id, state).await? {
            return Err(Error::new(Code::NotFound, format!("There is no endpoint \"{}\"", id.escape_debug())));
        }
        let released = if on { tx.release_deliveries(id).await? } else { 0 };
        tx.commit().await?;
        self.wake.event();
        tracing::info!(endpoint = id, state = state.as_str(), released, "an endpoint of callbacks was switched");
        Ok(())
    }
}

/// Tells watchers of a delivery's task where the delivery stands now.
pub fn tell_moved(tx: &Tx, moved: &MovedDelivery, state: DeliveryState) {
    let Some(task) = moved.task_id else { return };
    tx.add_event(task, "delivery", json!({ "id": moved.id, "event": moved.event, "state": state }));
}
