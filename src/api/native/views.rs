//! Tasks, media and the rest as the API shows them.

use std::collections::BTreeMap;

use poem_openapi::Object;
use serde_json::{Map, Value};

use super::{current::CurrentStep, step_views::StepView};
use crate::{
    api::words::{Time, Word},
    domain::{Media, Priority, Task, TaskStatus},
    error,
};

/// Why something failed or waits. / 失败或等待的原因。
#[derive(Debug, Object)]
pub(super) struct Report {
    /// A stable word for the kind of failure.
    pub code: String,
    /// One sentence about this case.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// What was tried before it came to this: for links, each way to the post with how it ended.
    #[oai(default, skip_serializing_if_is_empty)]
    pub attempts: Vec<Value>,
}

/// One run of a workflow for one input. / 一个任务：对一个输入执行一次工作流。
#[derive(Debug, Object)]
#[oai(rename = "Task")]
pub(super) struct TaskView {
    /// Its id.
    pub id: i64,
    /// The workflow's name.
    pub workflow: String,
    /// The workflow's revision, fixed when the task was made.
    pub revision: i64,
    /// Where it stands.
    pub status: Word<TaskStatus>,
    /// How urgent it is.
    pub priority: Word<Priority>,
    /// The link; `upload:<id>` and `media:<id>` for what is already here.
    pub link: String,
    /// The workflow's parameters, defaults filled in.
    pub params: BTreeMap<String, Value>,
    /// The transcription options that were asked for.
    pub options: BTreeMap<String, Value>,
    /// The language that was heard, once there is a transcript.
    #[oai(nullable)]
    pub language: Option<String>,
    /// 0 to 1 over all steps.
    pub progress: f64,
    /// The workflow's output, once completed. Always null in lists.
    #[oai(nullable)]
    pub result: Option<Value>,
    /// Why it failed.
    #[oai(nullable)]
    pub error: Option<Report>,
    /// Why it waits, when it waits for something outside, such as a model that is not here.
    #[oai(nullable)]
    pub waiting: Option<Report>,
    /// The step that it is at, and what that waits for. Null when it has ended or is held.
    #[oai(nullable)]
    pub current: Option<CurrentStep>,
    /// What a reader should know.
    pub warnings: Vec<String>,
    /// Where its end is told.
    #[oai(nullable)]
    pub callback_url: Option<String>,
    /// The task that it does once more.
    #[oai(skip_serializing_if_is_none)]
    pub rerun_of: Option<i64>,
    /// The `workflow` step that it is the work of. Not in lists.
    #[oai(skip_serializing_if_is_none)]
    pub parent: Option<Parent>,
    /// Whether it waits until another task of its workflow has ended.
    pub held: bool,
    /// When it must have ended.
    #[oai(skip_serializing_if_is_none)]
    pub deadline_at: Option<Time>,
    /// When it was made.
    pub created_at: Time,
    /// When it last changed.
    pub updated_at: Time,
    /// When its first step started.
    #[oai(nullable)]
    pub started_at: Option<Time>,
    /// When it ended.
    #[oai(nullable)]
    pub finished_at: Option<Time>,
    /// The media, once resolved.
    #[oai(nullable)]
    pub media: Option<MediaView>,
    /// Its steps in the workflow's order. Not in lists.
    #[oai(skip_serializing_if_is_none)]
    pub steps: Option<Vec<StepView>>,
    /// Where to go on.
    pub links: Links,
}

/// The step whose work a task is. / 发起此任务的步骤。
#[derive(Debug, Object)]
pub(super) struct Parent {
    /// The task that the step belongs to.
    pub task_id: i64,
    /// The step's name.
    pub step: String,
}

/// Paths of what belongs to a task. / 与任务相关的路径。
#[derive(Debug, Object)]
pub(super) struct Links {
    /// The task itself.
    #[oai(rename = "self")]
    pub own: String,
    /// Its live view.
    pub events: String,
    /// Its transcript, once there is one.
    #[oai(skip_serializing_if_is_none)]
    pub transcript: Option<String>,
    /// Its media file, once here.
    #[oai(skip_serializing_if_is_none)]
    pub media: Option<String>,
}

/// One media item. / 一个媒体。
#[derive(Debug, Object)]
#[oai(rename = "Media")]
pub(super) struct MediaView {
    /// Its id.
    pub id: i64,
    /// Where it comes from; `upload` for uploaded files.
    pub platform: String,
    /// Its id there.
    pub platform_id: String,
    /// The page that shows it.
    #[oai(nullable)]
    pub page_url: Option<String>,
    /// Its title: text from strangers.
    pub title: String,
    /// Who made it: text from strangers.
    #[oai(nullable)]
    pub author: Option<String>,
    /// How long it is, in milliseconds.
    #[oai(nullable)]
    pub duration_ms: Option<i64>,
    /// When it was published.
    #[oai(nullable)]
    pub published_at: Option<Time>,
    /// The file's size in bytes.
    #[oai(nullable)]
    pub size: Option<i64>,
    /// The file's SHA-256 in hex.
    #[oai(nullable)]
    pub sha256: Option<String>,
    /// The file's content type, by its bytes.
    #[oai(nullable)]
    pub content_type: Option<String>,
    /// Whether the file is here.
    pub available: bool,
    /// When the file was removed because of its age or for room; null otherwise.
    /// / 文件因保留期限或空间而被删除的时间，否则为 null。
    #[oai(nullable)]
    pub file_removed_at: Option<Time>,
}

impl From<error::Report> for Report {
    fn from(report: error::Report) -> Self {
        Self { code: report.code, detail: report.detail, hint: report.hint, attempts: report.attempts }
    }
}

impl TaskView {
    /// A task as it is shown below `base`.
    pub(super) fn new(base: &str, task: Task, media: Option<Media>) -> Self {
        let own = format!("{base}/api/tasks/{}", task.id);
        let below = |name: &str| format!("{own}/{name}");
        let links = Links {
            events: below("events"),
            transcript: (task.status == TaskStatus::Completed || task.language.is_some()).then(|| below("transcript")),
            media: media.as_ref().is_some_and(|media| media.file.is_some()).then(|| below("media")),
            own,
        };
        Self {
            id: task.id.0,
            workflow: task.workflow,
            revision: task.revision,
            status: Word(task.status),
            priority: Word(task.priority),
            link: task.link,
            params: map(task.params),
            options: map(task.options),
            language: task.language.filter(|language| !language.is_empty()),
            progress: task.progress,
            result: task.result,
            error: task.error.map(Into::into),
            waiting: task.waiting.map(Into::into),
            current: None,
            warnings: task.warnings,
            callback_url: task.callback_url,
            rerun_of: task.rerun_of.map(|id| id.0),
            held: task.held,
            deadline_at: task.deadline_at.map(Time),
            created_at: Time(task.created_at),
            updated_at: Time(task.updated_at),
            started_at: task.started_at.map(Time),
            finished_at: task.finished_at.map(Time),
            media: media.map(Into::into),
            parent: None,
            steps: None,
            links,
        }
    }
}

impl From<Media> for MediaView {
    fn from(media: Media) -> Self {
        Self {
            id: media.id.0,
            platform: media.platform,
            platform_id: media.platform_id,
            page_url: media.page_url,
            title: media.title,
            author: media.author,
            duration_ms: media.duration_ms,
            published_at: media.published_at.map(Time),
            size: media.size,
            sha256: media.sha256,
            content_type: media.content_type,
            available: media.file.is_some(),
            file_removed_at: media.file_removed_at.map(Time),
        }
    }
}

fn map(fields: Map<String, Value>) -> BTreeMap<String, Value> {
    fields.into_iter().collect()
}
