//! An answer in the format that was asked for.

use std::time::Duration;

use futures_util::{StreamExt, stream::BoxStream};
use poem::{
    IntoResponse, Response,
    http::{HeaderName, HeaderValue},
    web::sse::{Event, SSE},
};
use poem_openapi::{
    ApiResponse,
    registry::{MetaHeader, MetaMediaType, MetaResponse, MetaResponses, MetaSchema, MetaSchemaRef, Registry},
    types::{ToJSON, Type},
};

use super::{
    ask::{Format, Wanted},
    views::{Text, Verbose},
};
use crate::{
    domain::{TaskId, Transcript},
    subtitle::{self, Layout, render},
};

/// The task of an answer.
const TASK_ID: HeaderName = HeaderName::from_static("x-task-id");

/// How often a silent stream says that it is alive.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// What a request came to.
pub(super) struct Answer {
    pub task: TaskId,
    pub body: Body,
}

/// The words.
pub(super) enum Body {
    /// All of them, with their content type.
    Whole(&'static str, String),
    /// As they come: JSON values.
    Events(BoxStream<'static, String>),
}

impl Body {
    /// A transcript in the format that was asked for.
    pub(super) fn of(transcript: &Transcript, wanted: &Wanted) -> Self {
        let file = |format: subtitle::Format| {
            Self::Whole(format.content_type(), render(transcript, format, &Layout::default()))
        };
        match wanted.format {
            Format::Json => Self::Whole("application/json", Text::new(transcript, wanted).to_json_string()),
            Format::Verbose => Self::Whole("application/json", Verbose::new(transcript, wanted).to_json_string()),
            Format::Text => Self::Whole("text/plain; charset=utf-8", format!("{}\n", transcript.text)),
            Format::Srt => file(subtitle::Format::Srt),
            Format::Vtt => file(subtitle::Format::Vtt),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = match self.body {
            Body::Whole(kind, text) => Response::builder().content_type(kind).body(text),
            Body::Events(events) => streamed(events, KEEP_ALIVE),
        };
        response.headers_mut().insert(TASK_ID, HeaderValue::from(self.task.0));
        response
    }
}

fn streamed(events: BoxStream<'static, String>, keep_alive: Duration) -> Response {
    SSE::new(events.map(Event::message)).keep_alive(keep_alive).into_response()
}

impl ApiResponse for Answer {
    fn meta() -> MetaResponses {
        let text = || MetaSchemaRef::Inline(Box::new(MetaSchema::new("string")));
        let json = MetaSchema { any_of: vec![Text::schema_ref(), Verbose::schema_ref()], ..MetaSchema::ANY };
        let json = MetaMediaType { content_type: "application/json", schema: MetaSchemaRef::Inline(Box::new(json)) };
        let texts = ["text/plain", "application/x-subrip", "text/vtt", "text/event-stream"];
        let texts = texts.map(|content_type| MetaMediaType { content_type, schema: text() });
        let task = MetaHeader {
            name: TASK_ID.as_str().to_owned(),
            description: Some("The task, to be looked at with /api/tasks/{id}.".to_owned()),
            required: true,
            deprecated: false,
            schema: MetaSchemaRef::Inline(Box::new(MetaSchema::new("integer"))),
        };
        let response = MetaResponse {
            description: "The words, in the format that was asked for. / 所请求格式的文字。",
            status: Some(200),
            status_range: None,
            content: [json].into_iter().chain(texts).collect(),
            headers: vec![task],
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        Text::register(registry);
        Verbose::register(registry);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::openai::views::tests::{transcript, wanted};

    #[test]
    fn texts_come_in_their_formats() {
        let of = |format| match Body::of(&transcript(), &wanted(format)) {
            Body::Whole(kind, text) => (kind, text),
            Body::Events(_) => panic!("nobody asked for events"),
        };
        assert_eq!(of(Format::Text), ("text/plain; charset=utf-8", "One two. Three.\n".to_owned()));
        let (kind, srt) = of(Format::Srt);
        assert!(
            kind.starts_with("application/x-subrip")
                && srt.starts_with("1\n00:00:00,000 --> 00:00:01,000\nOne two.\n\n")
        );
        let (kind, vtt) = of(Format::Vtt);
        assert!(kind.starts_with("text/vtt") && vtt.starts_with("WEBVTT\n\n"), "{vtt}");
        assert_eq!(of(Format::Json).0, "application/json");
    }

    #[test]
    fn an_answer_names_its_task() {
        let response = Answer { task: TaskId(7), body: Body::of(&transcript(), &wanted(Format::Text)) }.into_response();
        assert_eq!(
            (response.header("x-task-id"), response.content_type()),
            (Some("7"), Some("text/plain; charset=utf-8"))
        );
    }

    #[tokio::test]
    async fn silence_in_a_stream_is_a_comment_now_and_then() {
        let response = streamed(futures_util::stream::pending().boxed(), Duration::from_millis(1));
        assert_eq!(response.content_type(), Some("text/event-stream"));
        let mut body = response.into_body().into_bytes_stream();
        assert_eq!(body.next().await.unwrap().unwrap(), ":\n\n");
    }
}
