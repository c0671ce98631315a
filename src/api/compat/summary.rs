//! `POST /upload` and `/process/audio`: a file's words and a summary of them, at once.

use base64::{Engine, engine::general_purpose::STANDARD};
use poem_openapi::{Object, OpenApi, payload::Json};

use super::waited::file;
use crate::{
    api::{
        facade::{Fields, Form, Given},
        native::{Context, Group, upload::form::FilePart},
        sample::shows,
        who::Who,
    },
    domain::{Caller, Priority, TaskId},
    error::{Code, Error, Result},
    intake::Submission,
};

/// The old routes.
pub(in crate::api) struct SummedUp(pub(in crate::api) Context);

/// A file to be transcribed and summed up. / 要转写并总结的文件。
#[derive(Debug, Object)]
#[oai(rename = "SummaryForm")]
struct SummaryForm {
    /// The audio or video, in any format that ffmpeg reads; in JSON a link to it, or its bytes in base64.
    #[oai(default)]
    file: FilePart,
    /// The language's code or English name; found out when there is none.
    language: Option<String>,
    /// An extension: a model or an alias. / 扩展：模型。
    model: Option<String>,
}

/// The words and a summary of them. / 文字与摘要。
#[derive(Debug, Object)]
#[oai(rename = "SummedUp")]
struct View {
    /// Everything that is said.
    transcript: String,
    /// The summary; null when there is none.
    summary: Option<String>,
    /// Why there is no summary.
    #[oai(skip_serializing_if_is_none)]
    summary_error: Option<String>,
    /// The path of the words as a text file.
    download_url: String,
    /// The task, which stays at `/api/tasks/{id}`.
    task_id: i64,
}

#[OpenApi(tag = "Group::Compatibility")]
impl SummedUp {
    /// Transcribe a file and sum it up
    ///
    /// Answers when both are there. The request becomes a task of the workflow `transcribe-summarise`, which goes on when the
    /// client goes away. Without a language model (`llm.base_url`), and when it fails, the words come all the same, with
    /// the reason in `summary_error`. Example: `curl -F file=@talk.mp3 URL`.
    ///
    /// 上传音频，等待转写与摘要；未配置语言模型或摘要失败时仍返回文字，原因见 `summary_error`。
    #[oai(path = "/upload", method = "post", operation_id = "upload_audio")]
    async fn upload(&self, who: Who, form: Form<SummaryForm>) -> poem::Result<Json<View>> {
        Ok(Json(self.0.summed_up(form, who.0).await?))
    }

    /// Transcribe a file and sum it up, by its other name
    ///
    /// The same as `/upload`. Example: `curl -F file=@talk.mp3 -F language=en URL`.
    ///
    /// 与 `/upload` 相同。
    #[oai(path = "/process/audio", method = "post", operation_id = "process_audio")]
    async fn process(&self, who: Who, form: Form<SummaryForm>) -> poem::Result<Json<View>> {
        Ok(Json(self.0.summed_up(form, who.0).await?))
    }
}

impl Context {
    async fn summed_up(&self, form: Form<SummaryForm>, caller: Caller) -> Result<View> {
        let (fields, given) = self.read(form, "file").await?;
        let (given, link) = self.sound(&fields, given).await?;
        let has_model = !self.state.config.llm.base_url.is_empty();
        let submission = Submission {
            link,
            workflow: if has_model { "transcribe-summarise" } else { "transcribe" }.to_owned(),
            options: self.options(&fields, &["language"]).await?,
            priority: Some(Priority::High),
            caller,
            ..Submission::default()
        };
        let id = self.take(given, submission).await?.id;
        let (transcript, summary, summary_error) = match self.outcome(id).await {
            Ok(ended) => {
                let result = ended.task.result.unwrap_or_default();
                let summary = result["summary"].as_str().map(str::to_owned);
                let why = match has_model {
                    true => "Nothing was said.",
                    false => "There is no language model: set `llm.base_url` in the configuration.",
                };
                let why = summary.is_none().then(|| why.to_owned());
                (ended.transcript, summary, why)
            }
            // The words are not lost when what comes after them fails.
            Err(error) => match self.transcript_of(id, None).await {
                Ok(transcript) => {
                    // What may pass was tried again until there was no try left.
                    let hint = match error.code.class().is_retryable() {
                        true => format!("POST /api/tasks/{id}/retry tries it again."),
                        false => error.hint,
                    };
                    let why = format!("{}. {hint}", error.detail.trim_end_matches('.'));
                    (transcript, None, Some(why))
                }
                Err(_) => return Err(error),
            },
        };
        Ok(View {
            transcript: transcript.text,
            summary,
            summary_error,
            download_url: self.text_path(id),
            task_id: id.0,
        })
    }

    /// The file, or the link to it: a part of the form, or a text with one or the other in it.
    async fn sound(&self, fields: &Fields, given: Option<Given>) -> Result<(Option<Given>, String)> {
        let text = fields.text("file").filter(|_| given.is_none());
        match text {
            None => Ok((Some(file(given, "file")?), String::new())),
            Some(link) if link.contains("://") => Ok((None, link)),
            Some(text) => Ok((Some(self.decoded(&text).await?), String::new())),
        }
    }

    /// A file that came as base64, perhaps as a `data:` link.
    async fn decoded(&self, text: &str) -> Result<Given> {
        let code = text.rsplit_once(";base64,").map_or(text, |(_, code)| code);
        let code: String = code.split_whitespace().collect();
        let bytes = STANDARD.decode(code).map_err(|error| {
            let hint = "Send multipart/form-data, for example: curl -F file=@talk.mp3 URL.";
            Error::new(Code::InvalidRequest, "Field \"file\" is neither a file nor a link nor base64")
                .with_hint(hint)
                .with_field("file")
                .with_source(error)
        })?;
        let mut file = self.state.files.new_upload().await?;
        file.write(&bytes).await?;
        file.finish().await?;
        Ok(Given { file, name: String::new(), content_type: String::new() })
    }

    fn text_path(&self, id: TaskId) -> String {
        format!("{}/api/tasks/{id}/transcript?format=txt", self.base())
    }
}

shows!(SummaryForm, { "language": "zh" });
