//! Errors as answers: `application/problem+json` (RFC 9457) with our code, hint and field.

use std::borrow::Cow;

use poem::{
    Response,
    error::{ParseMultipartError, ReadBodyError, ResponseError},
    http::{HeaderValue, StatusCode, header},
};
use poem_openapi::{
    Object,
    error::{ContentTypeError, ParseParamError, ParsePathError},
    types::ToJSON,
};
use serde_json::Value;

use super::{
    fields::tidy,
    shape::{Ready, Told},
};
use crate::error::{Code, Error};

/// The content type of every error.
pub(super) const CONTENT_TYPE: &str = "application/problem+json";

/// What went wrong and what to do about it. / 出了什么问题，以及如何解决。
#[derive(Debug, Object)]
#[oai(skip_serializing_if_is_none)]
pub(super) struct Problem {
    /// Always `about:blank`: `code` says what it is.
    #[oai(rename = "type")]
    kind: String,
    /// The status in words.
    title: String,
    /// The HTTP status.
    status: u16,
    /// A stable word for this kind of failure.
    code: String,
    /// One sentence about this case.
    detail: String,
    /// What to do about it.
    hint: String,
    /// The field or parameter that is wrong.
    field: Option<String>,
    /// The path that was asked for.
    instance: Option<String>,
    /// What was tried before it came to this: for links, each way to the post with how it ended.
    #[oai(default, skip_serializing_if_is_empty)]
    attempts: Vec<Value>,
    /// Everything that is wrong with a workflow's definition: `code`, `pointer`, `message`, `suggestion`, `severity`, `caret`.
    #[oai(default, skip_serializing_if_is_empty)]
    problems: Vec<Value>,
}

impl ResponseError for Error {
    fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    fn as_response(&self) -> Response {
        answer(self, None)
    }
}

/// The answer for an error; our own failures are logged here, once.
pub(super) fn answer(error: &Error, path: Option<&str>) -> Response {
    let status = error.status();
    if status.is_server_error() {
        tracing::error!(path, code = error.code.as_str(), error = %error.chain(), "a request failed");
    }
    let problem = Problem {
        kind: "about:blank".to_owned(),
        title: status.canonical_reason().unwrap_or("Error").to_owned(),
        status: status.as_u16(),
        code: error.code.as_str().to_owned(),
        detail: error.detail.clone(),
        hint: error.hint.clone(),
        field: error.field.clone(),
        instance: path.map(str::to_owned),
        attempts: error.attempts.clone(),
        problems: error.problems.clone(),
    };
    let mut response = Response::builder().status(status).content_type(CONTENT_TYPE).body(problem.to_json_string());
    response.extensions_mut().insert(Told::from(error));
    if error.code == Code::Unauthorized {
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"trawl\""));
    }
    if let Some(wait) = error.retry_after {
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// Whether an answer is already one of ours, or has another shape on purpose.
pub(super) fn is_problem(response: &Response) -> bool {
    response.content_type() == Some(CONTENT_TYPE) || response.extensions().get::<Ready>().is_some()
}

/// Says in our words what the framework refused. `path_names` are the names of the path's parameters, in order.
pub(super) fn from_poem(error: poem::Error, path_names: &[String]) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(ours) => return ours,
        Err(error) => error,
    };
    if let Some(ParsePathError { name, reason }) = error.downcast_ref() {
        // The framework numbers the parameters of a path.
        let index: Option<usize> = name.strip_prefix("param").and_then(|index| index.parse().ok());
        let name = index.and_then(|index| path_names.get(index)).map_or(*name, String::as_str);
        return parameter(name, reason);
    }
    if let Some(ParseParamError { name, reason }) = error.downcast_ref() {
        return parameter(name, reason);
    }
    if error.is::<ContentTypeError>() {
        return Error::new(Code::UnsupportedFormat, error.to_string());
    }
    if let Some(read) = error.downcast_ref::<ReadBodyError>() {
        let code = if matches!(read, ReadBodyError::PayloadTooLarge) { Code::TooLarge } else { Code::InvalidRequest };
        return Error::new(code, format!("The request's body cannot be read: {read}"));
    }
    if let Some(parts) = error.downcast_ref::<ParseMultipartError>() {
        return multipart(parts);
    }
    from_status(error.status(), &error.to_string()).with_source(error.to_string())
}

/// An error for an answer about which only its status is known.
pub(super) fn from_status(status: StatusCode, text: &str) -> Error {
    match status {
        StatusCode::NOT_FOUND => Error::new(Code::NotFound, "There is nothing at this path"),
        StatusCode::METHOD_NOT_ALLOWED => Error::new(Code::MethodNotAllowed, "This path does not take this method"),
        StatusCode::PAYLOAD_TOO_LARGE => Error::new(Code::TooLarge, "The request's body is too large"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => Error::new(Code::UnsupportedFormat, text),
        status if status.is_client_error() => Error::new(Code::InvalidRequest, text),
        _ => Error::new(Code::Internal, "The request could not be answered"),
    }
}

/// What is wrong with a multipart body.
pub(super) fn multipart(error: &ParseMultipartError) -> Error {
    let code = match error {
        ParseMultipartError::InvalidContentType(_) | ParseMultipartError::ContentTypeRequired => {
            Code::UnsupportedFormat
        }
        _ => Code::InvalidRequest,
    };
    let hint = "Send multipart/form-data with a part named \"file\", for example: curl -F file=@talk.mp3 URL.";
    Error::new(code, format!("The multipart body cannot be read: {error}")).with_hint(hint)
}

fn parameter(name: &str, reason: &str) -> Error {
    let reason: Cow<'_, str> = tidy(reason);
    Error::new(Code::InvalidValue, format!("Parameter \"{name}\": {reason}")).with_field(name)
}
