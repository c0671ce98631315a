//! The places of a lane: how many of its steps run at the same time.

use std::sync::Arc;

use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// The places of one lane. Whoever waits longest is served first, also one who waits for all of them.
pub(super) struct Places {
    semaphore: Arc<Semaphore>,
    count: u32,
}

impl Places {
    pub fn new(count: usize) -> Self {
        let count = u32::try_from(count.clamp(1, Semaphore::MAX_PERMITS)).unwrap_or(u32::MAX);
        Self { semaphore: Arc::new(Semaphore::new(count as usize)), count }
    }

    /// Waits for a place.
    pub async fn one(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.semaphore).acquire_owned().await
    }

    /// A place, if one is free.
    pub fn try_one(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.semaphore).try_acquire_owned().ok()
    }

    /// Waits until every place is free and takes them all.
    pub async fn all(&self) -> Result<OwnedSemaphorePermit, AcquireError> {
        Arc::clone(&self.semaphore).acquire_many_owned(self.count).await
    }

    /// How many places are free.
    pub fn free(&self) -> usize {
        self.semaphore.available_permits()
    }
}
