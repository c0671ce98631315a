//! `/api/whisper/tasks/*`: tasks made, looked for, looked at and deleted.

use crawlers::find_link;
use poem::{Request, http::StatusCode};
use poem_openapi::{OpenApi, param::Query};
use serde_json::{Value, json};

use super::{
    answer::Answer,
    ask::Wanted,
    asked::Asked,
    error::Failure,
    fields::{CreateFields, QueryFields},
    filters::Filters,
};
use crate::{
    api::{
        facade::{Form, Given},
        native::{Context, Group},
        who::Who,
    },
    domain::{Caller, Task, TaskId, TaskStatus},
    error::{Code, Error, Result},
    queue::services::{Known, shown},
};

/// About how many bytes one page may have.
const MAX_PAGE: usize = 16 * 1024 * 1024;

const GONE: &str = "Task not found or has been deleted or invalid task ID";
const EMPTY: &str = "The file or file_url parameter cannot be empty, you must provide one of them";
const BOTH: &str =
    "The 'file_upload' and 'file_url' parameters cannot be both provided, you must provide only one of them.";
const NO_URL: &str = "The format of the file URL is incorrect";

/// Tasks.
pub(in crate::api) struct WhisperTasks(pub(super) Context);

#[OpenApi(tag = "Group::Compatibility")]
impl WhisperTasks {
    /// Make a task
    ///
    /// Of an uploaded file (`file_upload`) or of a link (`file_url`). Every field may stand in the form or in the query.
    /// The answer comes at once; ask for the result, or give a `callback_url`.
    ///
    /// 创建转写任务：上传文件（`file_upload`）或提供链接（`file_url`）；字段可放在表单或查询参数中，立即返回任务。
    #[oai(path = "/api/whisper/tasks/create", method = "post", operation_id = "services_create")]
    async fn create(&self, request: &Request, who: Who, form: Form<CreateFields>) -> poem::Result<Answer> {
        let asked = Asked::of(request);
        let (fields, given) = self.0.read_any(form, &["file_upload", "file"]).await?;
        let refused = |detail: &str, field: &str| Error::new(Code::InvalidRequest, detail).with_field(field);
        let link = fields.text("file_url");
        match (&given, &link) {
            (None, None) => return Err(refused(EMPTY, "file_upload").into()),
            (Some(_), Some(_)) => return Err(refused(BOTH, "file_url").into()),
            _ => {}
        }
        let wanted = Wanted::read(&fields)?;
        let link = match link {
            Some(pasted) => Some(find_link(&pasted).map_err(|_| refused(NO_URL, "file_url"))?.into()),
            None => None,
        };
        Ok(self.0.services_task(asked, wanted, link, given, who.0).await?)
    }

    /// Look for tasks
    ///
    /// The oldest first, with their results. Whatever filter is left out has its default: `{}` finds tasks that are
    /// completed, of normal priority, with a result and without an error. `null` or an empty text lets everything through.
    ///
    /// 按条件查询任务（最早的在前，含结果）；省略的条件取默认值，`null` 或空字符串表示不限。
    #[oai(path = "/api/whisper/tasks/query", method = "post", operation_id = "services_query")]
    async fn query(&self, request: &Request, who: Who, form: Form<QueryFields>) -> poem::Result<Answer> {
        let (fields, _) = self.0.read(form, "file").await?;
        let filters = Filters::read(&fields, who.0.only())?;
        Ok(self.0.services_tasks(Asked::of(request), filters).await?)
    }

    /// Look at a task with its result
    ///
    /// 200 when it is completed, 202 while it is queued or processing, 500 when it has failed.
    ///
    /// 获取任务结果：完成返回 200，排队或处理中返回 202，失败返回 500。
    #[oai(path = "/api/whisper/tasks/result", method = "get", operation_id = "services_result")]
    async fn result(
        &self,
        request: &Request,
        who: Who,
        /// The task.
        task_id: Query<i64>,
    ) -> poem::Result<Answer> {
        let task = self.0.services_own(task_id.0, who.0).await?;
        let asked = Asked::of(request);
        if let Some(answer) = unfinished(&task, &asked) {
            return Ok(answer);
        }
        let data = self.0.services_view(&task, &asked).await?;
        Ok(Answer::found(asked, data))
    }

    /// Delete a task
    ///
    /// In any state; what runs of it stops.
    ///
    /// 删除任务（任何状态均可，正在运行的会停止）。
    #[oai(path = "/api/whisper/tasks/delete", method = "delete", operation_id = "services_delete")]
    async fn delete(
        &self,
        request: &Request,
        who: Who,
        /// The task.
        task_id: Query<i64>,
    ) -> poem::Result<Answer> {
        let task = self.0.services_own(task_id.0, who.0).await?;
        self.0.delete(task.id).await?;
        let data = json!({ "task_id": task.id, "message": "Task deleted successfully" });
        Ok(Answer::found(Asked::of(request), data))
    }
}

/// The answer for a task that has not come to a good end.
pub(super) fn unfinished(task: &Task, asked: &Asked) -> Option<Answer> {
    let later = |message| {
        let failure = Failure { message, code: Code::NotReady.as_str(), hint: "Ask again, or give a callback_url." };
        Some(Answer::told(StatusCode::ACCEPTED, &failure, asked))
    };
    match task.status {
        TaskStatus::Completed => None,
        TaskStatus::Queued => later("Task is queued and not started yet"),
        TaskStatus::Processing => later("Task is currently being processed"),
        TaskStatus::Failed | TaskStatus::Cancelled => {
            let error = task.error.as_ref();
            let code = error.map_or(Code::Cancelled.as_str(), |error| error.code.as_str());
            let hint = error
                .map_or_else(|| "It was cancelled".to_owned(), |error| format!("{}. {}", error.detail, error.hint));
            let failure = Failure { message: "Task failed during processing", code, hint: &hint };
            Some(Answer::told(StatusCode::INTERNAL_SERVER_ERROR, &failure, asked))
        }
    }
}

impl Context {
    /// Makes a task and shows it.
    pub(super) async fn services_task(
        &self,
        asked: Asked,
        wanted: Wanted,
        link: Option<String>,
        given: Option<Given>,
        who: Caller,
    ) -> Result<Answer> {
        let params = wanted.params();
        let file = given.as_ref().map(|given| given.name.clone());
        let base = asked.base(&self.state.config.server.base_path);
        let task = self.take(given, wanted.submission(link, file, base, who)).await.map_err(renamed)?;
        let data = self.services_view(&task, &asked).await?;
        Ok(Answer::done(asked, params, data))
    }

    /// A task that the caller may see.
    pub(super) async fn services_own(&self, id: i64, who: Caller) -> Result<Task> {
        let task = self.state.queue.store().task(TaskId(id)).await?;
        task.filter(|task| who.may_see(task.owner))
            .ok_or_else(|| Error::new(Code::NotFound, GONE).with_field("task_id"))
    }

    /// A task with everything that is known of it.
    async fn services_view(&self, task: &Task, asked: &Asked) -> Result<Value> {
        let store = self.state.queue.store();
        let media = match task.media_id {
            Some(id) => store.media(id).await?,
            None => None,
        };
        let transcript = self.words_of(task).await?;
        let deliveries = match task.callback_url {
            Some(_) => store.deliveries_of(task.id).await?,
            None => Vec::new(),
        };
        let steps = store.main_steps_of(task.id).await?;
        Ok(shown(Known {
            task,
            media: media.as_ref(),
            transcript: transcript.as_ref(),
            delivery: deliveries.last(),
            steps: &steps,
            base: &asked.base(&self.state.config.server.base_path),
        }))
    }

    async fn services_tasks(&self, asked: Asked, filters: Filters) -> Result<Answer> {
        let Filters { filter, ends, offset, params } = filters;
        let (found, total) = self.state.queue.store().task_span(&filter, &ends, offset).await?;
        let (mut tasks, mut size) = (Vec::new(), 0);
        for task in &found {
            let view = self.services_view(task, &asked).await?;
            size += view.to_string().len();
            // A page ends early where results are long: `next_offset` says where the next one begins.
            if size > MAX_PAGE && !tasks.is_empty() {
                break;
            }
            tasks.push(view);
        }
        let next = offset.saturating_add(tasks.len() as u64);
        let more = next < total;
        let data = json!({
            "tasks": tasks, "total_count": total, "has_more": more, "next_offset": more.then_some(next),
        });
        Ok(Answer::done(asked, params, data))
    }
}

/// Names a field as it is called here.
fn renamed(mut error: Error) -> Error {
    if error.field.as_deref() == Some("link") {
        error.field = Some("file_url".to_owned());
    }
    error
}
