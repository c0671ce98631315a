//! The items of `foreach` steps. None of this reads all rows of a task, save the gathering at a list's end.

use sea_orm::{ColumnTrait, Condition, EntityTrait, ExprTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr};
use serde_json::Value;

use super::{Column, Entity, StepRow};
use crate::{
    domain::{StepKind, StepState, TaskId},
    error::{Report, Result},
    store::{Tx, json::Json, rows},
};

/// A list of which one more item has ended.
#[derive(Clone, Debug)]
pub struct Counted {
    /// How many of its items have not ended.
    pub remaining: i64,
    /// 0 to 1.
    pub progress: f64,
}

/// How one item has ended.
#[derive(Clone, Debug)]
pub struct ItemEnd {
    /// Its place in the list.
    pub index: i64,
    /// Whether it has ended well.
    pub succeeded: bool,
    /// The item.
    pub item: Option<Value>,
    /// What it made.
    pub output: Option<Value>,
    /// Why it failed.
    pub error: Option<Report>,
}

impl Tx {
    /// Notes that one more item of a list has ended; none when the list does not wait any more.
    pub async fn count_down(&self, task: TaskId, list: &str) -> Result<Option<Counted>> {
        // The part that is done grows by one item's, whatever the number of items: 1 - (1 - p) * (r - 1) / r.
        let left = Expr::value(1.0).sub(Expr::col(Column::Progress));
        let left = left.mul(Expr::col(Column::Remaining).sub(1)).div(Expr::col(Column::Remaining));
        let is_it = Condition::all()
            .add(Column::TaskId.eq(task.0))
            .add(Column::Key.eq(list))
            .add(Column::State.eq(StepState::Waiting.as_str()));
        // In this order: MySQL counts with what stands before.
        Entity::update_many()
            .col_expr(Column::Progress, Expr::value(1.0).sub(left))
            .col_expr(Column::Remaining, Expr::col(Column::Remaining).sub(1))
            .filter(is_it.clone())
            .exec(&self.inner)
            .await?;
        let counted = Entity::find().select_only().columns([Column::Remaining, Column::Progress]).filter(is_it);
        let counted: Option<(Option<i64>, f64)> = counted.into_tuple().one(&self.inner).await?;
        Ok(counted.map(|(remaining, progress)| Counted { remaining: remaining.unwrap_or(0), progress }))
    }

    /// Lets up to `count` items of a list start that have waited for their turn; how many did. `kind` is that of the
    /// items' first rows.
    pub async fn start_items(&self, task: TaskId, list: &str, kind: StepKind, count: u64) -> Result<u64> {
        // Asked for by itself: MySQL takes no limit inside a change.
        let next: Vec<String> = Entity::find()
            .select_only()
            .column(Column::Id)
            .filter(Column::TaskId.eq(task.0))
            .filter(Column::List.eq(list))
            .filter(Column::State.eq(StepState::Blocked.as_str()))
            .filter(Column::Kind.eq(kind.as_str()))
            .order_by_asc(Column::ItemIndex)
            .limit(count)
            .into_tuple()
            .all(&self.inner)
            .await?;
        let started = Entity::update_many()
            .col_expr(Column::State, Expr::value(StepState::Ready.as_str()))
            .col_expr(Column::EligibleAt, Expr::value(self.now))
            .filter(Column::Id.is_in(next))
            .exec(&self.inner)
            .await?;
        Ok(started.rows_affected)
    }

    /// How every item of a list has ended, in the list's order. `kind` is that of the items' last rows.
    pub async fn item_ends(&self, task: TaskId, list: &str, kind: StepKind) -> Result<Vec<ItemEnd>> {
        type Found = (Option<i64>, String, Option<Json>, Option<Json>, Option<Json>);
        let found: Vec<Found> = Entity::find()
            .select_only()
            .columns([Column::ItemIndex, Column::State, Column::Item, Column::Output, Column::Error])
            .filter(of_list(task, list, kind))
            .order_by_asc(Column::ItemIndex)
            .into_tuple()
            .all(&self.inner)
            .await?;
        let read = |(index, state, item, output, error): Found| {
            let succeeded = state == StepState::Succeeded.as_str();
            let error = error.map(rows::read).transpose()?;
            let (item, output) = (item.map(|item| item.0), output.map(|output| output.0));
            Ok(ItemEnd { index: index.unwrap_or(0), succeeded, item, output, error })
        };
        found.into_iter().map(read).collect()
    }

    /// The ids of the rows of a list's items at these places.
    pub async fn items_at(&self, task: TaskId, list: &str, places: &[i64]) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        for some in places.chunks(1_000) {
            let query = Entity::find().select_only().column(Column::Id).filter(Column::TaskId.eq(task.0));
            let query = query.filter(Column::List.eq(list)).filter(Column::ItemIndex.is_in(some.iter().copied()));
            ids.extend(query.into_tuple::<String>().all(&self.inner).await?);
        }
        Ok(ids)
    }

    /// Makes a list that has failed wait for its items again, of which `remaining` have not ended well, within this
    /// deadline.
    pub async fn reopen_list(&self, id: &str, remaining: i64, progress: f64, deadline_at: Option<i64>) -> Result<()> {
        Entity::update_many()
            .col_expr(Column::State, Expr::value(StepState::Waiting.as_str()))
            .col_expr(Column::Remaining, Expr::value(remaining))
            .col_expr(Column::Progress, Expr::value(progress))
            .col_expr(Column::DeadlineAt, Expr::value(deadline_at))
            .filter(Column::Id.eq(id))
            .exec(&self.inner)
            .await?;
        Ok(())
    }

    /// A step which belongs to a list: the row of that list.
    pub async fn list_of(&self, item: &StepRow) -> Result<Option<StepRow>> {
        match &item.list {
            Some(list) => self.step_by_key(item.step.task_id, list).await,
            None => Ok(None),
        }
    }
}

fn of_list(task: TaskId, list: &str, kind: StepKind) -> Condition {
    Condition::all().add(Column::TaskId.eq(task.0)).add(Column::List.eq(list)).add(Column::Kind.eq(kind.as_str()))
}
