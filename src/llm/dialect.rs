//! What a server takes of OpenAI's requests, found out by its refusals.

use super::wire::Question;

/// How the form of an answer is asked for. Whatever the server takes, the instructions tell it, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// `response_format` with the schema.
    Schema,
    /// `response_format` for any object.
    Object,
    /// By the instructions alone.
    Plain,
}

/// How the length of an answer is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Limit {
    /// `max_tokens`, which every server knows but for OpenAI's newer models.
    MaxTokens,
    /// `max_completion_tokens`.
    MaxCompletionTokens,
}

/// What a server takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Dialect {
    pub(super) form: Form,
    pub(super) limit: Limit,
    pub(super) takes_temperature: bool,
    pub(super) takes_stream_options: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self { form: Form::Schema, limit: Limit::MaxTokens, takes_temperature: true, takes_stream_options: true }
    }
}

impl Dialect {
    /// What to try after a 400 or 422 that said this; none when there is nothing left to leave out.
    pub(super) fn after(self, question: &Question, said: &str) -> Option<Self> {
        let said = said.to_ascii_lowercase();
        let is_refused =
            ["unsupported", "not support", "unrecognized", "unknown", "extra"].iter().any(|w| said.contains(w));
        if is_refused && self.limit == Limit::MaxTokens && said.contains("max_completion_tokens") {
            return Some(Self { limit: Limit::MaxCompletionTokens, ..self });
        }
        if question.temperature.is_some() && self.takes_temperature && said.contains("temperature") {
            return Some(Self { takes_temperature: false, ..self });
        }
        if question.is_streamed() && self.takes_stream_options && said.contains("stream_options") {
            return Some(Self { takes_stream_options: false, ..self });
        }
        if question.schema.is_none() || is_about_length(&said) {
            return None;
        }
        match self.form {
            Form::Schema => Some(Self { form: Form::Object, ..self }),
            Form::Object => Some(Self { form: Form::Plain, ..self }),
            Form::Plain => None,
        }
    }
}

/// Whether a refusal speaks of how the form of an answer is asked for, and not of this one schema.
pub(super) fn is_about_form(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|words| said.contains(words));
    has(&["response_format", "json_schema"]) && !has(&["invalid schema", "invalid_json_schema"])
}

/// Whether a refusal speaks of a text that is too long for the model.
pub(super) fn is_about_length(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    ["context_length", "context length", "context size", "context window", "exceed_context"]
        .iter()
        .any(|words| said.contains(words))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(schema: bool) -> Question {
        let schema = schema.then(|| json!({"type": "object"}));
        Question { messages: Vec::new(), schema, temperature: Some(0.5), max_tokens: 9 }
    }

    #[test]
    fn what_a_server_refuses_is_left_out() {
        let (all, asked) = (Dialect::default(), question(true));
        let newer = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.";
        let body = asked.body("m", all.after(&asked, newer).unwrap());
        assert_eq!((&body["max_tokens"], &body["max_completion_tokens"]), (&json!(null), &json!(9)));
        let body = asked.body("m", all.after(&asked, "Unsupported value: 'temperature' does not support 0.5").unwrap());
        assert_eq!(body["temperature"], json!(null));
        let object = all.after(&asked, "response_format is not known here").unwrap();
        assert_eq!(asked.body("m", object)["response_format"], json!({"type": "json_object"}));
        let plain = object.after(&asked, "?").unwrap();
        assert_eq!(asked.body("m", plain)["response_format"], json!(null));
        assert_eq!(plain.after(&asked, "?"), None);
        assert_eq!(all.after(&asked, "This model's maximum context length is 4096 tokens"), None);

        assert!(is_about_form("'response_format' of type 'json_schema' is not supported with this model"));
        assert!(!is_about_form("Invalid schema for response_format 'answer': 'required' is missing"));

        let streamed = question(false);
        let body = streamed.body("m", all);
        assert_eq!((&body["stream"], &body["stream_options"]), (&json!(true), &json!({"include_usage": true})));
        let less = all.after(&streamed, "stream_options: Extra inputs are not permitted").unwrap();
        assert_eq!(streamed.body("m", less)["stream_options"], json!(null));
        assert_eq!(less.after(&streamed, "nonsense"), None);
    }
}
