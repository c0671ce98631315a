//! In which shape a path tells its errors: ours, or that of the system whose route it is.
//!
//! Handlers know one kind of error. The outermost layer asks here, so every failure of a foreign route (one of the
//! router's or of the access check too) comes in the shape that the route's clients read.

use poem::{Response, error::ResponseError, http::StatusCode};
use poem_openapi::{
    registry::{MetaMediaType, MetaSchema, MetaSchemaRef},
    types::Type,
};
use serde_json::{Value, json};

use super::{
    openai,
    problem::{CONTENT_TYPE, Problem},
    routes::matches,
};
use crate::error::{Code, Error};

/// What an answer tells, for whoever renders it anew.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// The HTTP status.
    pub status: StatusCode,
    /// The code.
    pub code: Code,
    /// One sentence.
    pub detail: String,
    /// What to do about it.
    pub hint: String,
    /// The field that is wrong.
    pub field: Option<String>,
    /// Whether the same request may work later.
    pub again: bool,
}

impl Told {
    /// What is wrong, and what to do about it.
    pub(super) fn sentence(&self) -> String {
        format!("{}. {}", self.detail.trim_end_matches('.'), self.hint)
    }
}

impl From<&Error> for Told {
    fn from(error: &Error) -> Self {
        Self {
            status: error.status(),
            code: error.code,
            detail: error.detail.clone(),
            hint: error.hint.clone(),
            field: error.field.clone(),
            again: error.is_retryable(),
        }
    }
}

/// Marks an answer that has its shape already, whatever its status.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ready;

/// A shape of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// `application/problem+json`.
    Problem,
    /// `{"error": {"message", "type", "param", "code"}}`.
    OpenAi,
    /// `{"success": false, "error"}`.
    Success,
    /// `{"detail"}`.
    Detail,
    /// The sentence as plain text.
    Text,
    /// `{"detail": …}` with the request in it; rendered by whoever has that (`compat/services/error.rs`).
    Services,
}

/// The paths of foreign routes (`*` at the end: whatever follows).
const TABLE: &[(&str, Shape)] = &[
    ("/v1", Shape::OpenAi),
    ("/v1/*", Shape::OpenAi),
    ("/transcribe/file", Shape::Success),
    ("/transcribe/binary", Shape::Success),
    ("/transcribe", Shape::Text),
    ("/transcribe/{id}", Shape::Text),
    ("/auth/token", Shape::Text),
    ("/usage", Shape::Text),
    ("/api/whisper/*", Shape::Services),
    ("/api/tiktok/*", Shape::Services),
    ("/api/douyin/*", Shape::Services),
    ("/api/chatgpt/*", Shape::Services),
    ("/api/health/*", Shape::Services),
    ("/upload", Shape::Detail),
    ("/process/audio", Shape::Detail),
    ("/transcription", Shape::Detail),
    ("/monitoring/*", Shape::Detail),
    ("/asr", Shape::Detail),
    ("/detect-language", Shape::Detail),
];

impl Shape {
    /// The shape of a path below the base.
    pub(super) fn of(path: &str) -> Self {
        let fits = |pattern: &str| match pattern.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => matches(pattern, path),
        };
        TABLE.iter().find(|(pattern, _)| fits(pattern)).map_or(Self::Problem, |(_, shape)| *shape)
    }

    /// The body of an answer in this shape; none where it stays as it is.
    fn body(self, told: &Told) -> Option<(&'static str, String)> {
        let sentence = told.sentence();
        let json = |value: Value| Some(("application/json", value.to_string()));
        match self {
            Self::Problem | Self::Services => None,
            Self::OpenAi => json(openai::body(told)),
            Self::Success => json(json!({ "success": false, "error": sentence })),
            Self::Detail => json(json!({ "detail": sentence })),
            Self::Text => Some(("text/plain; charset=utf-8", sentence)),
        }
    }

    /// The status that a code has in this shape, where it usually is `status`.
    pub(super) fn status(self, code: Code, status: StatusCode) -> StatusCode {
        if self == Self::OpenAi { openai::status(code, status) } else { status }
    }

    /// What an answer in this shape is, for the documentation.
    pub(super) fn media_type(self) -> MetaMediaType {
        let text = || MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        let object = |properties: Vec<(&'static str, MetaSchemaRef)>| {
            let required = properties.iter().map(|(name, _)| *name).collect();
            MetaSchemaRef::Inline(Box::new(MetaSchema { properties, required, ..MetaSchema::new("object") }))
        };
        let any = || MetaSchemaRef::Inline(Box::new(MetaSchema::ANY));
        let (content_type, schema) = match self {
            Self::Problem => (CONTENT_TYPE, Problem::schema_ref()),
            Self::OpenAi => {
                let error = object(vec![("message", text()), ("type", text()), ("param", any()), ("code", text())]);
                ("application/json", object(vec![("error", error)]))
            }
            Self::Success => {
                let boolean = MetaSchemaRef::Inline(Box::new(MetaSchema::new("boolean")));
                ("application/json", object(vec![("success", boolean), ("error", text())]))
            }
            Self::Detail => ("application/json", object(vec![("detail", text())])),
            Self::Services => ("application/json", object(vec![("detail", any())])),
            Self::Text => ("text/plain; charset=utf-8", text()),
        };
        MetaMediaType { content_type, schema }
    }

    /// Says what an answer tells in this shape; other headers stay.
    pub(super) fn reshape(self, response: Response) -> Response {
        let told = response.extensions().get::<Told>().cloned();
        let mut response = match told.as_ref().and_then(|told| Some((told, self.body(told)?))) {
            Some((told, (kind, body))) => {
                let mut response = response.set_content_type(kind);
                response.set_status(self.status(told.code, told.status));
                response.set_body(body);
                response
            }
            None => response,
        };
        if self == Self::OpenAi {
            openai::mark(&mut response, told.as_ref());
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_path_has_its_shape() {
        assert_eq!(Shape::of("/v1/audio/transcriptions"), Shape::OpenAi);
        assert_eq!(Shape::of("/transcribe/file"), Shape::Success);
        assert_eq!(Shape::of("/api/tasks/1"), Shape::Problem);
    }

    #[test]
    fn a_foreign_answer_holds_sentence_and_hint() {
        let told = Told::from(&Error::new(Code::InvalidValue, "It is wrong.").with_hint("Mend it.").with_field("file"));
        let (_, body) = Shape::OpenAi.body(&told).unwrap();
        let wanted = json!({"error": {"message": "It is wrong. Mend it.", "type": "invalid_request_error",
            "param": "file", "code": "invalid_value"}});
        assert_eq!(serde_json::from_str::<Value>(&body).unwrap(), wanted);
        assert_eq!(Shape::Text.body(&told).unwrap().1, "It is wrong. Mend it.");
        assert!(Shape::Problem.body(&told).is_none());
    }
}
