//! Steps of a task by themselves, and the items of those that work on a list.

use poem_openapi::{
    OpenApi,
    param::{Path, Query},
    payload::Json,
};

use super::{
    Context, Group,
    step_views::{StepItems, StepView},
    views::Parent,
};
use crate::{
    api::{cursor, words::Word},
    domain::{StepKind, StepState, Task, TaskId},
    error::{Code, Error, Result},
    store::{ItemFilter, StepRow},
};

/// Steps.
pub(in crate::api) struct Steps(pub(super) Context);

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Tasks")]
impl Steps {
    /// Look at a step
    ///
    /// With its whole output, however large. The items of lists have names such as `text[0]`.
    ///
    /// 查看任务的一个步骤及其完整输出；列表条目的名称形如 `text[0]`。
    #[oai(path = "/api/tasks/:id/steps/:step", method = "get", operation_id = "get_step")]
    async fn get(
        &self,
        /// The task.
        id: Path<i64>,
        /// The step's `key`.
        step: Path<String>,
    ) -> poem::Result<Json<StepView>> {
        let row = self.0.step(TaskId(id.0), &step.0).await?;
        let children = self.0.store().children_of(&[&row.step.id]).await?;
        let child = children.get(&row.step.id).copied();
        Ok(Json(StepView::new(row, child)))
    }

    /// List a step's items
    ///
    /// Of a step with `foreach`: each item with where it stands, in the list's order. Empty before the list is known, and
    /// for steps without one.
    ///
    /// 列出 `foreach` 步骤的条目及各自的状态、错误与输出，按列表顺序排列。
    #[oai(path = "/api/tasks/:id/steps/:step/items", method = "get", operation_id = "step_items")]
    async fn items(
        &self,
        /// The task.
        id: Path<i64>,
        /// The step's `key`.
        step: Path<String>,
        /// In this state.
        state: Query<Option<Word<StepState>>>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<StepItems>> {
        let state = state.0.map(|word| word.0);
        // Cursors are of numbers from 1, places in lists from 0.
        let from = cursor.0.as_deref().map(cursor::decode).transpose()?.map_or(0, |number| number - 1);
        let whole = self.0.step(TaskId(id.0), &step.0).await?.step;
        let filter = ItemFilter { list: whole.key, kind: whole.kind, state, limit: limit.0, from };
        let page = self.0.store().list_page(whole.task_id, &filter).await?;
        let of_state = |wanted: &&(StepState, u64)| state.is_none_or(|state| state == wanted.0);
        Ok(Json(StepItems {
            total: page.counts.iter().filter(of_state).map(|(_, count)| count).sum(),
            items: self.0.step_views(page.rows).await?,
            next_cursor: page.next.map(|place| cursor::encode(place + 1)),
            counts: page.counts.into_iter().map(|(state, count)| (state.to_string(), count)).collect(),
        }))
    }
}

impl Context {
    /// Rows as they are shown beside each other.
    pub(super) async fn step_views(&self, rows: Vec<StepRow>) -> Result<Vec<StepView>> {
        let is_parent = |row: &&StepRow| row.step.kind == StepKind::Workflow;
        let parents: Vec<&str> = rows.iter().filter(is_parent).map(|row| row.step.id.as_str()).collect();
        let children = self.store().children_of(&parents).await?;
        let view = |row: StepRow| {
            let child = children.get(&row.step.id).copied();
            StepView::new(row, child).among_others()
        };
        Ok(rows.into_iter().map(view).collect())
    }

    /// The step whose work a task is.
    pub(super) async fn parent_of(&self, task: &Task) -> Result<Option<Parent>> {
        let Some(step) = &task.parent_step else { return Ok(None) };
        let place = self.store().place_of(step).await?;
        Ok(place.map(|(task, step)| Parent { task_id: task.0, step }))
    }

    async fn step(&self, id: TaskId, key: &str) -> Result<StepRow> {
        let task = self.task(id).await?.id;
        let none = || Error::new(Code::NotFound, format!("Task {task} has no step \"{}\"", key.escape_debug()));
        self.store().steps_named(task, &[key.to_owned()]).await?.pop().ok_or_else(none)
    }
}
