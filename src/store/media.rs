//! Media and uploads.

use std::collections::HashSet;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, OnConflict},
};

use super::{
    Store, Tx, date,
    entities::{
        media::{ActiveModel, Column, Entity},
        task, upload,
    },
    search::{self, Searched},
};
use crate::{
    domain::{Media, MediaId, TokenId},
    error::Result,
};

/// A media to be written; one with the same platform and id is brought up to date instead.
#[derive(Clone, Debug, Default)]
pub struct NewMedia {
    /// Where it comes from.
    pub platform: String,
    /// Its id there.
    pub platform_id: String,
    /// The page that shows it.
    pub page_url: Option<String>,
    /// Its title.
    pub title: String,
    /// Who made it.
    pub author: Option<String>,
    /// How long it is.
    pub duration_ms: Option<i64>,
    /// When it was published, in milliseconds since 1970.
    pub published_at: Option<i64>,
}

/// An upload to be written.
#[derive(Clone, Debug)]
pub struct NewUpload {
    /// Its id, a UUID.
    pub id: String,
    /// What the person's file is called: display text.
    pub file_name: String,
    /// The key of the kept file.
    pub file: String,
    /// Its size in bytes.
    pub size: i64,
    /// Its SHA-256.
    pub sha256: String,
    /// Its content type, by its bytes.
    pub content_type: Option<String>,
    /// The access token that it came with.
    pub owner: Option<TokenId>,
}

/// A finished upload.
pub type Upload = NewUpload;

impl Tx {
    /// Writes a media or brings it up to date, and returns its id.
    pub async fn upsert_media(&self, media: NewMedia) -> Result<MediaId> {
        let model = ActiveModel {
            platform: Set(media.platform.clone()),
            platform_id: Set(media.platform_id.clone()),
            page_url: Set(media.page_url),
            title: Set(media.title.clone()),
            author: Set(media.author.clone()),
            duration_ms: Set(media.duration_ms),
            published_at: Set(media.published_at),
            created_at: Set(self.now),
            ..Default::default()
        };
        let update = OnConflict::columns([Column::Platform, Column::PlatformId])
            .update_columns([Column::PageUrl, Column::Title, Column::Author, Column::DurationMs, Column::PublishedAt])
            .to_owned();
        Entity::insert(model).on_conflict(update).exec_without_returning(&self.inner).await?;
        let text = search::of_media(&media.title, media.author.as_deref());
        let row = Entity::find()
            .filter(Column::Platform.eq(media.platform))
            .filter(Column::PlatformId.eq(media.platform_id))
            .one(&self.inner)
            .await?;
        let id = row.ok_or(sea_orm::DbErr::RecordNotInserted)?.id;
        self.set_words(Searched::Media, id, &text).await?;
        Ok(MediaId(id))
    }

    /// Notes where a media's file is kept.
    pub async fn set_media_file(
        &self,
        id: MediaId,
        file: &str,
        size: i64,
        sha256: &str,
        content_type: Option<&str>,
    ) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::File, Expr::value(file))
            .col_expr(Column::Size, Expr::value(size))
            .col_expr(Column::Sha256, Expr::value(sha256))
            .col_expr(Column::ContentType, Expr::value(content_type))
            .col_expr(Column::FileRemovedAt, Expr::value(Option::<i64>::None))
            .filter(Column::Id.eq(id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Notes how long a media is, once its file has been looked at.
    pub async fn set_media_duration(&self, id: MediaId, duration_ms: i64) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::DurationMs, Expr::value(duration_ms));
        update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        Ok(())
    }

    /// Reads a media inside the transaction.
    pub async fn media(&self, id: MediaId) -> Result<Option<Media>> {
        Ok(Entity::find_by_id(id.0).one(&self.inner).await?.map(Into::into))
    }

    /// Whether a kept file belongs to any media or upload.
    pub async fn file_is_used(&self, file: &str) -> Result<bool> {
        let media = Entity::find().filter(Column::File.eq(file)).count(&self.inner).await?;
        let uploads = upload::Entity::find().filter(upload::Column::File.eq(file)).count(&self.inner).await?;
        Ok(media + uploads > 0)
    }

    /// Writes a finished upload.
    pub async fn insert_upload(&self, new: NewUpload) -> Result<()> {
        upload::Entity::insert(upload::ActiveModel {
            id: Set(new.id),
            file_name: Set(new.file_name),
            file: Set(new.file),
            size: Set(new.size),
            sha256: Set(new.sha256),
            content_type: Set(new.content_type),
            owner: Set(new.owner.map(|id| id.0)),
            created_at: Set(self.now),
        })
        .exec(&self.inner)
        .await?;
        Ok(())
    }
}

impl Tx {
    /// Removes uploads older than `before` (milliseconds since 1970) that no task names, and returns their files' keys.
    pub async fn take_stale_uploads(&self, before: i64) -> Result<Vec<String>> {
        let old = upload::Entity::find().filter(upload::Column::CreatedAt.lt(before)).all(&self.inner).await?;
        let mut files = Vec::new();
        for row in old {
            files.extend(self.take_upload(&row.id).await?);
        }
        Ok(files)
    }

    /// Removes an upload and returns its file's key; none while a task is about it or has it among its parameters.
    pub async fn take_upload(&self, id: &str) -> Result<Option<String>> {
        let link = format!("upload:{id}");
        let named = task::Column::Params.like(format!("%{link}%"));
        let is_used = task::Column::Link.eq(link).or(named);
        if task::Entity::find().filter(is_used).one(&self.inner).await?.is_some() {
            return Ok(None);
        }
        let row = upload::Entity::find_by_id(id).one(&self.inner).await?;
        upload::Entity::delete_by_id(id).exec(&self.inner).await?;
        Ok(row.map(|row| row.file))
    }
}

impl Store {
    /// Those of some files' keys, at most 500, that no media and no upload names.
    pub async fn unnamed_files(&self, mut keys: Vec<String>) -> Result<Vec<String>> {
        let media = Entity::find().select_only().column(Column::File).filter(Column::File.is_in(&keys));
        let uploads = upload::Entity::find().select_only().column(upload::Column::File);
        let uploads = uploads.filter(upload::Column::File.is_in(&keys));
        let mut named: HashSet<String> = media.into_tuple().all(&self.read).await?.into_iter().collect();
        named.extend(uploads.into_tuple::<String>().all(&self.read).await?);
        keys.retain(|key| !named.contains(key));
        Ok(keys)
    }

    /// One media.
    pub async fn media(&self, id: MediaId) -> Result<Option<Media>> {
        Ok(Entity::find_by_id(id.0).one(&self.read).await?.map(Into::into))
    }

    /// Several media by their ids, in no order.
    pub async fn media_of(&self, ids: &[MediaId]) -> Result<Vec<Media>> {
        let ids = ids.iter().map(|id| id.0);
        Ok(Entity::find().filter(Column::Id.is_in(ids)).all(&self.read).await?.into_iter().map(Into::into).collect())
    }

    /// One upload, with the time when it was made.
    pub async fn upload(&self, id: &str) -> Result<Option<(Upload, chrono::DateTime<chrono::Utc>)>> {
        let row = upload::Entity::find_by_id(id).one(&self.read).await?;
        Ok(row.map(|row| {
            let made = date(row.created_at);
            let upload = Upload {
                id: row.id,
                file_name: row.file_name,
                file: row.file,
                size: row.size,
                sha256: row.sha256,
                content_type: row.content_type,
                owner: row.owner.map(TokenId),
            };
            (upload, made)
        }))
    }
}
