//! Setting, listing and removing secrets.

use chrono::{DateTime, Utc};

use super::{Secrets, binding, owner};
use crate::{
    error::{Code, Error, Result},
    store::{StoredSecret, date},
};

/// A value's length in bytes. A shorter one could not be taken out of texts without harm.
const LENGTH: std::ops::RangeInclusive<usize> = 8..=8192;
/// The longest name.
const MAX_NAME: usize = 63;

/// What may be shown of a secret.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Who may see it.
    pub hosts: Vec<String>,
    /// When it was first set.
    pub created_at: DateTime<Utc>,
    /// When it was last set.
    pub updated_at: DateTime<Utc>,
    /// When a step last used it.
    pub last_used_at: Option<DateTime<Utc>>,
    /// Why its value cannot be read.
    pub problem: Option<String>,
}

impl Secrets {
    /// Every secret, by name.
    pub async fn list(&self) -> Result<Vec<Listed>> {
        let stored = self.inner.store.secrets().await?;
        Ok(stored.into_iter().filter(|one| is_name(&one.name)).map(|one| self.listed(one)).collect())
    }

    /// Sets a secret; whether it is a new one. Spaces around the value do not belong to it.
    pub async fn set(&self, name: &str, value: &str, hosts: &[String]) -> Result<(Listed, bool)> {
        let value = value.trim();
        if !is_name(name) {
            let detail = "A secret's name has up to 63 of a-z, A-Z, 0-9 and _ and starts with a letter";
            return Err(Error::new(Code::InvalidValue, detail).with_field("name"));
        }
        if !LENGTH.contains(&value.len()) || value.contains('\0') {
            let detail = format!("A secret has {} to {} bytes", LENGTH.start(), LENGTH.end());
            return Err(Error::new(Code::InvalidValue, detail).with_field("value"));
        }
        let hosts = binding::read(hosts)?;
        let is_new = self.put(name, value, &hosts).await?;
        tracing::info!(secret = name, hosts = hosts.join(" "), "secret set");
        let stored = self.inner.store.secret(name).await?.ok_or_else(|| gone(name))?;
        Ok((self.listed(stored), is_new))
    }

    /// Stores a value; the one in whose place it comes becomes the previous one.
    pub(super) async fn put(&self, name: &str, value: &str, hosts: &[String]) -> Result<bool> {
        let sealed = self.inner.seal.close(&owner(name), value.as_bytes())?;
        let tx = self.inner.store.begin().await?;
        let previous = match tx.secret(name).await? {
            Some(before) => match self.open(&before) {
                Ok(same) if same == value => before.previous,
                Ok(_) => Some((before.value, date(tx.now()))),
                // Nobody can use it any more.
                Err(_) => None,
            },
            None => None,
        };
        let is_new = tx.put_secret(name, hosts, sealed, previous).await?;
        tx.commit().await?;
        Ok(is_new)
    }

    /// Removes a secret.
    pub async fn remove(&self, name: &str) -> Result<()> {
        if !is_name(name) {
            return Err(gone(name));
        }
        let tx = self.inner.store.begin().await?;
        if !tx.delete_secret(name).await? {
            return Err(gone(name));
        }
        tx.commit().await?;
        tracing::info!(secret = name, "secret removed");
        Ok(())
    }

    fn listed(&self, stored: StoredSecret) -> Listed {
        let problem = self.open(&stored).err().map(|error| error.detail);
        let StoredSecret { name, hosts, created_at, updated_at, last_used_at, .. } = stored;
        Listed { name, hosts, created_at, updated_at, last_used_at, problem }
    }
}

/// Names are those that an expression can hold. The daemon's own secret has none of them.
fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn gone(name: &str) -> Error {
    Error::new(Code::NotFound, format!("There is no secret \"{}\"", name.escape_debug()))
        .with_hint("See GET /api/secrets, or `trawl secrets list`.")
}
