//! Secrets by name: kept encrypted, shown to the hosts that they are bound to, and to nobody else.
//!
//! Callers may rely on this: no value comes out but through [`Secrets::reveal`] and [`Secrets::value`], and those refuse
//! every host that the secret is not bound to; what was revealed to a job is known to its [`Revealed`], which takes it out
//! of everything that the job leaves behind.

mod binding;
mod manage;
mod revealed;
mod signing;
#[cfg(test)]
mod tests;

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

use serde_json::Value;

pub use self::{manage::Listed, revealed::Revealed, signing::Signing};
use crate::{
    error::{Code, Error, Result},
    seal::Seal,
    store::{Store, StoredSecret},
    workflow::template::{self, Piece},
};

/// The secrets in a store. Cheap to clone.
#[derive(Clone)]
pub struct Secrets {
    inner: Arc<Inner>,
    revealed: Revealed,
}

struct Inner {
    store: Arc<Store>,
    seal: Seal,
}

impl Secrets {
    /// The secrets in a store, encrypted with `key`.
    pub fn new(store: Arc<Store>, key: &[u8; 32]) -> Self {
        Self { inner: Arc::new(Inner { store, seal: Seal::new(key) }), revealed: Revealed::default() }
    }

    /// The same secrets with a record of its own of what is revealed.
    pub fn for_job(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), revealed: Revealed::default() }
    }

    /// What was revealed through this clone.
    pub fn revealed(&self) -> &Revealed {
        &self.revealed
    }

    /// Fills the expressions of a field from `scope`, secrets included. `host` is who will see it: the host of a link, or
    /// `exec:<name>`.
    ///
    /// # Errors
    /// `secret_refused` for a secret that is not there or not bound to `host`; `expression` as [`template::fill`].
    pub async fn reveal(&self, template: &Value, scope: &Value, host: &str) -> Result<Value> {
        let names = names(template);
        let mut values = HashMap::new();
        for name in &names {
            let value = self.open(&self.bound(name, host).await?)?;
            self.revealed.add(&value);
            values.insert(name.clone(), value);
        }
        self.note(names.iter().map(String::as_str)).await?;
        let (template, scope) = (template.clone(), scope.clone());
        let fill = move || {
            let of = |name: &str| values.get(name).cloned().ok_or_else(|| missing(name));
            template::fill_with(&template, &scope, &of)
        };
        // Expressions may take a while.
        tokio::task::spawn_blocking(fill)
            .await
            .map_err(|error| Error::new(Code::Internal, "A field cannot be filled in").with_source(error))?
    }

    /// One secret for a host.
    pub async fn value(&self, name: &str, host: &str) -> Result<String> {
        let value = self.open(&self.bound(name, host).await?)?;
        self.note([name].into_iter()).await?;
        Ok(value)
    }

    /// Refuses a secret that is not there or not bound to a host.
    pub async fn check(&self, name: &str, host: &str) -> Result<()> {
        self.bound(name, host).await.map(drop)
    }

    async fn bound(&self, name: &str, host: &str) -> Result<StoredSecret> {
        let stored = self.inner.store.secret(name).await?.ok_or_else(|| missing(name))?;
        if stored.hosts.iter().any(|bound| binding::covers(bound, host)) {
            return Ok(stored);
        }
        let detail = format!("The secret \"{name}\" is not bound to {}", host.escape_debug());
        Err(Error::new(Code::SecretRefused, detail))
    }

    fn open(&self, stored: &StoredSecret) -> Result<String> {
        let opened = self.inner.seal.open(&owner(&stored.name), &stored.value);
        opened.and_then(|bytes| String::from_utf8(bytes).ok()).ok_or_else(|| unreadable(&stored.name))
    }

    async fn note(&self, names: impl Iterator<Item = &str>) -> Result<()> {
        let names: Vec<&str> = names.collect();
        if names.is_empty() {
            return Ok(());
        }
        let tx = self.inner.store.begin().await?;
        tx.note_secrets(&names).await?;
        tx.commit().await
    }
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secrets")
    }
}

/// The name in a template that is one secret and nothing else, such as `${secrets.callback}`.
pub fn named(template: &Value) -> Option<String> {
    match template::parse(template.as_str()?).ok()?.as_slice() {
        [Piece::Expr(source)] => template::secret_name(source).map(str::to_owned),
        _ => None,
    }
}

/// Whether a template holds a secret anywhere.
pub fn holds_any(template: &Value) -> bool {
    !names(template).is_empty()
}

/// The names of all secrets in a template.
fn names(template: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    collect(template, &mut found);
    found
}

fn collect(template: &Value, found: &mut BTreeSet<String>) {
    match template {
        Value::String(text) => {
            let pieces = template::parse(text).unwrap_or_default();
            found.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Expr(source) => template::secret_name(source).map(str::to_owned),
                Piece::Text(_) => None,
            }));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| collect(field, found)),
        _ => {}
    }
}

/// What a value is bound to inside its encryption.
fn owner(name: &str) -> String {
    format!("secret:{name}")
}

fn missing(name: &str) -> Error {
    Error::new(Code::SecretRefused, format!("There is no secret \"{}\"", name.escape_debug()))
        .with_hint("Set it with `trawl secrets set NAME --host HOST`, or PUT /api/secrets/NAME.")
}

/// The error for a value that does not open.
fn unreadable(name: &str) -> Error {
    Error::new(Code::Config, format!("The secret \"{name}\" was encrypted with another key than the present one"))
        .with_hint("Put the old `secrets.key` back (or the file in `paths.data`), or set the secret again.")
        .for_good()
}
