//! The posts seen in sources: they outlive the tasks made of them.

use std::collections::HashMap;

use sea_orm::{
    ActiveValue::Set, ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect,
    QueryTrait, sea_query::Expr,
};

use super::{
    Store, Tx, date,
    entities::{
        source_item::{ActiveModel, Column, Entity, Model},
        task,
    },
    rows,
};
use crate::{
    domain::{SourceId, SourceItem, TaskId, TaskStatus},
    error::{Report, Result},
};

/// As many ids are looked up with one query: databases limit the values of a statement.
pub(super) const IDS_AT_ONCE: usize = 500;

/// A post to be noted as seen.
#[derive(Clone, Debug)]
pub struct NewItem {
    /// Its platform.
    pub platform: String,
    /// Its id there, at most 255 characters.
    pub item_id: String,
    /// The link that resolves to it.
    pub link: String,
    /// Its title.
    pub title: String,
    /// When it was published, in milliseconds since 1970.
    pub published_at: Option<i64>,
    /// Whether it stands at the top whatever its age.
    pub pinned: bool,
    /// Whether everything behind it in the list is known too: the poll that saw it came to its end.
    pub anchored: bool,
    /// Why no task is made of it.
    pub error: Option<Report>,
}

/// One page of a source's posts, those seen last first.
#[derive(Clone, Debug)]
pub struct ItemPage {
    /// The posts.
    pub items: Vec<SourceItem>,
    /// What to ask for next.
    pub next: Option<i64>,
    /// How many there are in all.
    pub total: u64,
}

impl Tx {
    /// Notes a post as seen; none when it was seen before, else its number.
    pub async fn insert_item(&self, source: SourceId, item: NewItem) -> Result<Option<i64>> {
        let is_it = Condition::all()
            .add(Column::SourceId.eq(source.0))
            .add(Column::Platform.eq(item.platform.as_str()))
            .add(Column::ItemId.eq(item.item_id.as_str()));
        let model = ActiveModel {
            source_id: Set(source.0),
            platform: Set(item.platform),
            item_id: Set(item.item_id),
            link: Set(item.link),
            title: Set(item.title),
            published_at: Set(item.published_at),
            first_seen_at: Set(self.now),
            pinned: Set(item.pinned),
            anchored: Set(item.anchored),
            error: Set(item.error.as_ref().map(rows::json).transpose()?),
            ..Default::default()
        };
        if !self.insert_new(model, &[Column::SourceId, Column::Platform, Column::ItemId]).await? {
            return Ok(None);
        }
        let number = Entity::find().select_only().column(Column::Id).filter(is_it).into_tuple().one(&self.inner);
        Ok(number.await?)
    }

    /// Notes which task was made of a post.
    pub async fn set_item_task(&self, item: i64, task: TaskId) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::TaskId, Expr::value(task.0));
        update.filter(Column::Id.eq(item)).exec(&self.inner).await?;
        Ok(())
    }

    /// Notes that everything behind the posts seen so far is known.
    pub async fn anchor_items(&self, source: SourceId) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::Anchored, Expr::value(true))
            .filter(Column::SourceId.eq(source.0))
            .filter(Column::Anchored.eq(false))
            .exec(&self.inner)
            .await?;
        Ok(())
    }
}

impl Store {
    /// Which of these posts (platform and id) were seen before, and whether each of those is anchored.
    pub async fn seen_items(
        &self,
        source: SourceId,
        ids: &[(String, String)],
    ) -> Result<HashMap<(String, String), bool>> {
        let mut seen = HashMap::new();
        for some in ids.chunks(IDS_AT_ONCE) {
            let found = Entity::find()
                .select_only()
                .columns([Column::Platform, Column::ItemId, Column::Anchored])
                .filter(Column::SourceId.eq(source.0))
                .filter(Column::ItemId.is_in(some.iter().map(|(_, id)| id.as_str())))
                .into_tuple::<(String, String, bool)>()
                .all(&self.read)
                .await?;
            seen.extend(found.into_iter().map(|(platform, id, anchored)| ((platform, id), anchored)));
        }
        Ok(seen)
    }

    /// A page of at most `limit` posts of a source with numbers smaller than `before`.
    pub async fn source_items(&self, source: SourceId, limit: u64, before: Option<i64>) -> Result<ItemPage> {
        let query = Entity::find().filter(Column::SourceId.eq(source.0));
        let total = query.clone().count(&self.read).await?;
        let mut found = query
            .apply_if(before, |query, before| query.filter(Column::Id.lt(before)))
            .order_by_desc(Column::Id)
            .limit(limit + 1)
            .all(&self.read)
            .await?;
        let more = found.len() as u64 > limit;
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let next = found.last().filter(|_| more).map(|row| row.id);
        let statuses: HashMap<i64, String> = task::Entity::find()
            .select_only()
            .columns([task::Column::Id, task::Column::Status])
            .filter(task::Column::Id.is_in(found.iter().filter_map(|row| row.task_id)))
            .into_tuple()
            .all(&self.read)
            .await?
            .into_iter()
            .collect();
        let items = found.into_iter().map(|row| {
            let status = row.task_id.and_then(|id| statuses.get(&id)).map(|word| word.parse()).transpose()?;
            item(status, row)
        });
        let items = items.collect::<Result<_>>()?;
        Ok(ItemPage { items, next, total })
    }
}

fn item(status: Option<TaskStatus>, row: Model) -> Result<SourceItem> {
    Ok(SourceItem {
        id: row.id,
        platform: row.platform,
        item_id: row.item_id,
        link: row.link,
        title: row.title,
        published_at: row.published_at.map(date),
        first_seen_at: date(row.first_seen_at),
        task_id: row.task_id.map(TaskId),
        status,
        pinned: row.pinned,
        error: row.error.map(rows::read).transpose()?,
    })
}
