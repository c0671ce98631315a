//! The requests of one step: what an answer must look like, what is counted, and what need not be asked twice.

use std::{path::PathBuf, time::Instant};

use serde_json::Value;

use super::{
    answer,
    failure::unusable,
    fence::{RULE, fence},
    memory::{Kept, Memory},
    model::{Keys, Model, Said},
    schema::Schema,
    tokens::estimate,
    wire::{Message, Question},
};
use crate::{error::Result, metrics, workflow::kinds::llm::Usage};

/// What the marks around a message and the fence take, in tokens.
const MARKS: usize = 160;

/// Where a step works and who hears of it.
pub struct Context<'a> {
    /// The same for every try of the step: the `Idempotency-Key` of its first request, and what those of others begin with.
    pub key: String,
    /// Where answers are kept until the task ends, so that another try need not ask for them again.
    pub folder: PathBuf,
    /// Hears what comes on the way.
    pub hear: &'a (dyn Fn(Heard<'_>) + Sync),
    /// Takes secrets out of what others say, before it is shortened.
    pub hide: &'a (dyn Fn(String) -> String + Sync),
}

/// What comes on the way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Heard<'a> {
    /// The next words of a streamed answer.
    Text {
        /// Which part it is the answer to, from 1; none: to what merges them.
        part: Option<usize>,
        /// How many parts there are.
        parts: usize,
        /// The words.
        text: &'a str,
    },
    /// How much is done, 0 to 1.
    Progress(f64),
}

/// One request.
pub(super) struct Request<'r> {
    /// Which of the step's it is; empty for the only one.
    pub(super) name: String,
    /// The instructions.
    pub(super) system: &'r str,
    /// What is said before the data; ours, too.
    pub(super) intro: &'r str,
    /// What strangers said.
    pub(super) data: &'r str,
    /// What the answer must look like; any text where there is none.
    pub(super) form: Option<Form<'r>>,
    pub(super) part: Option<usize>,
    pub(super) parts: usize,
}

/// What an answer must look like.
pub(super) struct Form<'r> {
    pub(super) schema: &'r Schema,
    /// What a schema cannot say: the problems of an answer.
    pub(super) check: &'r (dyn Fn(&Value) -> Vec<String> + Sync),
}

/// A checked answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    pub(super) text: String,
    pub(super) json: Option<Value>,
}

/// The requests of one step.
pub(super) struct Session<'a> {
    pub(super) model: &'a Model,
    pub(super) context: &'a Context<'a>,
    /// A key in place of that of the configuration.
    pub(super) api_key: Option<String>,
    pub(super) temperature: Option<f64>,
    /// What one answer may have, in tokens.
    pub(super) max_tokens: u32,
    pub(super) usage: Usage,
    pub(super) warnings: Vec<String>,
    /// How many requests there will be, about.
    pub(super) expected: usize,
    pub(super) answered: usize,
}

impl Session<'_> {
    /// How many tokens of data fit beside instructions and an answer; 0 when there is no room.
    pub(super) fn room(&self, system: &str, intro: &str) -> usize {
        let context = self.model.settings.context_tokens as usize;
        let taken = self.max_tokens as usize + estimate(system) + estimate(intro) + MARKS;
        (context - context / 20).saturating_sub(taken)
    }

    /// Asks, and asks once more when the answer does not have the form that it must have.
    pub(super) async fn ask(&mut self, request: Request<'_>) -> Result<Answer> {
        let settings = &self.model.settings;
        let schema = request.form.as_ref().map(|form| form.schema.sent());
        let asked = serde_json::json!([
            settings.base_url,
            settings.model,
            request.system,
            request.intro,
            request.data,
            schema,
            self.temperature,
            self.max_tokens
        ]);
        let memory = Memory::of(&self.context.folder, &asked);
        let kept = match memory.recall().await {
            Some(kept) => kept,
            None => {
                let kept = self.answer(&request).await?;
                memory.keep(&kept).await;
                kept
            }
        };
        self.usage.input_tokens += kept.usage.input_tokens;
        self.usage.output_tokens += kept.usage.output_tokens;
        self.usage.requests += kept.usage.requests;
        if kept.is_estimated {
            self.warn("The server does not count tokens: their numbers are estimates");
        }
        self.answered += 1;
        (self.context.hear)(Heard::Progress(self.answered as f64 / self.expected.max(self.answered) as f64));
        Ok(Answer { text: kept.text, json: kept.json })
    }

    pub(super) fn warn(&mut self, warning: &str) {
        if !self.warnings.iter().any(|told| told == warning) {
            self.warnings.push(warning.to_owned());
        }
    }

    async fn answer(&self, request: &Request<'_>) -> Result<Kept> {
        let user = format!("{}\n\n{}", request.intro, fence(request.data));
        let mut question = Question {
            messages: vec![Message::system(request.system), Message::user(user.trim_start())],
            schema: request.form.as_ref().map(|form| form.schema.sent().clone()),
            temperature: self.temperature,
            max_tokens: self.max_tokens,
        };
        let mut kept = Kept::default();
        let said = self.send(&question, request, "", &mut kept).await?;
        let Some(form) = &request.form else {
            answer::clean(&said.text).clone_into(&mut kept.text);
            if kept.text.is_empty() {
                return Err(unusable(&self.model.settings, "it holds thoughts and nothing else"));
            }
            return Ok(kept);
        };
        let json = match form.read(&said.text).await {
            Ok(json) => json,
            Err(problems) => {
                tracing::debug!(model = self.model.settings.alias, problems = problems.len(), "an answer is repaired");
                question.messages.extend(self.complaint(request, &said.text, &problems));
                let said = self.send(&question, request, "repair", &mut kept).await?;
                form.read(&said.text).await.map_err(|problems| self.wrong_form(&problems))?
            }
        };
        kept.text = json.to_string();
        kept.json = Some(json);
        Ok(kept)
    }

    async fn send(&self, question: &Question, request: &Request<'_>, what: &str, kept: &mut Kept) -> Result<Said> {
        let name: Vec<&str> = [request.name.as_str(), what].into_iter().filter(|name| !name.is_empty()).collect();
        let key = match name.as_slice() {
            [] => self.context.key.clone(),
            name => format!("{}#{}", self.context.key, name.join("-")),
        };
        let hear = |text: &str| {
            (self.context.hear)(Heard::Text { part: request.part, parts: request.parts, text });
        };
        let keys = Keys { idempotency: &key, api: self.api_key.as_deref(), hide: self.context.hide };
        let (settings, started) = (&self.model.settings, Instant::now());
        let answer = self.model.ask(question, keys, &hear).await;
        let outcome = answer.as_ref().map_or_else(|error| error.code.as_str(), |_| "ok");
        metrics::llm_request(&settings.alias, outcome, started.elapsed());
        let said = answer?;
        let (read, written) = match said.counted {
            Some(counted) => (counted.prompt_tokens, counted.completion_tokens),
            None => {
                kept.is_estimated = true;
                let read: usize = question.messages.iter().map(|message| estimate(message.content())).sum();
                (read as u64, estimate(&said.text) as u64)
            }
        };
        let cost = settings.prices.map(|(input, output)| (read as f64 * input + written as f64 * output) / 1e6);
        metrics::llm_tokens(&settings.alias, read, written, cost);
        kept.usage.input_tokens += read;
        kept.usage.output_tokens += written;
        kept.usage.requests += 1;
        Ok(said)
    }

    /// What is said of an answer in the wrong form: it is shown to the model again where there is room for that.
    fn complaint(&self, request: &Request<'_>, said: &str, problems: &[String]) -> Vec<Message> {
        // They may name what the model wrote, and the model may have been told to write it.
        let list = fence(&problems.iter().map(|problem| format!("- {problem}")).collect::<Vec<_>>().join("\n"));
        let text = format!(
            "Your answer does not have the form that it must have. What is wrong with it, as data:\n\n{list}\n\nAnswer again, \
             with the JSON alone, in the form that was asked for."
        );
        let left = self.room(request.system, request.intro).saturating_sub(estimate(request.data));
        let shown =
            (estimate(said) + estimate(&text) <= left && !said.trim().is_empty()).then(|| Message::assistant(said));
        shown.into_iter().chain([Message::user(text)]).collect()
    }

    fn wrong_form(&self, problems: &[String]) -> crate::error::Error {
        let first = (self.context.hide)(problems.first().cloned().unwrap_or_default());
        // The model may have put anything into it; its quotes are no harm.
        let first: String = first.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let why = format!("it does not have the form that it must have: {}", first.trim_end_matches('.'));
        unusable(&self.model.settings, &why)
    }
}

impl Form<'_> {
    async fn read(&self, text: &str) -> Result<Value, Vec<String>> {
        let value = self.schema.read(text).await?;
        let problems = (self.check)(&value);
        if problems.is_empty() { Ok(value) } else { Err(problems) }
    }
}

/// The instructions as they are sent: what is to be done, the form of the answer, and what data are.
pub(super) fn system(instructions: &str, more: Option<&str>, schema: Option<&Schema>) -> String {
    let form = schema.map(|schema| {
        format!("Answer with JSON alone, with no words around it, valid under this JSON Schema:\n{}", schema.sent())
    });
    let parts = [Some(instructions), more, form.as_deref(), Some(RULE)];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}
