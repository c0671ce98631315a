//! How many tasks stand where.

use poem_openapi::{Object, OpenApi, param::Query, payload::Json};

use super::{Context, Group, list::Filters};
use crate::{
    api::{
        who::Who,
        words::{Time, Word},
    },
    domain::{Caller, Priority, TaskStatus},
    error::Result,
};

/// Counts.
pub(in crate::api) struct Counts(pub(super) Context);

/// How many tasks there are in each state. / 各状态的任务数。
#[derive(Debug, Default, Object)]
pub(super) struct TaskCounts {
    /// No step of them has started yet.
    queued: u64,
    /// Something of them has started, and they have not ended.
    processing: u64,
    /// Ended well.
    completed: u64,
    /// Ended with an error.
    failed: u64,
    /// Ended because someone said so.
    cancelled: u64,
    /// All of them.
    total: u64,
}

#[OpenApi(tag = "Group::Tasks")]
impl Counts {
    /// Count tasks
    ///
    /// How many there are in each state, of those that the caller may see, with the filters of the list.
    ///
    /// 统计各状态的任务数；仅限调用者可见的任务，过滤条件与列表相同。
    #[oai(path = "/api/tasks/counts", method = "get", operation_id = "count_tasks")]
    #[allow(clippy::too_many_arguments, reason = "the documentation is made from the arguments")]
    async fn count(
        &self,
        who: Who,
        /// From this platform.
        platform: Query<Option<String>>,
        /// With a transcript in this language.
        language: Query<Option<String>>,
        /// Of this workflow.
        workflow: Query<Option<String>>,
        /// Of this priority.
        priority: Query<Option<Word<Priority>>>,
        /// With all of these words, as in the list. / 全文搜索，同列表。
        q: Query<Option<String>>,
        /// Made after this time.
        created_after: Query<Option<Time>>,
        /// Made before this time.
        created_before: Query<Option<Time>>,
    ) -> poem::Result<Json<TaskCounts>> {
        let filters = Filters {
            platform: platform.0,
            language: language.0,
            workflow: workflow.0,
            priority: priority.0,
            q: q.0,
            created_after: created_after.0,
            created_before: created_before.0,
            ..Filters::default()
        };
        Ok(Json(self.0.counts(who.0, filters).await?))
    }
}

impl Context {
    async fn counts(&self, caller: Caller, filters: Filters) -> Result<TaskCounts> {
        let mut counts = TaskCounts::default();
        for (status, count) in self.store().counts(&filters.filter(caller)?).await? {
            *counts.of(status) = count;
            counts.total += count;
        }
        Ok(counts)
    }
}

impl TaskCounts {
    fn of(&mut self, status: TaskStatus) -> &mut u64 {
        match status {
            TaskStatus::Queued => &mut self.queued,
            TaskStatus::Processing => &mut self.processing,
            TaskStatus::Completed => &mut self.completed,
            TaskStatus::Failed => &mut self.failed,
            TaskStatus::Cancelled => &mut self.cancelled,
        }
    }
}
