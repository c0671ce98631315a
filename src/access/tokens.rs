//! Tokens are made, listed and taken back.

use chrono::{DateTime, Utc};

use super::{Access, key::Key};
use crate::{
    domain::{Quota, Scopes, Token, TokenId},
    error::{Code, Error, Result},
    store::{NewToken, Store, UsageRow},
};

/// The longest name, in characters.
const MAX_NAME: usize = 100;

/// A token that somebody wants.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// What its owner calls it: 1 to 100 characters.
    pub name: String,
    /// What it may be used for: at least one.
    pub scopes: Scopes,
    /// How much may be done with it; no number below 0.
    pub quota: Quota,
    /// When it stops counting.
    pub expires_at: Option<DateTime<Utc>>,
}

/// Makes a token. The key is to be shown to its owner and then forgotten: it cannot be shown again.
///
/// # Errors
/// `invalid_value` with the field.
pub async fn create(store: &Store, wanted: Wanted) -> Result<(Token, Key)> {
    let name = wanted.name.trim().to_owned();
    let wrong = |field: &str, rule: &str| Err(Error::new(Code::InvalidValue, rule).with_field(field));
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return wrong("name", "The token's name must have 1 to 100 characters");
    }
    if wanted.scopes == Scopes::default() {
        return wrong("scopes", "The token must have at least one scope: read, submit or admin");
    }
    if wanted.expires_at.is_some_and(|end| end <= Utc::now()) {
        return wrong("expires_at", "The token would have expired already");
    }
    let Quota { audio_seconds, bytes, tasks } = wanted.quota;
    if [audio_seconds, bytes, tasks].into_iter().flatten().any(|most| most < 0) {
        return wrong("quota", "A quota must be 0 or more");
    }
    let key = Key::random();
    let tx = store.begin().await?;
    let new = NewToken {
        key_id: key.id.clone(),
        sha256: key.sha256(),
        name,
        scopes: wanted.scopes,
        quota: wanted.quota,
        expires_at: wanted.expires_at,
    };
    let id = tx.insert_token(new).await?;
    let token = tx.token(id).await?;
    tx.commit().await?;
    let token = token.ok_or_else(|| Error::new(Code::Internal, "The token that was just made cannot be read"))?;
    tracing::info!(token = %token.id, key = token.key_id, "access token made");
    Ok((token, key))
}

/// Takes a token back: it counts no longer from the next request on. One that was taken back before stays so.
///
/// # Errors
/// `not_found`.
pub async fn revoke(store: &Store, id: TokenId) -> Result<()> {
    let tx = store.begin().await?;
    tx.token(id).await?.ok_or_else(|| Error::new(Code::NotFound, format!("There is no access token {id}")))?;
    tx.revoke_token(id).await?;
    tx.commit().await?;
    tracing::info!(token = %id, "access token revoked");
    Ok(())
}

impl Access {
    /// Makes a token: see [`create`].
    pub async fn create(&self, wanted: Wanted) -> Result<(Token, Key)> {
        create(&self.0.store, wanted).await
    }

    /// Every token, the newest first.
    pub async fn list(&self) -> Result<Vec<Token>> {
        self.flush().await?;
        self.0.store.tokens().await
    }

    /// Takes a token back: see [`revoke`].
    pub async fn revoke(&self, id: TokenId) -> Result<()> {
        revoke(&self.0.store, id).await
    }

    /// What was done since a day (counted from 1970, UTC), the newest day first; with one token, or with all.
    pub async fn usage(&self, only: Option<TokenId>, since: i64) -> Result<Vec<UsageRow>> {
        self.flush().await?;
        self.0.store.usage(only, since).await
    }
}
