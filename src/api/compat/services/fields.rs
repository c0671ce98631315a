//! The fields of requests on paper. They are read in `ask.rs`, more kindly than they are documented.

use poem_openapi::Object;

use crate::api::{native::upload::form::FilePart, sample::shows};

/// What can be said of a transcription. Everything may stand in the form or in the query. / 转写选项，可放在表单或查询参数中。
#[derive(Debug, Object)]
#[oai(rename = "ServicesOptions")]
pub(super) struct OptionFields {
    /// `transcribe` or `translate` (into English).
    #[oai(default = "transcribe")]
    task_type: String,
    /// `high`, `normal` or `low`.
    #[oai(default = "normal")]
    priority: String,
    /// Where the task is sent when it has ended, as a signed POST.
    callback_url: Option<String>,
    /// The platform's name: a label.
    platform: Option<String>,
    /// The language's code; found out when there is none.
    language: Option<String>,
    /// One temperature or several with commas, 0 to 1; tried in order.
    #[oai(default = "temperature")]
    temperature: String,
    /// A text that repeats itself more than this is tried again, hotter.
    #[oai(default = "compression")]
    compression_ratio_threshold: f64,
    /// Above this, an unlikely text counts as silence.
    #[oai(default = "no_speech")]
    no_speech_threshold: f64,
    /// Whether each part of the audio hears the text before it.
    #[oai(default = "yes")]
    condition_on_previous_text: bool,
    /// What was said before.
    initial_prompt: Option<String>,
    /// Whether each word gets its times.
    #[oai(default)]
    word_timestamps: bool,
    /// Marks that belong to the word after them.
    prepend_punctuations: Option<String>,
    /// Marks that belong to the word before them.
    append_punctuations: Option<String>,
    /// Parts of the audio in seconds: start, end, start, end, …
    #[oai(default = "clips")]
    clip_timestamps: String,
    /// Seconds of silence in which a text is dropped; nothing or 0: none is.
    hallucination_silence_threshold: Option<f64>,
}

/// A transcription: a file or a link, and how. / 文件或链接，以及转写选项。
#[derive(Debug, Object)]
#[oai(rename = "ServicesTranscription")]
pub(super) struct CreateFields {
    /// The audio or video; `file` is understood, too. Either this or `file_url`.
    #[oai(default)]
    file_upload: FilePart,
    /// The link of a file or of a post; a share text with one in it.
    file_url: Option<String>,
    #[oai(flatten)]
    options: OptionFields,
}

/// A post of a platform, and how to transcribe it. / 平台作品链接与转写选项。
#[derive(Debug, Object)]
#[oai(rename = "ServicesVideo")]
pub(super) struct VideoFields {
    /// The post's link, or a share text with one in it.
    url: String,
    #[oai(flatten)]
    options: OptionFields,
}

/// Which tasks to show. What is left out has its default; `null` or an empty text lets everything through.
/// / 查询条件；省略的字段取默认值，`null` 或空字符串表示不限。
#[derive(Debug, Object)]
#[oai(rename = "ServicesQuery")]
pub(super) struct QueryFields {
    /// `queued`, `processing`, `completed` or `failed`.
    #[oai(default = "completed")]
    status: String,
    /// `high`, `normal` or `low`.
    #[oai(default = "normal")]
    priority: String,
    /// Made after this time (ISO 8601; UTC where no zone is given).
    created_after: Option<String>,
    /// Made before this time.
    created_before: Option<String>,
    /// With a transcript in this language.
    language: Option<String>,
    /// `faster_whisper`, `openai_whisper` and `whisper.cpp` all stand for the engine here.
    #[oai(default = "engine")]
    engine_name: String,
    /// Whether something was recognised.
    #[oai(default = "yes")]
    has_result: bool,
    /// Whether it has failed.
    #[oai(default)]
    has_error: bool,
    /// At most this many, up to 200.
    #[oai(default = "limit")]
    limit: u64,
    /// Leave out so many.
    #[oai(default)]
    offset: u64,
}

fn temperature() -> String {
    super::ask::TEMPERATURE.to_owned()
}

fn compression() -> f64 {
    super::ask::COMPRESSION
}

fn no_speech() -> f64 {
    super::ask::NO_SPEECH
}

fn yes() -> bool {
    true
}

fn clips() -> String {
    super::ask::CLIPS.to_owned()
}

fn transcribe() -> String {
    "transcribe".to_owned()
}

fn normal() -> String {
    "normal".to_owned()
}

fn completed() -> String {
    "completed".to_owned()
}

fn engine() -> String {
    super::filters::ENGINES[0].to_owned()
}

fn limit() -> u64 {
    super::filters::LIMIT
}

shows!(CreateFields, { "file_url": "https://example.com/talk.mp3", "priority": "high", "language": "en" });

shows!(VideoFields, { "url": "https://v.douyin.com/iRNBho5m/", "language": "zh" });

shows!(QueryFields, { "status": "completed", "priority": "normal", "language": "en", "limit": 20, "offset": 0 });
