//! Secrets that sign callbacks, with the ones in whose place they came: receivers need time to learn the new one.

use chrono::{DateTime, Utc};

use super::{Secrets, owner};
use crate::{error::Result, store::StoredSecret};

/// The name under which the daemon's own secret is remembered. No secret of a person can have it.
const OWN: &str = "callbacks.secret";

/// What signs for a receiver.
#[derive(Clone, PartialEq)]
pub struct Signing {
    /// The secret.
    pub present: String,
    /// The one before, and when it was replaced.
    pub previous: Option<(String, DateTime<Utc>)>,
}

impl Secrets {
    /// One secret for a host, to sign with.
    ///
    /// # Errors
    /// `secret_refused` for a secret that is not there or not bound to `host`.
    pub async fn signing(&self, name: &str, host: &str) -> Result<Signing> {
        let stored = self.bound(name, host).await?;
        let signing = self.signing_of(&stored)?;
        self.note([name].into_iter()).await?;
        Ok(signing)
    }

    /// The daemon's own secret. It is remembered, so that another one at a later start is known to replace it.
    pub async fn own_signing(&self, present: &str) -> Result<Signing> {
        let known = match self.inner.store.secret(OWN).await? {
            Some(stored) => self.signing_of(&stored).ok(),
            None => None,
        };
        if let Some(known) = known.filter(|known| known.present == present) {
            return Ok(known);
        }
        self.put(OWN, present, &[]).await?;
        let stored = self.inner.store.secret(OWN).await?;
        let previous = stored.and_then(|stored| self.signing_of(&stored).ok()?.previous);
        Ok(Signing { present: present.to_owned(), previous })
    }

    fn signing_of(&self, stored: &StoredSecret) -> Result<Signing> {
        let present = self.open(stored)?;
        let open = |sealed: &[u8]| String::from_utf8(self.inner.seal.open(&owner(&stored.name), sealed)?).ok();
        let previous = stored.previous.as_ref().and_then(|(value, at)| Some((open(value)?, *at)));
        Ok(Signing { present, previous })
    }
}

impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing")
    }
}
