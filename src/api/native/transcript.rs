//! Transcripts and subtitles as files.

use poem::{IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, OpenApi,
    param::{Path, Query},
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};

use super::{Context, Group};
use crate::{
    api::disposition::{Show, disposition},
    domain::{TaskId, TaskStatus},
    error::{Code, Error, Result},
    subtitle::{Format, render},
};

/// Transcripts.
pub(in crate::api) struct Transcripts(pub(super) Context);

/// A transcript in one of its formats.
struct Rendered {
    task: TaskId,
    format: Format,
    text: String,
}

#[OpenApi(tag = "Group::Results")]
impl Transcripts {
    /// Read a transcript
    ///
    /// As JSON with everything in it, as plain text, or as subtitles.
    ///
    /// 读取文字稿：完整 JSON、纯文本或字幕。
    #[oai(path = "/api/tasks/:id/transcript", method = "get", operation_id = "task_transcript")]
    async fn get(
        &self,
        /// The task.
        id: Path<i64>,
        /// `json` (default), `txt`, `srt` or `vtt`.
        format: Query<Option<String>>,
    ) -> poem::Result<Rendered> {
        Ok(self.0.transcript(TaskId(id.0), format.0.as_deref()).await?)
    }
}

impl Context {
    async fn transcript(&self, id: TaskId, format: Option<&str>) -> Result<Rendered> {
        let format = format.map_or(Ok(Format::Json), read)?;
        let task = self.task(id).await?;
        if task.status != TaskStatus::Completed {
            let error = Error::new(Code::NotReady, format!("Task {id} is {}", task.status));
            let hint = format!("It has no transcript; try it again with POST /api/tasks/{id}/retry.");
            return Err(if task.status.is_final() { error.with_hint(hint) } else { error });
        }
        let transcript = self.store().transcript_of(id).await?;
        let transcript =
            transcript.ok_or_else(|| Error::new(Code::NotFound, format!("Task {id} has made no transcript")))?;
        Ok(Rendered { task: id, format, text: render(&transcript, format) })
    }
}

fn read(word: &str) -> Result<Format> {
    word.parse().map_err(|error: Error| {
        Error::new(Code::UnsupportedFormat, error.detail).with_hint(error.hint).with_field("format")
    })
}

impl IntoResponse for Rendered {
    fn into_response(self) -> Response {
        let name = disposition(Show::Inline, &format!("task-{}", self.task), self.format.extension());
        Response::builder()
            .content_type(self.format.content_type())
            .header(header::CONTENT_DISPOSITION, name)
            .body(self.text)
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
            description: "The transcript. / 文字稿。",
            status: Some(200),
            status_range: None,
            content: content.collect(),
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
