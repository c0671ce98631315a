//! Tasks by their age, the oldest first, with how they have ended: how other systems' lists are paged.

use sea_orm::{ColumnTrait, Condition, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait};

use super::{
    Store, TaskFilter,
    entities::{task::Column, transcript},
    tasks::matching,
};
use crate::{
    domain::{Task, TaskStatus},
    error::Result,
};

/// How tasks have ended.
#[derive(Clone, Debug, Default)]
pub struct Ends {
    /// In one of these states; empty: in any.
    pub statuses: Vec<TaskStatus>,
    /// Whether something was recognised.
    pub has_result: Option<bool>,
    /// Whether it went wrong.
    pub has_error: Option<bool>,
}

impl Store {
    /// Tasks after the first `offset`, and how many there are in all. The filter's `status` and `before` are not looked at.
    pub async fn task_span(&self, filter: &TaskFilter, ends: &Ends, offset: u64) -> Result<(Vec<Task>, u64)> {
        let words: Vec<&str> = ends.statuses.iter().map(|status| status.as_str()).collect();
        let query = matching(self.dialect, &TaskFilter { status: None, ..filter.clone() })
            .apply_if(Some(words).filter(|words| !words.is_empty()), |query, words| {
                query.filter(Column::Status.is_in(words))
            })
            .apply_if(ends.has_result, |query, has| {
                let heard = transcript::Entity::find().select_only().column(transcript::Column::TaskId).into_query();
                let completed = Column::Status.eq(TaskStatus::Completed.as_str());
                let found = Condition::all().add(completed).add(Column::Id.in_subquery(heard));
                query.filter(if has { found } else { found.not() })
            })
            .apply_if(ends.has_error, |query, has| {
                let wrong = [TaskStatus::Failed.as_str(), TaskStatus::Cancelled.as_str()];
                query.filter(if has { Column::Status.is_in(wrong) } else { Column::Status.is_not_in(wrong) })
            });
        let total = query.clone().count(&self.read).await?;
        let rows = query.order_by_asc(Column::Id).offset(offset).limit(filter.limit).all(&self.read).await?;
        Ok((rows.into_iter().map(TryInto::try_into).collect::<Result<_>>()?, total))
    }
}
