//! Sources: followed lists of posts.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};

use super::{
    Store, Tx, date,
    entities::{
        source::{ActiveModel, Column, Entity, Model},
        source_item,
    },
    rows,
};
use crate::{
    domain::{Source, SourceId, SourceState, Wishes},
    error::{Error, Report, Result},
};

/// A source to be written.
#[derive(Clone, Debug)]
pub struct NewSource {
    /// What tells it from every other source: at most 64 bytes, unique.
    pub key: String,
    /// The platform that it belongs to.
    pub platform: String,
    /// The link by which it is listed.
    pub link: String,
    /// What it is called.
    pub title: String,
    /// What is done with its new posts.
    pub wishes: Wishes,
    /// How many pages one poll may read.
    pub pages: u32,
    /// Posts older than this are not news, in milliseconds since 1970.
    pub horizon: Option<i64>,
}

/// How a poll ended.
#[derive(Clone, Debug, Default)]
pub struct PollNote {
    /// The `ETag` to ask with next time.
    pub etag: Option<String>,
    /// The `Last-Modified` to ask with next time.
    pub last_modified: Option<String>,
    /// Whether there was something new.
    pub found: bool,
    /// Why it broke off.
    pub error: Option<Report>,
    /// What it may have missed: noted like an error, but not counted as a failure.
    pub warning: Option<Report>,
}

/// One page of sources, the newest first.
#[derive(Clone, Debug)]
pub struct SourcePage {
    /// The sources, each with the number of posts seen in it.
    pub sources: Vec<(Source, u64)>,
    /// What to ask for next.
    pub next: Option<SourceId>,
    /// How many there are in all.
    pub total: u64,
}

impl Tx {
    /// Writes a source and returns its id.
    pub async fn insert_source(&self, source: NewSource) -> Result<SourceId> {
        let model = ActiveModel {
            key: Set(source.key),
            platform: Set(source.platform),
            link: Set(source.link),
            title: Set(source.title),
            state: Set(SourceState::Active.to_string()),
            workflow: Set(source.wishes.workflow),
            params: Set(rows::json(&source.wishes.params)?),
            options: Set(rows::json(&source.wishes.options)?),
            priority: Set(source.wishes.priority.to_string()),
            callback_url: Set(source.wishes.callback_url),
            pages: Set(source.pages.into()),
            horizon: Set(source.horizon),
            failures: Set(0),
            created_at: Set(self.now),
            ..Default::default()
        };
        Ok(SourceId(Entity::insert(model).exec(&self.inner).await?.last_insert_id))
    }

    /// Reads a source and keeps every other writer from changing it until the transaction ends, as [`Tx::lock_task`] does.
    pub async fn lock_source(&self, id: SourceId) -> Result<Option<Source>> {
        Entity::find_by_id(id.0).one(&self.inner).await?.map(TryInto::try_into).transpose()
    }

    /// The source with this key.
    pub async fn source_of_key(&self, key: &str) -> Result<Option<SourceId>> {
        let row = Entity::find().filter(Column::Key.eq(key)).one(&self.inner).await?;
        Ok(row.map(|row| SourceId(row.id)))
    }

    /// Writes what people may change of a source: its title, state, wishes and pages.
    pub async fn change_source(&self, source: &Source) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Title, Expr::value(source.title.as_str()))
            .col_expr(Column::State, Expr::value(source.state.as_str()))
            .col_expr(Column::Workflow, Expr::value(source.wishes.workflow.as_str()))
            .col_expr(Column::Params, Expr::value(rows::json(&source.wishes.params)?))
            .col_expr(Column::Options, Expr::value(rows::json(&source.wishes.options)?))
            .col_expr(Column::Priority, Expr::value(source.wishes.priority.as_str()))
            .col_expr(Column::CallbackUrl, Expr::value(source.wishes.callback_url.clone()))
            .col_expr(Column::Pages, Expr::value(i64::from(source.pages)))
            .filter(Column::Id.eq(source.id.0))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// Notes how a poll ended.
    pub async fn note_poll(&self, id: SourceId, note: &PollNote) -> Result<()> {
        let error = note.error.as_ref().or(note.warning.as_ref()).map(rows::json).transpose()?;
        let failures = match note.error {
            Some(_) => Expr::col(Column::Failures).add(1),
            None => Expr::value(0),
        };
        let update = Entity::update_many()
            .col_expr(Column::Etag, Expr::value(note.etag.clone()))
            .col_expr(Column::LastModified, Expr::value(note.last_modified.clone()))
            .col_expr(Column::LastPolledAt, Expr::value(self.now))
            .col_expr(Column::Failures, failures)
            .col_expr(Column::LastError, Expr::value(error));
        let update = if note.found { update.col_expr(Column::LastNewAt, Expr::value(self.now)) } else { update };
        update.filter(Column::Id.eq(id.0)).exec(&self.inner).await?;
        Ok(())
    }

    /// Removes a source with the posts seen in it; whether it was there. The tasks made of them stay.
    pub async fn delete_source(&self, id: SourceId) -> Result<bool> {
        Ok(Entity::delete_by_id(id.0).exec(&self.inner).await?.rows_affected > 0)
    }
}

impl Store {
    /// One source.
    pub async fn source(&self, id: SourceId) -> Result<Option<Source>> {
        Entity::find_by_id(id.0).one(&self.read).await?.map(TryInto::try_into).transpose()
    }

    /// How many posts were seen in a source.
    pub async fn count_items(&self, id: SourceId) -> Result<u64> {
        let of_it = source_item::Entity::find().filter(source_item::Column::SourceId.eq(id.0));
        Ok(of_it.count(&self.read).await?)
    }

    /// A page of at most `limit` sources with ids smaller than `before`, in this state.
    pub async fn sources(
        &self,
        state: Option<SourceState>,
        limit: u64,
        before: Option<SourceId>,
    ) -> Result<SourcePage> {
        let query = Entity::find().apply_if(state, |query, state| query.filter(Column::State.eq(state.as_str())));
        let total = query.clone().count(&self.read).await?;
        let mut found = query
            .apply_if(before, |query, before| query.filter(Column::Id.lt(before.0)))
            .order_by_desc(Column::Id)
            .limit(limit + 1)
            .all(&self.read)
            .await?;
        let more = found.len() as u64 > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| more).map(|row| SourceId(row.id));
        let counts: HashMap<i64, i64> = source_item::Entity::find()
            .select_only()
            .column(source_item::Column::SourceId)
            .column_as(source_item::Column::Id.count(), "items")
            .filter(source_item::Column::SourceId.is_in(found.iter().map(|row| row.id)))
            .group_by(source_item::Column::SourceId)
            .into_tuple()
            .all(&self.read)
            .await?
            .into_iter()
            .collect();
        let counted = |row: Model| {
            let items = counts.get(&row.id).copied().unwrap_or(0);
            Ok((row.try_into()?, u64::try_from(items).unwrap_or(0)))
        };
        Ok(SourcePage { sources: found.into_iter().map(counted).collect::<Result<_>>()?, next, total })
    }
}

impl TryFrom<Model> for Source {
    type Error = Error;

    fn try_from(row: Model) -> Result<Self> {
        Ok(Self {
            id: SourceId(row.id),
            platform: row.platform,
            link: row.link,
            title: row.title,
            state: row.state.parse()?,
            wishes: Wishes {
                workflow: row.workflow,
                params: rows::read(row.params)?,
                options: rows::read(row.options)?,
                priority: row.priority.parse()?,
                callback_url: row.callback_url,
            },
            pages: u32::try_from(row.pages).unwrap_or(1),
            horizon: row.horizon.map(date),
            etag: row.etag,
            last_modified: row.last_modified,
            last_polled_at: row.last_polled_at.map(date),
            last_new_at: row.last_new_at.map(date),
            failures: row.failures,
            last_error: row.last_error.map(rows::read).transpose()?,
            created_at: date(row.created_at),
        })
    }
}
