//! `/api/whisper/callback/test`, `/api/whisper/generate_subtitles` and `/api/whisper/extract_audio`.

use std::sync::Arc;

use poem::{Body, IntoResponse, Request, Response, http::header};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    param::Query,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::{answer::Answer, ask::word, asked::Asked};
use crate::{
    api::{
        State,
        body::Document,
        disposition::{Show, disposition},
        facade::Form,
        json as strict,
        native::{Context, Group, upload::form::FilePart},
        who::Who,
    },
    domain::TaskStatus,
    error::{Code, Error, Result},
    media::{Sound, SoundFormat},
    subtitle::{Format, Layout, render},
};

/// What an MP3 file can have.
const MP3_RATES: [u32; 9] = [8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000];
const NOT_AVAILABLE: &str = "This task is not available for generating subtitles.";

/// Callbacks tried out, subtitles.
pub(in crate::api) struct Tools(pub(in crate::api) Context);

/// The sound of films.
pub(in crate::api) struct Extractor {
    context: Context,
    /// One file at a time for each core that the queue may use: ffmpeg is as busy here as in a task.
    places: Arc<Semaphore>,
}

/// A film whose sound is wanted. / 需要提取音频的视频。
#[derive(Debug, Object)]
#[oai(rename = "ServicesFilm")]
struct FilmFields {
    /// The film; its part must say that it is a `video/…`.
    #[oai(default)]
    file: FilePart,
    /// Samples per second, 8000 to 48000.
    #[oai(default = "rate")]
    sample_rate: u32,
    /// Bytes per sample: 1 or 2. Without meaning for `mp3`.
    #[oai(default = "depth")]
    bit_depth: u8,
    /// `wav` or `mp3`.
    #[oai(default = "wav")]
    output_format: String,
}

fn rate() -> u32 {
    22_050
}

fn depth() -> u8 {
    2
}

fn wav() -> String {
    "wav".to_owned()
}

/// A file to be saved.
struct Saved {
    content_type: &'static str,
    disposition: String,
    length: u64,
    body: Body,
}

#[OpenApi(tag = "Group::Compatibility")]
impl Tools {
    /// Try a receiver of callbacks
    ///
    /// Sends back what it was sent. An empty object is answered with an example of a callback.
    ///
    /// 回调测试：原样返回收到的 JSON；空对象则返回一个回调示例。
    #[oai(path = "/api/whisper/callback/test", method = "post", operation_id = "services_callback_test")]
    async fn callback(&self, request: &Request, body: Document) -> poem::Result<Answer> {
        let Value::Object(given) = strict::parse(body.0.as_bytes())? else {
            return Err(Error::new(Code::InvalidRequest, "The body must be a JSON object").into());
        };
        let given = if given.is_empty() { example() } else { given };
        let data = json!({ "message": "Callback interface test successful.", "callback_data": given });
        Ok(Answer::done(Asked::of(request), given, data))
    }

    /// Read a task's subtitles
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

impl Extractor {
    /// With the context's settings.
    pub(in crate::api) fn new(context: Context) -> Self {
        let places = Arc::new(Semaphore::new(context.state.queue.config().cpu.max(1)));
        Self { context, places }
    }
}

#[OpenApi(tag = "Group::Compatibility")]
impl Extractor {
    /// Take the sound out of a film
    ///
    /// Answers with the sound as a file; nothing is kept here.
    ///
    /// 从视频中提取音频并直接返回文件；服务器不保留任何内容。
    #[oai(path = "/api/whisper/extract_audio", method = "post", operation_id = "services_extract_audio")]
    async fn extract(&self, form: Form<FilmFields>) -> poem::Result<Saved> {
        Ok(self.extracted(form).await?)
    }
}

impl Extractor {
    async fn extracted(&self, form: Form<FilmFields>) -> Result<Saved> {
        let (fields, given) = self.context.read(form, "file").await?;
        let refused = |detail: &str| Error::new(Code::InvalidRequest, detail).with_field("file");
        let given = given.ok_or_else(|| refused("There is no part named \"file\""))?;
        if !given.content_type.trim().to_ascii_lowercase().starts_with("video/") {
            return Err(refused("The part \"file\" does not say that it is a video")
                .with_hint("Send it with a content type such as video/mp4: curl -F 'file=@film.mp4;type=video/mp4'."));
        }
        let format = match word(&fields, "output_format", "wav", &["wav", "mp3"])?.as_str() {
            "mp3" => SoundFormat::Mp3,
            _ => match fields.parsed::<u8>("bit_depth", "1 or 2")?.unwrap_or(depth()) {
                1 => SoundFormat::Wav8,
                2 => SoundFormat::Wav16,
                _ => {
                    return Err(
                        Error::new(Code::InvalidValue, "Field \"bit_depth\" must be 1 or 2").with_field("bit_depth")
                    );
                }
            },
        };
        let sample_rate = fields.parsed::<u32>("sample_rate", "a whole number")?.unwrap_or(rate());
        if !(8_000..=48_000).contains(&sample_rate) {
            let detail = "Field \"sample_rate\" must be from 8000 to 48000";
            return Err(Error::new(Code::InvalidValue, detail).with_field("sample_rate"));
        }
        if format == SoundFormat::Mp3 && !MP3_RATES.contains(&sample_rate) {
            let detail = format!("Field \"sample_rate\" must be one of {MP3_RATES:?} for mp3");
            return Err(Error::new(Code::InvalidValue, detail).with_field("sample_rate"));
        }
        let _place = self.places.acquire().await;
        let State { ffmpeg, files, .. } = &self.context.state;
        // Gone with its name when this is answered; what is open is read to its end.
        let target = files.new_upload().await?;
        let sound = Sound { format, sample_rate };
        let made = ffmpeg.sound(given.file.path(), sound, target.path(), &self.context.stop).await;
        made.map_err(|error| match error.code {
            // What the file is, is the caller's business.
            Code::NoAudio | Code::NotMedia | Code::EmptyMedia | Code::Truncated => {
                Error::new(Code::InvalidRequest, error.detail).with_hint(error.hint).with_field("file")
            }
            _ => error,
        })?;
        let file = tokio::fs::File::open(target.path()).await?;
        let length = file.metadata().await?.len();
        let disposition = disposition(Show::Attachment, "extracted_audio", format.extension());
        Ok(Saved { content_type: format.content_type(), disposition, length, body: Body::from_async_read(file) })
    }
}

impl IntoResponse for Saved {
    fn into_response(self) -> Response {
        let start = Response::builder().content_type(self.content_type);
        let start =
            start.header(header::CONTENT_DISPOSITION, self.disposition).header(header::CONTENT_LENGTH, self.length);
        start.body(self.body)
    }
}

impl ApiResponse for Saved {
    fn meta() -> MetaResponses {
        let schema = || MetaSchemaRef::Inline(Box::new(MetaSchema::new_with_format("string", "binary")));
        let response = MetaResponse {
            description: "The file. / 文件。",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/octet-stream", schema: schema() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}
