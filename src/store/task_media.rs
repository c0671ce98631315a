//! Which tasks use which media. A media stays, and its file with it, as long as one task uses it.

use std::collections::BTreeSet;

use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, ExprTrait, PaginatorTrait, QueryFilter, QuerySelect, QueryTrait,
    sea_query::{Expr, OnConflict, Query, SimpleExpr},
};

use super::{
    Store, Tx,
    entities::{
        media,
        task_media::{Column, Entity},
    },
    source_items::IDS_AT_ONCE,
};
use crate::{
    domain::{Media, MediaId, TaskId},
    error::Result,
};

impl Tx {
    /// Notes that a task uses these media, as far as they are here.
    pub async fn use_media(&self, task: TaskId, media: &BTreeSet<MediaId>) -> Result<()> {
        let media: Vec<MediaId> = media.iter().copied().collect();
        for some in media.chunks(IDS_AT_ONCE) {
            let here = Query::select()
                .expr(Expr::value(task.0))
                .column(media::Column::Id)
                .from(media::Entity)
                .and_where(media::Column::Id.is_in(some.iter().map(|id| id.0)))
                .to_owned();
            let pair = [Column::TaskId, Column::MediaId];
            let mut insert = Query::insert().into_table(Entity).columns(pair).to_owned();
            insert.select_from(here).map_err(|error| sea_orm::DbErr::Custom(error.to_string()))?;
            insert.on_conflict(OnConflict::columns(pair).do_nothing_on(pair).to_owned());
            self.inner.execute(&insert).await?;
        }
        Ok(())
    }

    /// The media that a task uses.
    pub async fn media_used_by(&self, task: TaskId) -> Result<BTreeSet<MediaId>> {
        let query = Entity::find().select_only().column(Column::MediaId).filter(Column::TaskId.eq(task.0));
        Ok(query.into_tuple::<i64>().all(&self.inner).await?.into_iter().map(MediaId).collect())
    }

    /// Removes those of these media that no task uses, and returns them. Their files are still there.
    pub async fn take_unused_media(&self, ids: &BTreeSet<MediaId>) -> Result<Vec<Media>> {
        let ids: Vec<MediaId> = ids.iter().copied().collect();
        let mut taken: Vec<Media> = Vec::new();
        for some in ids.chunks(IDS_AT_ONCE) {
            let among = media::Column::Id.is_in(some.iter().map(|id| id.0));
            let unused = media::Entity::find().filter(among.clone()).filter(is_unused()).all(&self.inner).await?;
            media::Entity::delete_many().filter(among).filter(is_unused()).exec(&self.inner).await?;
            taken.extend(unused.into_iter().map(Media::from));
        }
        Ok(taken)
    }

    /// Removes media older than `before` (milliseconds since 1970) that no task uses; how many. Their files are still
    /// there.
    pub async fn delete_stale_media(&self, before: i64) -> Result<u64> {
        let stale = media::Entity::delete_many().filter(media::Column::CreatedAt.lt(before)).filter(is_unused());
        Ok(stale.exec(&self.inner).await?.rows_affected)
    }
}

impl Store {
    /// Whether it is noted that a task uses all these media.
    pub async fn uses_media(&self, task: TaskId, media: &BTreeSet<MediaId>) -> Result<bool> {
        let media: Vec<MediaId> = media.iter().copied().collect();
        for some in media.chunks(IDS_AT_ONCE) {
            let noted = Entity::find()
                .filter(Column::TaskId.eq(task.0))
                .filter(Column::MediaId.is_in(some.iter().map(|id| id.0)))
                .count(&self.read)
                .await?;
            if noted < some.len() as u64 {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Of a row of `media`: that no task uses it.
fn is_unused() -> SimpleExpr {
    let of_it = Expr::col((Entity, Column::MediaId)).equals((media::Entity, media::Column::Id));
    Expr::exists(Entity::find().select_only().column(Column::TaskId).filter(of_it).into_query()).not()
}
