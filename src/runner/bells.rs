//! What nodes tell each other at once, where the database can pass it on.

use std::time::Duration;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use super::Runner;
use crate::{error::Result, store::Bell};

/// Calls of one node are at least this far apart: what happens in between is one of them.
const APART: Duration = Duration::from_millis(100);

impl Runner {
    /// Tells the other nodes when something was committed here, and wakes this one when they do, until `stop`.
    pub(super) async fn keep_in_touch(self, stop: CancellationToken) {
        while !stop.is_cancelled() {
            let store = self.services.queue.store();
            match store.listen().await {
                Ok(None) => return,
                Ok(Some(bell)) => {
                    let both = async { tokio::try_join!(self.call(), self.hear(bell)) };
                    if let Some(Err(error)) = stop.run_until_cancelled(both).await {
                        stop.run_until_cancelled(self.rest_after("other nodes are not heard", &error)).await;
                    }
                }
                Err(error) => {
                    stop.run_until_cancelled(self.rest_after("other nodes are not heard", &error)).await;
                }
            }
        }
    }

    async fn call(&self) -> Result<()> {
        let queue = &self.services.queue;
        loop {
            let stops = queue.wake().news().await;
            queue.store().call(&word(queue.owner(), stops)).await?;
            sleep(APART).await;
        }
    }

    async fn hear(&self, mut bell: Bell) -> Result<()> {
        let queue = &self.services.queue;
        loop {
            let heard = bell.heard().await?;
            if heard.starts_with(queue.owner()) {
                continue;
            }
            queue.wake().heard();
            if heard.ends_with(STOPS) {
                // The answer to a heartbeat tells which steps.
                self.hurry.notify_one();
            }
        }
    }
}

const STOPS: &str = " stops";

/// Who calls, and whether steps should stop.
fn word(owner: &str, stops: bool) -> String {
    format!("{owner}{}", if stops { STOPS } else { "" })
}
