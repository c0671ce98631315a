//! The fields of a request on paper. They are read in `ask.rs`, more kindly than they are documented.

use poem_openapi::Object;

use crate::api::{native::upload::form::FilePart, sample::shows};

/// A transcription in OpenAI's words. Lists may also come without `[]`, as a JSON array or separated by commas.
/// / OpenAI 格式的转写请求。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiTranscription")]
pub(super) struct TranscriptionForm {
    /// The audio or video, in any format that ffmpeg reads. Either this or `url`.
    #[oai(default)]
    file: FilePart,
    /// An extension: a link instead of a file. / 扩展：用链接代替文件。
    url: Option<String>,
    /// A model of `/v1/models`; the default one when there is none.
    model: Option<String>,
    /// The language's code, or its English name; found out when there is none.
    language: Option<String>,
    /// The languages that may be spoken.
    #[oai(rename = "languages[]")]
    languages: Option<Vec<String>>,
    /// Words and phrases that are likely to be said.
    #[oai(rename = "keywords[]")]
    keywords: Option<Vec<String>>,
    /// What was said before, as the style to go on in.
    prompt: Option<String>,
    /// `json`, `text`, `srt`, `verbose_json` or `vtt`. `diarized_json` is refused: nobody here tells speakers apart.
    #[oai(default = "json")]
    response_format: String,
    /// 0 to 1; 0 rises by itself where the text is not good enough.
    temperature: Option<f64>,
    /// `logprobs`: in `json` and in streams, one for each word.
    #[oai(rename = "include[]")]
    include: Option<Vec<String>>,
    /// `word`, `segment`: in `verbose_json`.
    #[oai(rename = "timestamp_granularities[]")]
    timestamp_granularities: Option<Vec<String>>,
    /// Whether the words come as events while they are recognised.
    stream: Option<bool>,
    /// `auto`, or `{"type": "server_vad", "prefix_padding_ms", "silence_duration_ms", "threshold"}`, also as
    /// `chunking_strategy[type]` and so on.
    chunking_strategy: Option<String>,
    /// An extension: the script of a Chinese text: `hans`, `hant`, `tw` or `hk`. / 扩展：中文字形。
    zh_variant: Option<String>,
    /// An extension: `low`, `normal` or `high` (as it is when nothing is said). / 扩展：优先级。
    priority: Option<String>,
    /// An extension: whether parts without speech are left out. / 扩展：是否跳过无语音部分。
    vad_filter: Option<bool>,
    /// An extension: words that every part of the audio is heard with. / 扩展：热词。
    hotwords: Option<String>,
}

/// A translation into English in OpenAI's words; the other fields of a transcription are understood, too.
/// / OpenAI 格式的英译请求。
#[derive(Debug, Object)]
#[oai(rename = "OpenAiTranslation")]
pub(super) struct TranslationForm {
    /// The audio or video, in any format that ffmpeg reads. Either this or `url`.
    #[oai(default)]
    file: FilePart,
    /// An extension: a link instead of a file. / 扩展：用链接代替文件。
    url: Option<String>,
    /// A model of `/v1/models`; the default one when there is none.
    model: Option<String>,
    /// English text as the style to go on in.
    prompt: Option<String>,
    /// `json`, `text`, `srt`, `verbose_json` or `vtt`.
    #[oai(default = "json")]
    response_format: String,
    /// 0 to 1; 0 rises by itself where the text is not good enough.
    temperature: Option<f64>,
}

fn json() -> String {
    "json".to_owned()
}

shows!(TranscriptionForm, {
    "url": "https://example.com/talk.mp3",
    "model": "whisper-1",
    "language": "en",
    "response_format": "verbose_json",
    "timestamp_granularities[]": ["segment", "word"],
});

shows!(TranslationForm, { "url": "https://example.com/vortrag.mp3", "model": "whisper-1", "response_format": "json" });
