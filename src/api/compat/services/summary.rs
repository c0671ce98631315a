//! `POST /api/chatgpt/summary`: a language model says what a task's transcript says.

use std::path::PathBuf;

use poem::Request;
use poem_openapi::{Object, OpenApi};
use serde_json::{Map, Value, json};
use tokio::sync::Semaphore;

use super::{answer::Answer, asked::Asked, tasks::unfinished};
use crate::{
    api::{
        facade::{Fields, Form},
        native::{Context, Group},
        sample::shows,
        who::Who,
    },
    domain::{Caller, TaskId, Usage},
    error::{Code, Error, Result},
    llm,
    workflow::kinds::llm::{Output, With},
};

/// What is asked where nobody says it.
const PROMPT: &str = "Tell what this transcript says: its main points in their order, what the speakers want and in which \
                      tone they speak, and how listeners may take it. Write as one would tell a friend, in plain words, \
                      and add nothing that is not there.";
const HIDDEN: &str = "(hidden)";
/// The longest prompt and the longest name of a language, in characters.
const MAX_PROMPT: usize = 20_000;
const MAX_LANGUAGE: usize = 64;

/// Summaries.
pub(in crate::api) struct Summaries {
    context: Context,
    /// As many at a time as the queue may ask of language models.
    places: Semaphore,
}

impl Summaries {
    /// With the context's settings.
    pub(in crate::api) fn new(context: Context) -> Self {
        let places = Semaphore::new(context.state.queue.config().llm.max(1));
        Self { context, places }
    }
}

/// Which task, and how to speak of it. / 要总结的任务及方式。
#[derive(Debug, Object)]
#[oai(rename = "ServicesSummary")]
struct SummaryFields {
    /// A completed task.
    task_id: i64,
    /// The key for the language model's server, for this request alone; that of the configuration when left out.
    chatgpt_api_key: Option<String>,
    /// What to do with the transcript.
    chatgpt_prompt: Option<String>,
    /// A configured language model, by its name here or at its server; the default one when left out.
    chatgpt_model: Option<String>,
    /// The answer's language.
    #[oai(default = "english")]
    output_language: String,
    /// Whether the answer is noted among the task's events.
    #[oai(default = "yes")]
    save_to_database: bool,
}

fn english() -> String {
    "en".to_owned()
}

fn yes() -> bool {
    true
}

/// What a request asks for.
struct Wanted {
    task: i64,
    key: Option<String>,
    prompt: String,
    model: Option<String>,
    language: String,
    save: bool,
}

/// Where a long answer's parts are kept until it is there.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Most answers have one part and no folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[OpenApi(tag = "Group::Compatibility")]
impl Summaries {
    /// Have a transcript summarised
    ///
    /// As JSON or as a form. Long transcripts go to the model in parts. A key that is sent along goes to the configured
    /// server, for this request alone, and is told to nobody.
    ///
    /// 用语言模型总结任务的文字稿（JSON 或表单）；随请求提供的密钥仅用于本次请求，不会被回显或保存。
    #[oai(path = "/api/chatgpt/summary", method = "post", operation_id = "services_summary")]
    async fn summary(&self, request: &Request, who: Who, form: Form<SummaryFields>) -> poem::Result<Answer> {
        let (fields, _) = self.context.read(form, "file").await?;
        let wanted = Wanted::read(&fields)?;
        let _place = self.places.acquire().await;
        Ok(self.context.summarised(Asked::of(request), wanted, who.0).await?)
    }
}

impl Wanted {
    fn read(fields: &Fields) -> Result<Self> {
        let short = |name: &str, most: usize| match fields.text(name) {
            Some(text) if text.chars().count() > most => {
                let detail = format!("Field \"{name}\" is longer than {most} characters");
                Err(Error::new(Code::InvalidValue, detail).with_field(name))
            }
            text => Ok(text.map(|text| text.trim().to_owned())),
        };
        let task = fields.parsed("task_id", "a whole number")?;
        let missing = || Error::new(Code::InvalidValue, "Field \"task_id\" is missing").with_field("task_id");
        Ok(Self {
            task: task.ok_or_else(missing)?,
            key: fields.text("chatgpt_api_key").map(|key| key.trim().to_owned()),
            prompt: short("chatgpt_prompt", MAX_PROMPT)?.unwrap_or_else(|| PROMPT.to_owned()),
            model: fields.text("chatgpt_model").map(|model| model.trim().to_owned()),
            language: short("output_language", MAX_LANGUAGE)?.unwrap_or_else(english),
            save: fields.flag("save_to_database")?.unwrap_or(true),
        })
    }

    fn params(&self) -> Map<String, Value> {
        let params = json!({
            "task_id": self.task,
            "chatgpt_api_key": self.key.as_ref().map_or("", |_| HIDDEN),
            "chatgpt_prompt": self.prompt,
            "chatgpt_model": self.model,
            "output_language": self.language,
            "save_to_database": self.save,
        });
        params.as_object().cloned().unwrap_or_default()
    }
}

impl Context {
    async fn summarised(&self, asked: Asked, wanted: Wanted, who: Caller) -> Result<Answer> {
        let task = self.services_own(wanted.task, who).await?;
        if let Some(answer) = unfinished(&task, &asked) {
            return Ok(answer);
        }
        let text = self.transcript_of(task.id, None).await?.text;
        let output = self.told(&wanted, task.id, &text).await?;
        let usage = &output.usage;
        let tokens = usage.input_tokens.saturating_add(usage.output_tokens);
        let llm_tokens = i64::try_from(tokens).unwrap_or(i64::MAX);
        let completion = completion(task.id, &output);
        let tx = self.state.queue.store().begin().await?;
        tx.add_usage(who.token, Usage { llm_tokens, ..Usage::default() }).await?;
        if wanted.save {
            tx.add_event(task.id, "summary", json!({ "model": output.model, "text": output.text }));
        }
        tx.commit().await?;
        self.state.queue.wake().event();
        let data = json!({ "task_text": text, "chat_completion": completion });
        Ok(Answer::done(asked, wanted.params(), data))
    }

    /// Asks the model.
    async fn told(&self, wanted: &Wanted, task: TaskId, text: &str) -> Result<Output> {
        let llm = &self.state.llm;
        let model = match &wanted.model {
            Some(name) => Some(llm.alias_of(name).map_err(|error| error.with_field("chatgpt_model"))?),
            None => None,
        };
        let with = With {
            model,
            system: Some(format!("{}\n\nAnswer in this language: {}.", wanted.prompt, wanted.language)),
            input: Some(Value::String(text.to_owned())),
            api_key: wanted.key.clone(),
            ..With::default()
        };
        let id = uuid::Uuid::new_v4();
        let folder = Folder(self.state.files.task_dir(task).with_file_name(format!("summary-{id}.llm")));
        let hide = |text: String| match &wanted.key {
            Some(key) => text.replace(key.as_str(), HIDDEN),
            None => text,
        };
        let context =
            llm::Context { key: format!("summary-{id}"), folder: folder.0.clone(), hear: &|_| {}, hide: &hide };
        llm.run(with, &context).await.map_err(|error| match error.field.as_deref() {
            Some("api_key") => error.with_field("chatgpt_api_key"),
            _ => error,
        })
    }
}

/// The answer as OpenAI's chat API would have told it.
fn completion(task: TaskId, output: &Output) -> Value {
    let usage = &output.usage;
    json!({
        "id": format!("chatcmpl-trawl-{task}-{}", uuid::Uuid::new_v4().simple()),
        "object": "chat.completion",
        "created": chrono::Utc::now().timestamp(),
        "model": output.model,
        "choices": [{
            "index": 0,
            "message": { "role": "assistant", "content": output.text, "refusal": null },
            "logprobs": null,
            "finish_reason": "stop",
        }],
        "usage": {
            "prompt_tokens": usage.input_tokens,
            "completion_tokens": usage.output_tokens,
            "total_tokens": usage.input_tokens.saturating_add(usage.output_tokens),
        },
    })
}

shows!(SummaryFields, { "task_id": 1, "chatgpt_prompt": "Summarise it in three sentences.", "output_language": "English" });
