//! The posts of lists that workflows have seen: they outlive the tasks made of them.

use std::collections::HashMap;

use sea_orm::{ActiveValue::Set, ColumnTrait, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::{
    Store, Tx,
    entities::seen_item::{ActiveModel, Column, Entity},
    source_items::IDS_AT_ONCE,
};
use crate::error::Result;

impl Tx {
    /// Notes a post of a list as seen; false when it was seen before. `anchored`: everything behind it is known, too.
    pub async fn see_item(&self, list: &str, (platform, item_id): &(String, String), anchored: bool) -> Result<bool> {
        let model = ActiveModel {
            list: Set(list.to_owned()),
            platform: Set(platform.clone()),
            item_id: Set(item_id.clone()),
            anchored: Set(anchored),
            seen_at: Set(self.now),
        };
        self.insert_new(model, &[Column::List, Column::Platform, Column::ItemId]).await
    }

    /// Notes that everything behind the posts of a list that were seen so far is known.
    pub async fn anchor_seen(&self, list: &str) -> Result<()> {
        let update = Entity::update_many().col_expr(Column::Anchored, Expr::value(true));
        update.filter(Column::List.eq(list)).filter(Column::Anchored.eq(false)).exec(&self.inner).await?;
        Ok(())
    }
}

impl Store {
    /// Which of these posts (platform and id) of a list were seen before, and whether each of those is anchored.
    pub async fn seen_in_list(&self, list: &str, ids: &[(String, String)]) -> Result<HashMap<(String, String), bool>> {
        let mut seen = HashMap::new();
        for some in ids.chunks(IDS_AT_ONCE) {
            let found = Entity::find()
                .select_only()
                .columns([Column::Platform, Column::ItemId, Column::Anchored])
                .filter(Column::List.eq(list))
                .filter(Column::ItemId.is_in(some.iter().map(|(_, id)| id.as_str())))
                .into_tuple::<(String, String, bool)>()
                .all(&self.read)
                .await?;
            seen.extend(found.into_iter().map(|(platform, id, anchored)| ((platform, id), anchored)));
        }
        Ok(seen)
    }
}
