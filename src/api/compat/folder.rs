//! `POST /transcription` and `GET /monitoring/{id}`: a folder on the daemon's machine, file by file.
//!
//! The folder becomes one task of the workflow `transcribe-folder`, with a task of its own for each file. The files are
//! copied first: what happens to the folder afterwards changes nothing.

use std::{collections::HashMap, ffi::OsString, path::Path};

use poem_openapi::{Object, OpenApi, param, payload::Json};
use serde_json::{Map, Value, json};

use crate::{
    api::{
        facade::Form,
        native::{Context, Group, upload::keep},
        sample::shows,
        who::Who,
    },
    domain::{Caller, Options, Task, TaskId, TaskStatus},
    error::{Code, Error, Result},
    files::ingest::{Ingest, shown},
    intake::Submission,
    store::{NewUpload, Upload},
    transcribe::language,
};

/// The old routes.
pub(in crate::api) struct Folders(pub(in crate::api) Context);

/// Which folder is to be heard. / 要转写的文件夹。
#[derive(Debug, Object)]
#[oai(rename = "FolderForm")]
struct FolderForm {
    /// The folder's name below the daemon's `ingest.root`.
    dirname: String,
    /// An extension: the language's code or English name; found out when there is none. / 扩展：语言。
    language: Option<String>,
    /// An extension: a model or an alias. / 扩展：模型。
    model: Option<String>,
}

/// A folder that was taken on. / 已接受的文件夹任务。
#[derive(Debug, Object)]
#[oai(rename = "FolderTask")]
struct Started {
    /// The task.
    task_id: String,
    /// How many files it is of.
    files: usize,
    /// The files that are neither audio nor video.
    skipped: Vec<String>,
}

/// How a task stands. / 任务状态。
#[derive(Debug, Object)]
#[oai(rename = "MonitoredTask")]
struct Monitored {
    /// The task.
    task_id: String,
    /// `pending`, `processing`, `completed`, or `failed` when no file could be heard.
    task_status: String,
    /// Why it has failed.
    #[oai(skip_serializing_if_is_none)]
    error: Option<String>,
    /// Of a folder: its files.
    #[oai(skip_serializing_if_is_empty)]
    files: Vec<MonitoredFile>,
}

/// How a file stands. / 文件状态。
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
struct MonitoredFile {
    /// Its name.
    file: String,
    /// `pending`, `processing`, `completed` or `failed`.
    task_status: String,
    /// Its own task, once there is one; its words are at `/api/tasks/{id}/transcript`.
    task_id: Option<String>,
    /// What is said, once it was heard.
    text: Option<String>,
    /// Why it has failed.
    error: Option<String>,
}

#[OpenApi(tag = "Group::Compatibility")]
impl Folders {
    /// Transcribe a folder
    ///
    /// The audio and video files of a folder below `ingest.root`, at most 1000; those of its folders not. The body is JSON or a
    /// form, or the fields stand in the query. Answers when the files are copied; `/monitoring/{task_id}` tells how it goes.
    /// Example: `curl URL -H "Content-Type: application/json" -d '{"dirname": "talks"}'`. Failures: `{"detail"}`.
    ///
    /// 转写 `ingest.root` 下某个文件夹中的音视频文件（不含子文件夹）；进度见 `/monitoring/{task_id}`。
    #[oai(path = "/transcription", method = "post", operation_id = "transcribe_folder")]
    async fn start(&self, who: Who, form: Form<FolderForm>) -> poem::Result<Json<Started>> {
        let (fields, _) = self.0.read(form, "").await?;
        let folder = fields.text("dirname").ok_or_else(|| {
            let hint = "Send {\"dirname\": \"…\"}, the name of a folder below the daemon's `ingest.root`.";
            Error::new(Code::InvalidRequest, "There is no dirname").with_hint(hint).with_field("dirname")
        })?;
        let options = self.0.options(&fields, &["language"]).await?;
        // What every file's own task would be refused for is told before anything is copied.
        language::allowed(&Options::from_json(&options)?)?;
        let context = self.0.clone();
        // Goes on to its end even when the client does not wait for it.
        let work = tokio::spawn(async move { context.take_folder(&folder, options, who.0).await });
        let started =
            work.await.map_err(|error| Error::new(Code::Internal, "The folder was lost").with_source(error))??;
        Ok(Json(started))
    }

    /// How a folder's task stands
    ///
    /// And each of its files, with the words once they are there. Any other task may be asked for, too. Example:
    /// `curl URL/monitoring/1`.
    ///
    /// 查询任务状态与各文件的进度和文字。
    #[oai(path = "/monitoring/:task_id", method = "get", operation_id = "monitor_task")]
    async fn monitor(
        &self,
        who: Who,
        /// The task.
        task_id: param::Path<String>,
    ) -> poem::Result<Json<Monitored>> {
        Ok(Json(self.0.monitored(&task_id.0, who.0).await?))
    }
}

impl Context {
    async fn take_folder(&self, folder: &str, options: Map<String, Value>, caller: Caller) -> Result<Started> {
        let root = &self.state.config.ingest.root;
        if root.as_os_str().is_empty() {
            let hint =
                "The operator may set `ingest.root` to a folder; or upload the files with POST /api/tasks/upload.";
            return Err(Error::new(Code::NotFound, "This daemon takes no folders in").with_hint(hint));
        }
        let found = Ingest::open(Path::new(root), folder).await?;
        let mut uploads = Vec::new();
        let task = match self.keep_all(&found, caller, &mut uploads).await {
            Ok(()) => self.state.intake.submit(submission(&uploads, options, caller)).await,
            Err(error) => Err(error),
        };
        if task.is_err() {
            for upload in &uploads {
                if let Err(left) = self.drop_upload(&upload.id).await {
                    tracing::error!(error = %left.chain(), "a file of a refused folder cannot be removed");
                }
            }
        }
        Ok(Started { task_id: task?.id.to_string(), files: uploads.len(), skipped: found.skipped })
    }

    async fn keep_all(&self, found: &Ingest, caller: Caller, uploads: &mut Vec<Upload>) -> Result<()> {
        for name in &found.media {
            uploads.push(self.keep_one(found, name, caller).await?);
        }
        Ok(())
    }

    async fn keep_one(&self, found: &Ingest, name: &OsString, caller: Caller) -> Result<Upload> {
        let copy = found.copy(name, &self.state.files).await?;
        let kept = self.state.files.keep(copy.path()).await?;
        let upload = NewUpload {
            id: uuid::Uuid::new_v4().to_string(),
            file_name: shown(name),
            file: kept.key,
            size: i64::try_from(kept.size).unwrap_or(i64::MAX),
            sha256: kept.sha256,
            content_type: Some(kept.content_type),
            owner: caller.token,
        };
        keep::insert(self, &upload).await?;
        Ok(upload)
    }

    async fn monitored(&self, id: &str, caller: Caller) -> Result<Monitored> {
        let gone = || Error::new(Code::NotFound, format!("There is no task {}", id.escape_debug()));
        let number = TaskId(id.parse().map_err(|_| gone())?);
        let store = self.state.queue.store();
        let task = store.task(number).await?.filter(|task| caller.may_see(task.owner)).ok_or_else(gone)?;
        let children = store.children_of_task(number).await?;
        let files = files(&task, &children);
        let none_heard = !files.is_empty() && files.iter().all(|file| file.task_status == "failed");
        let status = if none_heard { "failed" } else { word(task.status) };
        let error = task.error.map(|report| report.detail);
        Ok(Monitored { task_id: number.to_string(), task_status: status.to_owned(), error, files })
    }
}

fn submission(uploads: &[Upload], options: Map<String, Value>, caller: Caller) -> Submission {
    let files: Vec<Value> = uploads
        .iter()
        .map(|upload| json!({ "name": upload.file_name, "link": format!("upload:{}", upload.id) }))
        .collect();
    let params = [("files".to_owned(), files.into()), ("options".to_owned(), options.into())];
    Submission {
        workflow: "transcribe-folder".to_owned(),
        params: Map::from_iter(params),
        caller,
        ..Submission::default()
    }
}

/// The files of a folder's task with what became of each.
fn files(task: &Task, children: &[Task]) -> Vec<MonitoredFile> {
    let by_link: HashMap<&str, &Task> = children.iter().map(|child| (child.link.as_str(), child)).collect();
    let given = task.params.get("files").filter(|_| task.workflow == "transcribe-folder").and_then(Value::as_array);
    let file = |file: &Value| {
        let child = by_link.get(file["link"].as_str()?).copied();
        // A file whose task was never made ends with the folder's.
        let status =
            child.map_or(if task.status.is_final() { "failed" } else { "pending" }, |child| word(child.status));
        Some(MonitoredFile {
            file: file["name"].as_str()?.to_owned(),
            task_status: status.to_owned(),
            task_id: child.map(|child| child.id.to_string()),
            text: child.and_then(|child| Some(child.result.as_ref()?["text"].as_str()?.to_owned())),
            error: child.and_then(|child| Some(child.error.as_ref()?.detail.clone())),
        })
    };
    given.into_iter().flatten().filter_map(file).collect()
}

/// A status in the old words; to whoever waits for the words of a cancelled task it has failed.
fn word(status: TaskStatus) -> &'static str {
    match status {
        TaskStatus::Queued => "pending",
        TaskStatus::Processing => "processing",
        TaskStatus::Completed => "completed",
        TaskStatus::Failed | TaskStatus::Cancelled => "failed",
    }
}

shows!(FolderForm, { "dirname": "interviews", "language": "fr" });
