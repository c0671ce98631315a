//! Answers in the envelope.

use poem::{IntoResponse, Response, http::StatusCode};
use poem_openapi::{
    ApiResponse, Object,
    registry::{MetaMediaType, MetaResponse, MetaResponses, Registry},
    types::{ToJSON, Type},
};
use serde_json::{Map, Value};

use super::{
    asked::Asked,
    error::{Failure, refusal},
};
use crate::api::shape::Ready;

/// The envelope of the old API. / 旧接口的响应格式。
#[derive(Debug, Object)]
pub(in crate::api) struct Envelope {
    /// 200.
    pub code: u16,
    /// The address that was called.
    pub router: String,
    /// What was asked for.
    pub params: Value,
    /// What came of it.
    pub data: Value,
}

/// An answer of the old API: in the envelope, or told as a failure though it is none of ours.
pub(super) struct Answer {
    status: StatusCode,
    body: Value,
}

impl Answer {
    /// What was asked for.
    pub(super) fn done(asked: Asked, params: Map<String, Value>, data: Value) -> Self {
        let envelope = Envelope { code: 200, router: asked.router, params: params.into(), data };
        Self { status: StatusCode::OK, body: envelope.to_json().unwrap_or_default() }
    }

    /// The same for a request whose parameters stood in its query.
    pub(super) fn found(asked: Asked, data: Value) -> Self {
        let params = asked.params.clone();
        Self::done(asked, params, data)
    }

    /// A task that is not there yet, or has failed: `detail` in place of the envelope.
    pub(super) fn told(status: StatusCode, failure: &Failure<'_>, asked: &Asked) -> Self {
        Self { status, body: refusal(status, failure, asked) }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::builder()
            .status(self.status)
            .content_type("application/json; charset=utf-8")
            .body(self.body.to_string());
        response.extensions_mut().insert(Ready);
        response
    }
}

impl ApiResponse for Answer {
    fn meta() -> MetaResponses {
        let response = MetaResponse {
            description: "The envelope. A task that has not ended answers 202 with `detail`. / 旧格式响应；未结束的任务返回 202。",
            status: Some(200),
            status_range: None,
            content: vec![MetaMediaType { content_type: "application/json", schema: Envelope::schema_ref() }],
            headers: Vec::new(),
        };
        MetaResponses { responses: vec![response] }
    }

    fn register(registry: &mut Registry) {
        Envelope::register(registry);
    }
}
