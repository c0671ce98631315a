//! Rows as they are shown: one by its name, the items of a list page by page, and what stands above and below a row.

use std::collections::HashMap;

use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{Column, Entity, StepRow};
use crate::{
    domain::{StepKind, StepState, TaskId},
    error::Result,
    store::{Store, entities::task},
};

/// How many steps are named in one query.
const STEPS_AT_ONCE: usize = 1_000;

/// Which items of a list to show.
#[derive(Clone, Debug)]
pub struct ItemFilter {
    /// The key of the `foreach` step.
    pub list: String,
    /// What it does. Of an item in two halves, the second one's row is the item's.
    pub kind: StepKind,
    /// In this state.
    pub state: Option<StepState>,
    /// At most this many.
    pub limit: u64,
    /// From this place in the list on.
    pub from: i64,
}

/// One page of a list's items, in the list's order.
#[derive(Clone, Debug)]
pub struct ListPage {
    /// The items' rows.
    pub rows: Vec<StepRow>,
    /// The place where the next page begins.
    pub next: Option<i64>,
    /// How many there are in each state, whatever was asked for; states without items are left out.
    pub counts: Vec<(StepState, u64)>,
}

impl Store {
    /// A page of the items of a list.
    pub async fn list_page(&self, task: TaskId, filter: &ItemFilter) -> Result<ListPage> {
        let items = Entity::find().filter(
            Condition::all()
                .add(Column::TaskId.eq(task.0))
                .add(Column::List.eq(&filter.list))
                .add(Column::Kind.eq(filter.kind.as_str())),
        );
        let mut found = items
            .clone()
            .apply_if(filter.state, |query, state| query.filter(Column::State.eq(state.as_str())))
            .filter(Column::ItemIndex.gte(filter.from))
            .order_by_asc(Column::ItemIndex)
            .limit(filter.limit + 1)
            .all(&self.read)
            .await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let next = found.get(limit).and_then(|row| row.item_index);
        found.truncate(limit);
        let mut counts = Vec::new();
        for state in StepState::ALL.iter().copied() {
            let count = items.clone().filter(Column::State.eq(state.as_str())).count(&self.read).await?;
            if count > 0 {
                counts.push((state, count));
            }
        }
        Ok(ListPage { rows: found.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, next, counts })
    }

    /// The tasks that are the work of these rows, by the rows' ids.
    pub async fn children_of(&self, steps: &[&str]) -> Result<HashMap<String, TaskId>> {
        let mut found = HashMap::new();
        for some in steps.chunks(STEPS_AT_ONCE) {
            let children: Vec<(String, i64)> = task::Entity::find()
                .select_only()
                .columns([task::Column::ParentStep, task::Column::Id])
                .filter(task::Column::ParentStep.is_in(some.iter().copied()))
                .into_tuple()
                .all(&self.read)
                .await?;
            found.extend(children.into_iter().map(|(step, task)| (step, TaskId(task))));
        }
        Ok(found)
    }

    /// The task of a row and the row's key.
    pub async fn place_of(&self, step: &str) -> Result<Option<(TaskId, String)>> {
        let query = Entity::find_by_id(step).select_only().columns([Column::TaskId, Column::Key]);
        let found: Option<(i64, String)> = query.into_tuple().one(&self.read).await?;
        Ok(found.map(|(task, key)| (TaskId(task), key)))
    }
}
