//! Tasks: made, looked at, cancelled, tried again, deleted.

use std::time::Duration;

use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
};

use super::{
    Context, Group,
    list::{Filters, TaskList},
    rerun::Again,
    submit::{Accepted, NewTask, accepted, idempotency},
    views::TaskView,
};
use crate::{
    api::{
        body::JsonBody,
        who::Who,
        words::{Time, Word},
    },
    domain::{Priority, TaskId, TaskStatus},
};

/// Tasks.
pub(in crate::api) struct Tasks(pub(super) Context);

/// A task that is gone.
#[derive(ApiResponse)]
enum Deleted {
    /// The task and everything that belonged to it alone is gone. / 任务及其独有的内容已删除。
    #[oai(status = 204)]
    Done,
}

fn default_limit() -> u64 {
    50
}

#[OpenApi(tag = "Group::Tasks")]
impl Tasks {
    /// Paste a link, get a task
    ///
    /// Stores a task and answers at once; follow it with `GET /api/tasks/{id}?wait=60` or its events. The same
    /// `Idempotency-Key` with the same body makes one task, however often it is sent.
    ///
    /// 提交链接并立即返回任务；可用 `?wait=60` 或事件流跟踪进度。相同的 `Idempotency-Key` 与相同内容只会创建一个任务。
    #[oai(path = "/api/tasks", method = "post", operation_id = "create_task")]
    async fn create(
        &self,
        /// A key of your own which makes the request safe to repeat for 24 hours.
        #[oai(name = "Idempotency-Key")]
        key: Header<Option<String>>,
        who: Who,
        body: JsonBody<NewTask>,
    ) -> poem::Result<Accepted> {
        let mut submission = body.value.submission()?;
        submission.caller = who.0;
        submission.idempotency = idempotency(key.0, body.sha256)?;
        let task = self.0.state.intake.submit(submission).await?;
        Ok(accepted(&self.0, task).await?)
    }

    /// List tasks
    ///
    /// The newest first. Results are left out: ask for the task itself.
    ///
    /// 列出任务，最新的在前；列表不含结果，请查询单个任务。
    #[oai(path = "/api/tasks", method = "get", operation_id = "list_tasks")]
    #[allow(clippy::too_many_arguments, reason = "the documentation is made from the arguments")]
    async fn list(
        &self,
        who: Who,
        /// In this state.
        status: Query<Option<Word<TaskStatus>>>,
        /// From this platform.
        platform: Query<Option<String>>,
        /// With a transcript in this language.
        language: Query<Option<String>>,
        /// Of this workflow.
        workflow: Query<Option<String>>,
        /// Of this priority.
        priority: Query<Option<Word<Priority>>>,
        /// With all of these words in the link, the title, the author or what was said; the last letters of a word may be
        /// missing, Chinese is found in either script, and no character has a meaning of its own.
        /// / 全文搜索：链接、标题、作者与文字稿；多个词须全部出现，简繁通用。
        q: Query<Option<String>>,
        /// Of this very link, or of the link in this share text: with `status=completed` and `limit=1`, whether it was
        /// transcribed already. Another link to the same post is another link. / 链接完全相同（可粘贴分享文本）。
        link: Query<Option<String>>,
        /// Made after this time.
        created_after: Query<Option<Time>>,
        /// Made before this time.
        created_before: Query<Option<Time>>,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "200")))]
        limit: Query<u64>,
        /// The `next_cursor` of the page before.
        cursor: Query<Option<String>>,
    ) -> poem::Result<Json<TaskList>> {
        let filters = Filters {
            status: status.0,
            platform: platform.0,
            language: language.0,
            workflow: workflow.0,
            priority: priority.0,
            q: q.0,
            link: link.0,
            created_after: created_after.0,
            created_before: created_before.0,
            limit: limit.0,
            cursor: cursor.0,
        };
        Ok(Json(self.0.list(who.0, filters).await?))
    }

    /// Look at a task
    ///
    /// With `wait` the answer comes when the task has ended or the time is up, whichever is first.
    ///
    /// 查询任务；带 `wait` 时，任务结束或时间到才返回。
    #[oai(path = "/api/tasks/:id", method = "get", operation_id = "get_task")]
    async fn get(
        &self,
        /// The task.
        id: Path<i64>,
        /// Seconds to wait for the task's end.
        #[oai(default, validator(maximum(value = "60")))]
        wait: Query<u64>,
    ) -> poem::Result<Json<TaskView>> {
        let task = self.0.ended(TaskId(id.0), Duration::from_secs(wait.0)).await?;
        let mut view = self.0.view(task).await?;
        self.0.place(view.current.iter_mut().collect()).await?;
        Ok(Json(view))
    }

    /// Delete a task
    ///
    /// In any state. Its transcripts, events and deliveries go too, and its media file unless another task has it.
    ///
    /// 删除任务（任何状态均可），连同其文字稿、事件与回调；媒体文件若无其他任务使用也会删除。
    #[oai(path = "/api/tasks/:id", method = "delete", operation_id = "delete_task")]
    async fn delete(
        &self,
        /// The task.
        id: Path<i64>,
    ) -> poem::Result<Deleted> {
        self.0.delete(TaskId(id.0)).await?;
        Ok(Deleted::Done)
    }

    /// Cancel a task
    ///
    /// A task that is already cancelled stays so; one that has ended otherwise is a conflict.
    ///
    /// 取消任务；已取消的保持不变，已以其他方式结束的返回冲突。
    #[oai(path = "/api/tasks/:id/cancel", method = "post", operation_id = "cancel_task")]
    async fn cancel(
        &self,
        /// The task.
        id: Path<i64>,
    ) -> poem::Result<Json<TaskView>> {
        let id = TaskId(id.0);
        self.0.state.queue.cancel(id).await?;
        Ok(Json(self.0.view(self.0.task(id).await?).await?))
    }

    /// Try a task again
    ///
    /// A failed or cancelled task goes on from the steps that did not succeed.
    ///
    /// 重试失败或已取消的任务，从未成功的步骤继续。
    #[oai(path = "/api/tasks/:id/retry", method = "post", operation_id = "retry_task")]
    async fn retry(
        &self,
        /// The task.
        id: Path<i64>,
    ) -> poem::Result<Accepted> {
        let id = TaskId(id.0);
        self.0.state.queue.retry(id).await?;
        Ok(accepted(&self.0, self.0.task(id).await?).await?)
    }

    /// Do a task once more
    ///
    /// Makes another task with the same parameters. `from` says where it begins: `failed` (the default) with the steps
    /// that did not succeed, `start` at the beginning, or with a step by its name and all that come after it. What comes
    /// before is taken over from the earlier task where it would work on the same. `revision` is `same` (the default) or
    /// `latest`.
    ///
    /// 以相同参数再做一次任务：`from` 为 `failed`（默认，从未成功的步骤开始）、`start`（从头）或某一步骤名；之前的结果在输入相同时沿用。
    #[oai(path = "/api/tasks/:id/rerun", method = "post", operation_id = "rerun_task")]
    async fn rerun(
        &self,
        /// The task.
        id: Path<i64>,
        body: JsonBody<Again>,
    ) -> poem::Result<Accepted> {
        let task = self.0.state.intake.rerun(TaskId(id.0), &body.value.rerun()?).await?;
        Ok(accepted(&self.0, task).await?)
    }
}
