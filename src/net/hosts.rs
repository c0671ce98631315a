//! How many connections one host gets at the same time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The permits of all hosts. A host that is not in use takes no room for long.
#[derive(Debug)]
pub(super) struct Hosts {
    each: usize,
    hosts: Mutex<HashMap<String, Weak<Semaphore>>>,
}

/// The right to talk to a host, until dropped.
pub(super) type Permit = Option<OwnedSemaphorePermit>;

impl Hosts {
    /// `each` connections per host.
    pub(super) fn new(each: usize) -> Self {
        Self { each: each.max(1), hosts: Mutex::default() }
    }

    /// Waits for a place at this host, first come, first served.
    pub(super) async fn enter(&self, host: &str) -> Permit {
        let semaphore = self.semaphore(host);
        // It is never closed, so this cannot fail; if it did, no permit would be the milder fault.
        semaphore.acquire_owned().await.ok()
    }

    fn semaphore(&self, host: &str) -> Arc<Semaphore> {
        let mut hosts = self.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(semaphore) = hosts.get(host).and_then(Weak::upgrade) {
            return semaphore;
        }
        hosts.retain(|_, semaphore| semaphore.strong_count() > 0);
        let semaphore = Arc::new(Semaphore::new(self.each));
        hosts.insert(host.to_owned(), Arc::downgrade(&semaphore));
        semaphore
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_host_gets_its_share_and_no_more() {
        let hosts = Hosts::new(2);
        let first = hosts.enter("a").await;
        let _second = hosts.enter("a").await;
        assert!(hosts.enter("a").now_or_never().is_none());
        assert!(hosts.enter("b").now_or_never().is_some());
        drop(first);
        assert!(hosts.enter("a").now_or_never().is_some());
        assert_eq!(hosts.hosts.lock().unwrap().len(), 2);
    }
}
