//! `POST /transcribe/file` and `/transcribe/binary`: a file's words at once, Chinese in traditional characters.

use poem_openapi::{Object, OpenApi, param::Query, payload::Json};
use serde_json::json;

use super::waited::file;
use crate::{
    api::{
        facade::{Ended, Fields, Form, Given, Raw},
        native::{Context, Group, upload::form::FilePart},
        sample::shows,
        who::Who,
    },
    domain::{Caller, Segment},
    error::Result,
};

/// The longest ending of a file's name.
const MAX_ENDING: usize = 8;

/// The old routes.
pub(in crate::api) struct Traditional(pub(in crate::api) Context);

/// A file and how it is to be heard. / 文件与选项。
#[derive(Debug, Object)]
#[oai(rename = "TranscribeFile")]
struct FileForm {
    /// The audio or video, in any format that ffmpeg reads.
    #[oai(default)]
    file: FilePart,
    /// A model or an alias, such as `large-v3` and `turbo`; the daemon's default one when there is none.
    model: Option<String>,
    /// Whether `segments` are wanted. / 是否返回时间轴。
    timestamps: Option<bool>,
    /// An extension: the language's code or English name; found out when there is none. / 扩展：语言。
    language: Option<String>,
    /// An extension: the script of Chinese: `hant` (default), `tw`, `hk`, `hans`, or `none` as recognised.
    /// / 扩展：中文字形，默认繁体。
    zh: Option<String>,
}

/// The words. / 转写结果。
#[derive(Debug, Object)]
#[oai(rename = "TranscribedFile", skip_serializing_if_is_none)]
struct Spoken {
    /// Always true here; a failure is `{"success": false, "error"}`.
    success: bool,
    /// Everything that is said.
    text: String,
    /// How long the work took, in seconds.
    process_time: f64,
    /// What is said when; only when `timestamps` were asked for.
    segments: Option<Vec<Timed>>,
    /// The language's code.
    language: String,
    /// The task, which stays at `/api/tasks/{id}`.
    task_id: i64,
}

/// What is said when, in seconds. / 时间轴。
#[derive(Debug, Object)]
#[oai(rename = "TimedText")]
struct Timed {
    start: f64,
    end: f64,
    text: String,
}

#[OpenApi(tag = "Group::Compatibility")]
impl Traditional {
    /// Transcribe a file, Chinese in traditional characters
    ///
    /// Answers when the file has been heard. The request becomes a task, which goes on when the client goes away. Example:
    /// `curl -F file=@talk.mp3 -F model=large-v3 -F timestamps=true URL`. Failures: `{"success": false, "error"}`.
    ///
    /// 上传文件并等待结果，中文默认输出繁体；请求会成为任务，客户端断开后任务继续。
    #[oai(path = "/transcribe/file", method = "post", operation_id = "transcribe_file")]
    async fn file(&self, who: Who, form: Form<FileForm>) -> poem::Result<Json<Spoken>> {
        let (fields, given) = self.0.read(form, "file").await?;
        Ok(Json(self.0.in_traditional(&fields, file(given, "file")?, who.0).await?))
    }

    /// Transcribe a body, Chinese in traditional characters
    ///
    /// As `/transcribe/file`, with the file as the whole body. Example:
    /// `curl --data-binary @talk.wav -H "Content-Type: application/octet-stream" "URL?ext=wav"`.
    ///
    /// 与 `/transcribe/file` 相同，请求体即文件内容。
    #[oai(path = "/transcribe/binary", method = "post", operation_id = "transcribe_binary")]
    #[allow(clippy::too_many_arguments, reason = "the documentation is made from the arguments")]
    async fn binary(
        &self,
        /// A model or an alias; the daemon's default one when there is none.
        #[oai(name = "model")]
        _model: Query<Option<String>>,
        /// The ending of the file's name; what the file is, its bytes say.
        #[oai(name = "ext")]
        _ext: Query<Option<String>>,
        /// Whether `segments` are wanted: `true` or `false`. / 是否返回时间轴。
        #[oai(name = "timestamps")]
        _timestamps: Query<Option<String>>,
        /// An extension: the language's code or English name. / 扩展：语言。
        #[oai(name = "language")]
        _language: Query<Option<String>>,
        /// An extension: the script of Chinese, `hant` when nothing is said. / 扩展：中文字形，默认繁体。
        #[oai(name = "zh")]
        _zh: Query<Option<String>>,
        who: Who,
        raw: Raw,
    ) -> poem::Result<Json<Spoken>> {
        let fields = raw.query.clone();
        let given = self.0.read_raw(raw, named(fields.text("ext"))).await?;
        Ok(Json(self.0.in_traditional(&fields, given, who.0).await?))
    }
}

impl Context {
    async fn in_traditional(&self, fields: &Fields, given: Given, caller: Caller) -> Result<Spoken> {
        let with_times = fields.flag("timestamps")?.unwrap_or(false);
        let mut options = self.options(fields, &["language", "zh"]).await?;
        options.entry("zh").or_insert(json!("hant"));
        let Ended { task, transcript } = self.heard(given, options, caller).await?;
        let took = task.finished_at.unwrap_or(task.updated_at) - task.started_at.unwrap_or(task.created_at);
        Ok(Spoken {
            success: true,
            text: transcript.text,
            process_time: took.num_milliseconds().max(0) as f64 / 1000.0,
            segments: with_times.then(|| transcript.segments.into_iter().map(Timed::from).collect()),
            language: transcript.language,
            task_id: task.id.0,
        })
    }
}

impl From<Segment> for Timed {
    fn from(segment: Segment) -> Self {
        Self { start: segment.start, end: segment.end, text: segment.text }
    }
}

/// What a file without a name is called.
fn named(ending: Option<String>) -> String {
    let ending = ending.unwrap_or_default();
    let ending: String = ending.chars().filter(char::is_ascii_alphanumeric).take(MAX_ENDING).collect();
    if ending.is_empty() { "audio".to_owned() } else { format!("audio.{ending}") }
}

shows!(FileForm, { "timestamps": true, "language": "zh" });
