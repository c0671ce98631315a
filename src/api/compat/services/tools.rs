//! `/api/whisper/callback/test` and `/api/whisper/generate_subtitles`.

use poem::Request;
use poem_openapi::{OpenApi, param::Query};
use serde_json::{Map, Value, json};

use super::{answer::Answer, asked::Asked, saved::Saved};
use crate::{
    api::{
        body::Document,
        disposition::{Show, disposition},
        json as strict,
        native::{Context, Group},
        sample::Sample,
        who::Who,
    },
    domain::TaskStatus,
    error::{Code, Error},
    subtitle::{Format, Layout, render},
};

const NOT_AVAILABLE: &str = "This task is not available for generating subtitles.";

/// Callbacks tried out, subtitles.
pub(in crate::api) struct Tools(pub(super) Context);

/// What a receiver of callbacks is sent.
struct Called;

impl Sample for Called {
    fn sample() -> Value {
        example().into()
    }
}

#[OpenApi(tag = "Group::Compatibility")]
impl Tools {
    /// Try a receiver of callbacks
    ///
    /// Sends back what it was sent. An empty object is answered with an example of a callback.
    ///
    /// 回调测试：原样返回收到的 JSON；空对象则返回一个回调示例。
    #[oai(path = "/api/whisper/callback/test", method = "post", operation_id = "services_callback_test")]
    async fn callback(&self, request: &Request, body: Document<Called>) -> poem::Result<Answer> {
        let Value::Object(given) = strict::parse(body.0.as_bytes())? else {
            return Err(Error::new(Code::InvalidRequest, "The body must be a JSON object").into());
        };
        let given = if given.is_empty() { example() } else { given };
        let data = json!({ "message": "Callback interface test successful.", "callback_data": given });
        Ok(Answer::done(Asked::of(request), given, data))
    }

    /// Read a task's subtitles
    ///
    /// One cue for each recognised segment, as a file to be saved.
    ///
    /// 生成任务的字幕文件（`srt` 或 `vtt`）。
    #[oai(path = "/api/whisper/generate_subtitles", method = "get", operation_id = "services_subtitles")]
    async fn subtitles(
        &self,
        who: Who,
        /// The task.
        task_id: Query<i64>,
        /// `srt` or `vtt`.
        output_format: Query<Option<String>>,
    ) -> poem::Result<Saved> {
        let format = match output_format.0.as_deref().map(str::trim).unwrap_or_default() {
            "" | "srt" => Format::Srt,
            "vtt" => Format::Vtt,
            other => {
                let shown: String = other.chars().take(60).collect();
                let detail =
                    format!("Parameter \"output_format\" must be srt or vtt, not \"{}\"", shown.escape_debug());
                return Err(Error::new(Code::InvalidValue, detail).with_field("output_format").into());
            }
        };
        let task = self.0.services_own(task_id.0, who.0).await?;
        let refused = || Error::new(Code::InvalidRequest, NOT_AVAILABLE).with_hint("Wait until the task is completed.");
        if task.status != TaskStatus::Completed {
            return Err(refused().into());
        }
        let transcript = self.0.transcript_of(task.id, None).await.map_err(|error| match error.code {
            Code::NotFound => refused().with_hint("Its workflow has recognised nothing."),
            _ => error,
        })?;
        let (content_type, extension) = match format {
            Format::Vtt => ("text/vtt; charset=utf-8", "vtt"),
            _ => ("text/srt; charset=utf-8", "srt"),
        };
        let disposition = disposition(Show::Attachment, &format!("Task_{}_Subtitle", task.id), extension);
        let text = render(&transcript, format, &Layout::default());
        Ok(Saved { content_type, disposition, length: text.len() as u64, body: text.into() })
    }
}

fn example() -> Map<String, Value> {
    let example = json!({
        "id": 1, "status": "completed", "task_type": "transcribe", "priority": "normal", "language": "en",
        "result": { "text": "What was said.", "segments": [], "info": {} },
    });
    example.as_object().cloned().unwrap_or_default()
}
