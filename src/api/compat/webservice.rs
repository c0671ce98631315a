//! `POST /asr` and `/detect-language`: what clients of whisper-asr-webservice ask for.

use poem::{IntoResponse, Response, http::header};
use poem_openapi::{
    ApiResponse, Object, OpenApi,
    payload::Json,
    registry::{MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
};
use serde_json::{Map, Value, json};

use super::waited::file;
use crate::{
    api::{
        disposition::{Show, disposition},
        facade::{Ended, Fields, Form, Given},
        native::{Context, Group, upload::form::FilePart},
        sample::shows,
        who::Who,
    },
    domain::Caller,
    error::{Code, Error, Result},
    subtitle::{Format, Layout, render},
    transcribe::language,
};

/// The outputs.
const FORMATS: [Format; 5] = [Format::Txt, Format::Vtt, Format::Srt, Format::Tsv, Format::Json];

/// How much is heard to know the language, in seconds.
const TO_KNOW: u32 = 30;

/// The old routes.
pub(in crate::api) struct Webservice(pub(in crate::api) Context);

/// A file and how it is to be heard. Every field but the file may stand in the query, too. / 文件与选项，选项也可放在查询参数中。
#[derive(Debug, Object)]
#[oai(rename = "AsrForm")]
struct AsrForm {
    /// The audio or video, in any format that ffmpeg reads.
    #[oai(default)]
    audio_file: FilePart,
    /// False for bare samples of 16 bits, mono, 16 kHz; a file with a header is understood all the same.
    encode: Option<bool>,
    /// `transcribe` or `translate`, into English.
    task: Option<String>,
    /// The language's code or English name; found out when there is none.
    language: Option<String>,
    /// What was said before, as the style to go on in.
    initial_prompt: Option<String>,
    /// Whether parts without speech are left out; they are when nothing is said.
    vad_filter: Option<bool>,
    /// Whether each word gets its times, in `json` and as marks in `vtt`.
    word_timestamps: Option<bool>,
    /// `txt` (default), `vtt`, `srt`, `tsv` or `json`.
    output: Option<String>,
    /// Refused when true: nobody here tells speakers apart.
    diarize: Option<bool>,
    /// An extension: a model or an alias. / 扩展：模型。
    model: Option<String>,
    /// An extension: the script of Chinese: `hans`, `hant`, `tw` or `hk`. / 扩展：中文字形。
    zh: Option<String>,
}

/// A file whose language is asked for. / 要识别语言的文件。
#[derive(Debug, Object)]
#[oai(rename = "DetectLanguageForm")]
struct DetectForm {
    /// The audio or video, in any format that ffmpeg reads.
    #[oai(default)]
    audio_file: FilePart,
    /// False for bare samples of 16 bits, mono, 16 kHz.
    encode: Option<bool>,
    /// An extension: a model or an alias. / 扩展：模型。
    model: Option<String>,
}

/// A language. / 语言。
#[derive(Debug, Object)]
#[oai(rename = "DetectedLanguage")]
struct Detected {
    /// Its English name in lower case.
    detected_language: String,
    /// Its code.
    language_code: String,
    /// How sure the model is, 0 to 1.
    confidence: f64,
}

/// The words as a file.
struct Heard {
    name: String,
    format: Format,
    text: String,
    engine: String,
    task: i64,
}

#[OpenApi(tag = "Group::Compatibility")]
impl Webservice {
    /// Transcribe a file, as with whisper-asr-webservice
    ///
    /// Answers when the file has been heard, with a text or subtitles. The request becomes a task, whose id stands in
    /// `X-Task-Id`, and which goes on when the client goes away. Example:
    /// `curl -F audio_file=@talk.mp3 "URL?output=srt"`. Failures: `{"detail"}`.
    ///
    /// 兼容 whisper-asr-webservice：上传文件并等待文字或字幕；任务编号在 `X-Task-Id` 中，客户端断开后任务继续。
    #[oai(path = "/asr", method = "post", operation_id = "asr")]
    async fn asr(&self, who: Who, form: Form<AsrForm>) -> poem::Result<Heard> {
        let (fields, given) = self.0.read(form, "audio_file").await?;
        Ok(self.0.asr(&fields, file(given, "audio_file")?, who.0).await?)
    }

    /// Tell a file's language, as with whisper-asr-webservice
    ///
    /// From its first 30 seconds. Example: `curl -F audio_file=@talk.mp3 URL`.
    ///
    /// 根据前 30 秒识别语言。
    #[oai(path = "/detect-language", method = "post", operation_id = "detect_language")]
    async fn detect(&self, who: Who, form: Form<DetectForm>) -> poem::Result<Json<Detected>> {
        let (fields, given) = self.0.read(form, "audio_file").await?;
        Ok(Json(self.0.detected(&fields, file(given, "audio_file")?, who.0).await?))
    }
}

impl Context {
    async fn asr(&self, fields: &Fields, given: Given, caller: Caller) -> Result<Heard> {
        let format = format(fields)?;
        let mut options = self.options(fields, &["language", "initial_prompt", "zh"]).await?;
        options.extend(goal(fields));
        let flags = [("vad_filter", "vad"), ("word_timestamps", "word_timestamps")];
        for (field, option) in flags {
            options.extend(fields.flag(field)?.map(|flag| (option.to_owned(), flag.into())));
        }
        if fields.flag("diarize")? == Some(true) {
            return Err(Error::new(Code::DiarizationUnavailable, "Nobody here can tell speakers apart")
                .with_hint("Leave out diarize.")
                .with_field("diarize"));
        }
        let layout = Layout { words: fields.flag("word_timestamps")?.unwrap_or(false), ..Layout::default() };
        let name = given.name.clone();
        let Ended { task, transcript } = self.with_samples(fields, given, options, caller).await?;
        let text = render(&transcript, format, &layout);
        Ok(Heard { name, format, text, engine: transcript.engine, task: task.id.0 })
    }

    async fn detected(&self, fields: &Fields, given: Given, caller: Caller) -> Result<Detected> {
        let mut options = self.options(fields, &[]).await?;
        let first = json!({ "clip_timestamps": [0, TO_KNOW], "vad": false, "beam_size": 1, "temperature": 0 });
        options.extend(first.as_object().cloned().unwrap_or_default());
        let transcript = self.with_samples(fields, given, options, caller).await?.transcript;
        if transcript.language.is_empty() {
            let detail = format!("Nobody speaks in the first {TO_KNOW} seconds");
            return Err(Error::new(Code::InvalidValue, detail)
                .with_hint("Send a part with speech.")
                .with_field("audio_file"));
        }
        Ok(Detected {
            detected_language: language::name(&transcript.language).unwrap_or_default().to_owned(),
            confidence: f64::from(transcript.language_probability),
            language_code: transcript.language,
        })
    }

    /// Hears a file, or bare samples when the client says so.
    async fn with_samples(
        &self,
        fields: &Fields,
        given: Given,
        options: Map<String, Value>,
        caller: Caller,
    ) -> Result<Ended> {
        let is_bare = fields.flag("encode")? == Some(false);
        let given = if is_bare { self.with_header(given).await? } else { given };
        self.heard(given, options, caller).await
    }
}

/// `task` as an option; another word is refused with the option's own.
fn goal(fields: &Fields) -> Option<(String, Value)> {
    fields.text("task").map(|task| ("task".to_owned(), task.trim().into()))
}

fn format(fields: &Fields) -> Result<Format> {
    let Some(word) = fields.text("output") else { return Ok(Format::Txt) };
    let known = FORMATS.map(Format::extension);
    // The documentation there says `text`, its code `txt`.
    let wanted = if word.trim() == "text" { "txt" } else { word.trim() };
    FORMATS.into_iter().find(|format| format.extension() == wanted).ok_or_else(|| {
        let shown: String = word.chars().take(60).collect();
        Error::new(Code::InvalidValue, format!("There is no output \"{}\"", shown.escape_debug()))
            .with_hint(format!("Known: {}.", known.join(", ")))
            .with_field("output")
    })
}

impl IntoResponse for Heard {
    fn into_response(self) -> Response {
        let name = disposition(Show::Attachment, &self.name, self.format.extension());
        Response::builder()
            .content_type(self.format.content_type())
            .header(header::CONTENT_DISPOSITION, name)
            .header("Asr-Engine", self.engine)
            .header("X-Task-Id", self.task)
            .body(self.text)
    }
}

impl ApiResponse for Heard {
    fn meta() -> MetaResponses {
        let content = FORMATS.map(|format| {
            let schema = MetaSchema::new(if format == Format::Json { "object" } else { "string" });
            MetaMediaType {
                content_type: format.content_type().split(';').next().unwrap_or_default(),
                schema: MetaSchemaRef::Inline(Box::new(schema)),
            }
        });
        let response = MetaResponse {
            description: "The words. / 文字。",
            status: Some(200),
            status_range: None,
            content: content.into(),
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(_: &mut Registry) {}
}

shows!(AsrForm, { "task": "transcribe", "language": "en", "word_timestamps": true });

shows!(DetectForm, { "encode": true });
