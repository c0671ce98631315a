//! `/transcribe` and `/transcribe/{id}`.

use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::{Path, Query},
    payload::Json,
};
use serde_json::{Map, json};

use super::views::{Job, format};
use crate::{
    api::{
        facade::{Fields, Form},
        native::{Context, Group, upload::form::FilePart},
        sample::shows,
        who::Who,
    },
    domain::{Caller, Facade, Task, TaskId},
    error::{Code, Error, Result},
    intake::Submission,
    store::TaskFilter,
};

/// How many jobs a list has where nobody says: the newest.
const LIMIT: u64 = 100;

/// Transcriptions.
pub(in crate::api) struct Jobs(pub(super) Context);

/// Audio to be transcribed. / 需要转写的音频。
#[derive(Debug, Object)]
#[oai(rename = "WhisperApiTranscription")]
struct JobFields {
    /// The audio or video.
    #[oai(default)]
    audio: FilePart,
    /// The language's code or English name; found out when there is none.
    language: Option<String>,
    /// What `transcription` is: `txt` (as when nothing is said), `json`, `srt`, `vtt`, `tsv`, `lrc` or `md`.
    output_format: Option<String>,
    /// The model's name or alias.
    model: Option<String>,
    /// 0 to 1.
    temperature: Option<f64>,
    /// CPU threads for each part of the audio.
    threads: Option<u16>,
}

/// A job that is gone.
#[derive(ApiResponse)]
enum Deleted {
    /// The job and its transcription are gone. / 任务及结果已删除。
    #[oai(status = 204)]
    Done,
}

fn default_limit() -> u64 {
    LIMIT
}

#[OpenApi(tag = "Group::Compatibility")]
impl Jobs {
    /// Have audio transcribed
    ///
    /// Answers at once with the job; look at it again until it is `completed`.
    ///
    /// 上传音频并创建转写任务，立即返回；轮询直到状态为 `completed`。
    #[oai(path = "/transcribe", method = "post", operation_id = "whisper_api_transcribe")]
    async fn create(&self, who: Who, form: Form<JobFields>) -> poem::Result<Json<Job>> {
        let (fields, given) = self.0.read(form, "audio").await?;
        let given = given.ok_or_else(|| {
            Error::new(Code::InvalidRequest, "Invalid audio file").with_hint("Send it as -F audio=@talk.wav.")
        })?;
        let task = self.0.take(Some(given), submission(&fields, who.0)?).await?;
        Ok(Json(Job::of(&task, None)))
    }

    /// List the own transcriptions
    ///
    /// The newest first.
    ///
    /// 列出自己的转写任务，最新的在前。
    #[oai(path = "/transcribe", method = "get", operation_id = "whisper_api_list")]
    async fn list(
        &self,
        who: Who,
        /// At most this many.
        #[oai(default = "default_limit", validator(minimum(value = "1"), maximum(value = "1000")))]
        limit: Query<u64>,
    ) -> poem::Result<Json<Vec<Job>>> {
        Ok(Json(self.0.jobs(who.0, limit.0).await?))
    }

    /// Look at a transcription
    ///
    /// With its transcription once it is `completed`, in the format that was asked for.
    ///
    /// 查询转写任务；完成后含所请求格式的转写结果。
    #[oai(path = "/transcribe/:id", method = "get", operation_id = "whisper_api_get")]
    async fn get(
        &self,
        who: Who,
        /// The job.
        id: Path<String>,
    ) -> poem::Result<Json<Job>> {
        let task = self.0.own_job(&id.0, who.0).await?;
        Ok(Json(self.0.job(&task).await?))
    }

    /// Delete a transcription
    ///
    /// In any state; what runs of it stops.
    ///
    /// 删除转写任务（任何状态均可）。
    #[oai(path = "/transcribe/:id", method = "delete", operation_id = "whisper_api_delete")]
    async fn delete(
        &self,
        who: Who,
        /// The job.
        id: Path<String>,
    ) -> poem::Result<Deleted> {
        let task = self.0.own_job(&id.0, who.0).await?;
        self.0.delete(task.id).await?;
        Ok(Deleted::Done)
    }
}

fn submission(fields: &Fields, who: Caller) -> Result<Submission> {
    let mut options = Map::new();
    for name in ["language", "model"] {
        if let Some(word) = fields.text(name) {
            options.insert(name.to_owned(), json!(word.trim()));
        }
    }
    if let Some(temperature) = fields.parsed::<f64>("temperature", "a number")? {
        options.insert("temperature".to_owned(), json!(temperature));
    }
    if let Some(threads) = fields.parsed::<u64>("threads", "a whole number")? {
        options.insert("threads".to_owned(), json!(threads));
    }
    let output_format = format(fields.text("output_format"))?;
    let facade = Some(Facade::WhisperApi { output_format });
    Ok(Submission { options, caller: who, facade, ..Submission::default() })
}

impl Context {
    /// A job that the caller may see.
    async fn own_job(&self, id: &str, who: Caller) -> Result<Task> {
        let task = match id.parse() {
            Ok(id) => self.state.queue.store().task(TaskId(id)).await?,
            Err(_) => None,
        };
        task.filter(|task| who.may_see(task.owner))
            .ok_or_else(|| Error::new(Code::NotFound, "Transcription not found").with_field("id"))
    }

    async fn job(&self, task: &Task) -> Result<Job> {
        Ok(Job::of(task, self.words_of(task).await?.as_ref()))
    }

    async fn jobs(&self, who: Caller, limit: u64) -> Result<Vec<Job>> {
        let filter = TaskFilter { owner: who.only().or(who.token), limit, ..TaskFilter::default() };
        let mut jobs = Vec::new();
        for task in self.state.queue.store().tasks(&filter).await?.tasks {
            jobs.push(self.job(&task).await?);
        }
        Ok(jobs)
    }
}

shows!(JobFields, { "language": "en", "output_format": "srt" });
