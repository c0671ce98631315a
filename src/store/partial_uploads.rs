//! Uploads that come in pieces.

use std::collections::HashSet;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::{
    Store, Tx,
    entities::partial_upload::{ActiveModel, Column, Entity, Model},
};
use crate::{domain::TokenId, error::Result};

/// An upload in pieces: what is known about it besides the bytes that are here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialUpload {
    /// Its id, a UUID: that of the upload which it becomes.
    pub id: String,
    /// The access token that it came with.
    pub owner: Option<TokenId>,
    /// What the person's file is called: display text.
    pub file_name: String,
    /// What the client said about it, word for word.
    pub metadata: String,
    /// The whole file's size in bytes.
    pub length: i64,
    /// When it is given up, in milliseconds since 1970.
    pub expires_at: i64,
}

impl From<Model> for PartialUpload {
    fn from(row: Model) -> Self {
        let Model { id, owner, file_name, metadata, length, expires_at } = row;
        Self { id, owner: owner.map(TokenId), file_name, metadata, length, expires_at }
    }
}

impl Tx {
    /// Writes a new one.
    pub async fn insert_partial_upload(&self, new: PartialUpload) -> Result<()> {
        let row = ActiveModel {
            id: Set(new.id),
            owner: Set(new.owner.map(|id| id.0)),
            file_name: Set(new.file_name),
            metadata: Set(new.metadata),
            length: Set(new.length),
            expires_at: Set(new.expires_at),
        };
        Entity::insert(row).exec(&self.inner).await?;
        Ok(())
    }

    /// Gives it until `expires_at`, in milliseconds since 1970.
    pub async fn prolong_partial_upload(&self, id: &str, expires_at: i64) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::ExpiresAt, Expr::value(expires_at));
        update.filter(Column::Id.eq(id)).exec(&self.inner).await?;
        Ok(())
    }

    /// Removes it.
    pub async fn delete_partial_upload(&self, id: &str) -> Result<()> {
        Entity::delete_by_id(id).exec(&self.inner).await?;
        Ok(())
    }
}

impl Store {
    /// One upload in pieces.
    pub async fn partial_upload(&self, id: &str) -> Result<Option<PartialUpload>> {
        Ok(Entity::find_by_id(id).one(&self.read).await?.map(Into::into))
    }

    /// The ids of those that came with a token.
    pub async fn partial_uploads_of(&self, owner: TokenId) -> Result<HashSet<String>> {
        let ids = Entity::find().select_only().column(Column::Id).filter(Column::Owner.eq(owner.0));
        let ids: Vec<String> = ids.into_tuple().all(&self.read).await?;
        Ok(ids.into_iter().collect())
    }

    /// The ids of those that expired before `before`, in milliseconds since 1970.
    pub async fn expired_partial_uploads(&self, before: i64) -> Result<Vec<String>> {
        let ids = Entity::find().select_only().column(Column::Id).filter(Column::ExpiresAt.lt(before));
        Ok(ids.into_tuple().all(&self.read).await?)
    }
}
