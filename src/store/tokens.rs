//! Access tokens. The tokens themselves never arrive here, only their hashes.

use chrono::{DateTime, Utc};
use sea_orm::{
    ActiveValue::{NotSet, Set},
    ColumnTrait, EntityTrait, QueryFilter, QueryOrder,
    sea_query::Expr,
};

use super::{
    Store, Tx, date,
    entities::token::{ActiveModel, Column, Entity, Model},
};
use crate::{
    domain::{Quota, Scope, Scopes, Token, TokenId},
    error::Result,
};

/// A token to be written.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// The part of it that may be shown.
    pub key_id: String,
    /// The hash of the whole.
    pub sha256: [u8; 32],
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: Scopes,
    /// How much may be done with it.
    pub quota: Quota,
    /// When it stops counting.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Tx {
    /// Writes a token and returns its id.
    pub async fn insert_token(&self, new: NewToken) -> Result<TokenId> {
        let words: Vec<&str> = new.scopes.iter().map(Scope::as_str).collect();
        let model = ActiveModel {
            id: NotSet,
            key_id: Set(new.key_id),
            sha256: Set(new.sha256.to_vec()),
            name: Set(new.name),
            scopes: Set(words.join(" ")),
            created_at: Set(self.now),
            expires_at: Set(new.expires_at.map(|at| at.timestamp_millis())),
            last_used_at: Set(None),
            revoked_at: Set(None),
            max_audio_seconds: Set(new.quota.audio_seconds),
            max_bytes: Set(new.quota.bytes),
            max_tasks: Set(new.quota.tasks),
        };
        Ok(TokenId(Entity::insert(model).exec(&self.inner).await?.last_insert_id))
    }

    /// Reads a token inside the transaction.
    pub async fn token(&self, id: TokenId) -> Result<Option<Token>> {
        Ok(Entity::find_by_id(id.0).one(&self.inner).await?.map(Into::into))
    }

    /// Takes a token back; one that is taken back already stays as it is.
    pub async fn revoke_token(&self, id: TokenId) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::RevokedAt, Expr::value(self.now));
        update.filter(Column::Id.eq(id.0)).filter(Column::RevokedAt.is_null()).exec(&self.inner).await?;
        Ok(())
    }

    /// Has a token end at another time, in milliseconds since 1970.
    #[cfg(test)]
    pub async fn set_token_end(&self, id: TokenId, end: i64) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::ExpiresAt, Expr::value(end));
        update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        Ok(())
    }

    /// Notes when tokens were last used, in milliseconds since 1970.
    pub async fn note_tokens(&self, used: &[(TokenId, i64)]) -> Result<()> {
        for (id, at) in used {
            let update = Entity::update_many().col_expr(Column::LastUsedAt, Expr::value(*at));
            update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        }
        Ok(())
    }
}

impl Store {
    /// One token.
    pub async fn token(&self, id: TokenId) -> Result<Option<Token>> {
        Ok(Entity::find_by_id(id.0).one(&self.read).await?.map(Into::into))
    }

    /// The token with this name, and its hash.
    pub async fn token_by_key(&self, key_id: &str) -> Result<Option<(Token, Vec<u8>)>> {
        let row = Entity::find().filter(Column::KeyId.eq(key_id)).one(&self.read).await?;
        Ok(row.map(|mut row| (std::mem::take(&mut row.sha256), row)).map(|(sha256, row)| (row.into(), sha256)))
    }

    /// Every token, the newest first.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows = Entity::find().order_by_desc(Column::Id).all(&self.read).await?;
        Ok(rows.into_iter().map(Into::into).collect())
    }
}

impl From<Model> for Token {
    fn from(row: Model) -> Self {
        Self {
            id: TokenId(row.id),
            key_id: row.key_id,
            name: row.name,
            // A word of a newer version allows nothing here.
            scopes: row.scopes.split(' ').filter_map(|word| word.parse::<Scope>().ok()).collect(),
            quota: Quota { audio_seconds: row.max_audio_seconds, bytes: row.max_bytes, tasks: row.max_tasks },
            created_at: date(row.created_at),
            expires_at: row.expires_at.map(date),
            last_used_at: row.last_used_at.map(date),
            revoked_at: row.revoked_at.map(date),
        }
    }
}
