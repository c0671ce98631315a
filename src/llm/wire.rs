//! OpenAI's chat completions as they are on the wire: what is asked, and what comes back.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::dialect::{Dialect, Form, Limit};

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Message {
    role: &'static str,
    content: String,
}

impl Message {
    pub(super) fn system(content: impl Into<String>) -> Self {
        Self { role: "system", content: content.into() }
    }

    pub(super) fn user(content: impl Into<String>) -> Self {
        Self { role: "user", content: content.into() }
    }

    pub(super) fn assistant(content: impl Into<String>) -> Self {
        Self { role: "assistant", content: content.into() }
    }

    pub(super) fn content(&self) -> &str {
        &self.content
    }
}

/// What is asked.
#[derive(Clone, Debug)]
pub(super) struct Question {
    pub(super) messages: Vec<Message>,
    /// The schema of the answer. An answer without one is streamed.
    pub(super) schema: Option<Value>,
    pub(super) temperature: Option<f64>,
    /// What may be written, in tokens.
    pub(super) max_tokens: u32,
}

impl Question {
    pub(super) fn is_streamed(&self) -> bool {
        self.schema.is_none()
    }

    /// The request's body, as the server takes it.
    pub(super) fn body(&self, model: &str, dialect: Dialect) -> Value {
        let mut body = json!({ "model": model, "messages": self.messages, "stream": self.is_streamed() });
        let limit = match dialect.limit {
            Limit::MaxTokens => "max_tokens",
            Limit::MaxCompletionTokens => "max_completion_tokens",
        };
        body[limit] = json!(self.max_tokens);
        if let Some(temperature) = self.temperature.filter(|_| dialect.takes_temperature) {
            body["temperature"] = json!(temperature);
        }
        if self.is_streamed() && dialect.takes_stream_options {
            body["stream_options"] = json!({ "include_usage": true });
        }
        match (&self.schema, dialect.form) {
            (Some(schema), Form::Schema) => {
                body["response_format"] =
                    json!({ "type": "json_schema", "json_schema": { "name": "answer", "schema": schema } });
            }
            (Some(_), Form::Object) => body["response_format"] = json!({ "type": "json_object" }),
            (Some(_), Form::Plain) | (None, _) => {}
        }
        body
    }
}

/// A completion, or one piece of a streamed one. Everything in it may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Completion {
    pub(super) choices: Option<Vec<Choice>>,
    pub(super) usage: Option<Counted>,
    /// What some servers send in place of the rest of a stream.
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    pub(super) message: Option<Said>,
    pub(super) delta: Option<Said>,
    pub(super) finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Said {
    pub(super) content: Option<String>,
    /// Why the model does not answer, in its words.
    pub(super) refusal: Option<String>,
}

/// What the server counted, in tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Counted {
    pub(super) prompt_tokens: u64,
    pub(super) completion_tokens: u64,
}
