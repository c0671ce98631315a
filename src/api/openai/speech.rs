//! `POST /v1/audio/transcriptions` and `/v1/audio/translations`.

use poem_openapi::{OpenApi, param::Header};

use super::{
    answer::{Answer, Body},
    ask::Ask,
    form::{TranscriptionForm, TranslationForm},
    repeat::Request,
    stream,
};
use crate::{
    api::{
        facade::Form,
        native::{Context, Group},
        who::Who,
    },
    domain::{Caller, Options, options::Goal},
    error::{Code, Error, Result},
};

/// What can be wrong with the sound that was sent.
const OF_SOUND: [Code; 6] =
    [Code::NotMedia, Code::EmptyMedia, Code::Truncated, Code::NoAudio, Code::TooLong, Code::MediaTimeout];

/// The audio routes.
pub(in crate::api) struct Speech(pub(in crate::api) Context);

#[OpenApi(tag = "Group::Compatibility")]
impl Speech {
    /// Transcribe a file, as with OpenAI
    ///
    /// For OpenAI's SDKs with `base_url` set to this daemon and `/v1`; the path works without `/v1`, too. The request becomes
    /// a task, whose id stands in `X-Task-Id`, and which goes on when the client goes away. A request that is sent again
    /// (`x-stainless-retry-count`) gets the task of the first one. With `stream=true` the words come as events
    /// `transcript.text.delta` and `transcript.text.done`, in whatever format. A failure is
    /// `{"error": {"message", "type", "param", "code"}}`, in a stream as its last event; what is wrong with the request or the
    /// file is 400. Example: `curl -F file=@talk.mp3 -F model=whisper-1 URL`.
    ///
    /// 兼容 OpenAI 的转写接口：将 SDK 的 `base_url` 指向本服务的 `/v1` 即可（也可省略 `/v1`）。请求会成为任务，编号在
    /// `X-Task-Id` 中；客户端断开后任务继续；重试的请求会得到同一任务的结果。`stream=true` 时以 SSE 返回文字。
    #[oai(path = "/v1/audio/transcriptions", method = "post", operation_id = "openai_transcribe")]
    async fn transcribe(
        &self,
        /// How often the client has sent this request before.
        #[oai(name = "x-stainless-retry-count")]
        retries: Header<Option<String>>,
        who: Who,
        form: Form<TranscriptionForm>,
    ) -> poem::Result<Answer> {
        Ok(self.0.speech(form, Goal::Transcribe, who.0, retries.0).await?)
    }

    /// Translate a file into English, as with OpenAI
    ///
    /// As `/v1/audio/transcriptions`, with the text in English. The model must be one that translates: `large-v3-turbo` does
    /// not. Example: `curl -F file=@talk.mp3 -F model=large-v3 URL`.
    ///
    /// 兼容 OpenAI 的英译接口：与转写接口相同，输出英文；模型须支持翻译（`large-v3-turbo` 不支持）。
    #[oai(path = "/v1/audio/translations", method = "post", operation_id = "openai_translate")]
    async fn translate(
        &self,
        /// How often the client has sent this request before.
        #[oai(name = "x-stainless-retry-count")]
        retries: Header<Option<String>>,
        who: Who,
        form: Form<TranslationForm>,
    ) -> poem::Result<Answer> {
        Ok(self.0.speech(form, Goal::Translate, who.0, retries.0).await?)
    }
}

impl Context {
    async fn speech<T>(&self, form: Form<T>, goal: Goal, caller: Caller, retries: Option<String>) -> Result<Answer> {
        let (fields, given) = self.read(form, "file").await?;
        let mut ask = Ask::read(&fields, goal)?;
        let sound = match (&given, ask.submission.link.is_empty()) {
            (Some(_), true) => "file",
            (None, false) => "url",
            (None, true) => return Err(no_sound("There is no file", "file")),
            (Some(_), false) => return Err(no_sound("There is a file, and a link too", "url")),
        };
        ask.set_model(self.hearing(ask.model()).await?);
        let (wanted, options) = (ask.wanted, Options::from_json(&ask.submission.options)?);
        let is_repeated = retries.and_then(|count| count.trim().parse::<u32>().ok()).is_some_and(|count| count > 0);
        let request = Request { ask, given, fields: fields.written(), caller, goal, is_repeated };
        let task = self.task_of(request).await?.id;
        let body = if wanted.stream {
            stream::events(self, task, wanted, &options).await
        } else {
            self.outcome(task).await.map(|ended| Body::of(&ended.transcript, &wanted))
        };
        Ok(Answer { task, body: body.map_err(|error| about(error, sound))? })
    }
}

/// Says which field brought the sound that something is wrong with.
fn about(error: Error, sound: &str) -> Error {
    if OF_SOUND.contains(&error.code) && error.field.is_none() { error.with_field(sound) } else { error }
}

fn no_sound(detail: &str, field: &str) -> Error {
    let hint = "Send the audio as the part \"file\", or a link to it in the field \"url\".";
    Error::new(Code::InvalidRequest, detail).with_hint(hint).with_field(field)
}
