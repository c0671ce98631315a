//! Transcripts and subtitles as files.

use poem::{IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Header, Path, Query},
    payload::Json,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use super::{Context, Group, edits::Corrected, revisions::TranscriptRevisions};
use crate::{
    api::{
        body::JsonBody,
        disposition::{Show, disposition},
    },
    domain::{Task, TaskId, TaskStatus, Transcript, Zh},
    error::{Code, Error, Result},
    queue::scope,
    store::Revision,
    subtitle::{Format, Layout, render},
    zh,
};

/// The largest correction in bytes: what was read of a long recording, with every word's times, can be sent back.
const MAX_EDIT: usize = 16 * 1024 * 1024;

/// Transcripts.
pub(in crate::api) struct Transcripts(pub(super) Context);

/// A transcript in one of its formats.
pub(super) struct Rendered {
    /// What it is called when it is saved, without its ending.
    pub name: String,
    pub format: Format,
    pub text: String,
    /// The ETag, where it has one.
    pub revision: Option<u32>,
}

/// How a transcript is to be shown.
struct Shape {
    format: Format,
    /// None: the task's own.
    script: Option<Zh>,
    layout: Layout,
    /// None: the newest.
    revision: Option<u32>,
}

#[OpenApi(tag = "Group::Results")]
impl Transcripts {
    /// Read a transcript
    ///
    /// As JSON with everything in it, as plain text or Markdown, or as subtitles, lyrics or a table. Cues are the
    /// recognised segments; `max_chars`, `max_lines`, `max_seconds` and `max_cps` lay out those of `srt`, `vtt`, `tsv` and
    /// `lrc` anew. They are cut at the words' times if the task was made with `word_timestamps`, else in proportion to the
    /// text, best after a sentence. It is there as soon as it is recognised, whatever steps come after.
    ///
    /// 读取文字稿（识别完成即可读取，无需等待后续步骤）：完整 JSON、纯文本、Markdown，或字幕、歌词与表格。默认每个识别片段一条字幕；
    /// `max_chars`、`max_lines`、`max_seconds`、`max_cps` 会重新排版 `srt`、`vtt`、`tsv`、`lrc`，
    /// 有词级时间戳（`word_timestamps`）时按词切分，否则按文本长度比例切分，优先在句末断开。
    #[oai(path = "/api/tasks/:id/transcript", method = "get", operation_id = "task_transcript")]
    #[allow(clippy::too_many_arguments, reason = "the documentation is made from the arguments")]
    async fn get(
        &self,
        /// The task.
        id: Path<i64>,
        /// `json` (default), `txt`, `srt`, `vtt`, `tsv`, `lrc` or `md`.
        format: Query<Option<String>>,
        /// The script of a Chinese text: `none` (as recognised), `hans`, `hant`, `tw` or `hk`; without it, the one that
        /// the task was made with. Characters are converted, words are not replaced. / 中文字形；只转换字形，不替换用词。
        zh: Query<Option<String>>,
        /// The widest line in columns, 8 to 200; Chinese, Japanese and Korean characters take two. Then a cue has at most
        /// two lines. / 每行最大列数（中日韩字符占两列）。
        max_chars: Query<Option<u32>>,
        /// The most lines of a cue, 1 to 6. Then a line has at most 42 columns. / 每条字幕最多行数。
        max_lines: Query<Option<u32>>,
        /// The longest cue in seconds, 0.5 to 60. / 每条字幕最长秒数。
        max_seconds: Query<Option<f64>>,
        /// The most characters to read in a second, 1 to 100: a faster cue stays longer, at most to the next one.
        /// / 每秒最多字符数；过快的字幕会延长，但不超过下一条。
        max_cps: Query<Option<f64>>,
        /// Marks each word with its time in `vtt` and `lrc`, if the transcript has word times.
        /// / 在 `vtt` 与 `lrc` 中标注每个词的时间。
        #[oai(default)]
        words: Query<bool>,
        /// `original` or 1 for what was recognised, 2, 3, … for an edit; without it, the newest one.
        /// / 修订号：`original` 或 1 为识别原文，2 起为编辑；默认最新。
        revision: Query<Option<String>>,
    ) -> poem::Result<Rendered> {
        let layout = Layout {
            max_chars: max_chars.0,
            max_lines: max_lines.0,
            max_seconds: max_seconds.0,
            max_cps: max_cps.0,
            words: words.0,
        };
        layout.check()?;
        let format = format.0.as_deref().map_or(Ok(Format::Json), self::format)?;
        let script = zh.0.as_deref().map(zh::read).transpose()?;
        let revision = revision.0.as_deref().map(number).transpose()?;
        Ok(self.0.transcript(TaskId(id.0), Shape { format, script, layout, revision }).await?)
    }

    /// Correct a transcript
    ///
    /// Stores the correction as a new revision, which every format, the search and exports show from then on. What was
    /// recognised stays (`?revision=original`), and so do 50 edits, the closer together the more recent they are. Segments
    /// that were left as they are keep their words with times. With `If-Match: "REVISION"`, the `ETag` of what was edited,
    /// nobody else's edit is lost.
    ///
    /// 保存对文字稿的修改为新修订版，此后所有格式、搜索与导出均使用它；识别原文保留（`?revision=original`）。
    /// 带 `If-Match` 可避免覆盖他人的修改。
    #[oai(path = "/api/tasks/:id/transcript", method = "put", operation_id = "edit_transcript")]
    async fn put(
        &self,
        /// The task.
        id: Path<i64>,
        /// The `ETag` of the revision that was edited; another one is a conflict.
        #[oai(name = "If-Match")]
        if_match: Header<Option<String>>,
        body: JsonBody<Corrected, MAX_EDIT>,
    ) -> poem::Result<Rendered> {
        let id = TaskId(id.0);
        self.0.edit(id, body.value.edit()?, if_match.0.as_deref()).await?;
        let shape = Shape { format: Format::Json, script: None, layout: Layout::default(), revision: None };
        Ok(self.0.transcript(id, shape).await?)
    }

    /// List a transcript's revisions
    ///
    /// Their numbers and when they were made, the newest first; `?revision=` reads one. What was recognised is always among
    /// them.
    ///
    /// 列出文字稿的各个修订版，最新的在前；用 `?revision=` 读取其中一个。识别原文始终保留。
    #[oai(path = "/api/tasks/:id/transcript/revisions", method = "get", operation_id = "transcript_revisions")]
    async fn revisions(
        &self,
        /// The task.
        id: Path<i64>,
    ) -> poem::Result<Json<TranscriptRevisions>> {
        Ok(Json(self.0.transcript_revisions(TaskId(id.0)).await?))
    }
}

impl Context {
    async fn transcript(&self, id: TaskId, shape: Shape) -> Result<Rendered> {
        self.readable(id).await?;
        let Revision { transcript, number, .. } = self.revision(id, shape.revision, shape.script).await?;
        let text = render(&transcript, shape.format, &shape.layout);
        Ok(Rendered { name: format!("task-{id}"), format: shape.format, text, revision: Some(number) })
    }

    /// The task, if there is something to show of it: its words are there as soon as they are recognised, whatever comes
    /// after them, and stay when that fails.
    pub(super) async fn readable(&self, id: TaskId) -> Result<Task> {
        let task = self.task(id).await?;
        if task.status == TaskStatus::Completed || task.language.is_some() {
            return Ok(task);
        }
        let error = Error::new(Code::NotReady, format!("Task {id} is {}", task.status));
        let hint = format!("It has no transcript; try it again with POST /api/tasks/{id}/retry.");
        Err(if task.status.is_final() { error.with_hint(hint) } else { error })
    }

    /// What a task has heard, in a script; without one, in that which the task was made with.
    pub(in crate::api) async fn transcript_of(&self, id: TaskId, script: Option<Zh>) -> Result<Transcript> {
        Ok(self.revision(id, None, script).await?.transcript)
    }

    /// A revision of what a task has heard: the newest without a number.
    pub(super) async fn revision(&self, id: TaskId, number: Option<u32>, script: Option<Zh>) -> Result<Revision> {
        let none = || match number {
            Some(number) => Error::new(Code::NotFound, format!("Task {id} has no revision {number} of a transcript")),
            None => Error::new(Code::NotFound, format!("Task {id} has made no transcript")),
        };
        let mut found = self.store().revision_of(id, number).await?.ok_or_else(none)?;
        let script = match script {
            Some(script) => script,
            None => self.script_of(id, &found).await?,
        };
        zh::convert(&mut found.transcript, script);
        Ok(found)
    }

    /// The script in which a revision is shown when nobody names one: a person's text stays as it was written.
    pub(super) async fn script_of(&self, id: TaskId, revision: &Revision) -> Result<Zh> {
        if revision.id != revision.original {
            return Ok(Zh::None);
        }
        Ok(scope::script_of(&self.store().steps_of(id).await?, revision.original))
    }
}

/// The number of a revision.
fn number(word: &str) -> Result<u32> {
    let number = if word == "original" { Some(1) } else { word.parse().ok().filter(|number| *number > 0) };
    number.ok_or_else(|| {
        let detail = "Parameter \"revision\" must be `original` or a whole number from 1";
        Error::new(Code::InvalidValue, detail).with_field("revision")
    })
}

/// The format of this name.
pub(super) fn format(word: &str) -> Result<Format> {
    word.parse().map_err(|error: Error| {
        Error::new(Code::UnsupportedFormat, error.detail).with_hint(error.hint).with_field("format")
    })
}

impl IntoResponse for Rendered {
    fn into_response(self) -> Response {
        let name = disposition(Show::Inline, &self.name, self.format.extension());
        let response =
            Response::builder().content_type(self.format.content_type()).header(header::CONTENT_DISPOSITION, name);
        match self.revision {
            Some(number) => response.header(header::ETAG, format!("\"{number}\"")).body(self.text),
            None => response.body(self.text),
        }
    }
}

impl ApiResponse for Rendered {
    fn meta() -> MetaResponses {
        let content = Format::ALL.iter().map(|format| {
            let schema = MetaSchema::new(if *format == Format::Json { "object" } else { "string" });
            MetaMediaType {
                content_type: format.content_type().split(';').next().unwrap_or_default(),
                schema: MetaSchemaRef::Inline(Box::new(schema)),
            }
        });
        let response = MetaResponse {
            description: "The transcript; its `ETag` is the revision's number. / 文字稿；`ETag` 为修订号。",
            status: Some(200),
            status_range: None,
            content: content.collect(),
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
