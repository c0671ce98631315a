//! Errors as OpenAI's clients read them, and what tells those clients whether to send everything again.

use poem::{
    Response,
    http::{HeaderName, HeaderValue, StatusCode, header},
};
use serde_json::{Value, json};

use crate::{api::shape::Told, error::Code};

/// Tells OpenAI's clients whether to send the request again; they would upload the whole file once more.
const SHOULD_RETRY: HeaderName = HeaderName::from_static("x-should-retry");

/// When to come back, in seconds, where nobody knows better.
const COME_BACK: u64 = 5;

/// Our names of options, and the fields that set them here.
const FIELDS: [(&str, &str); 9] = [
    ("link", "url"),
    ("initial_prompt", "prompt"),
    ("zh", "zh_variant"),
    ("vad", "vad_filter"),
    ("vad_threshold", "chunking_strategy"),
    ("vad_pad_ms", "chunking_strategy"),
    ("vad_min_silence_ms", "chunking_strategy"),
    ("word_timestamps", "timestamp_granularities[]"),
    ("task", "model"),
];

/// The status that OpenAI's clients expect: what is wrong with a request or its file is 400, a model that does not exist
/// is 404.
pub(in crate::api) fn status(code: Code, status: StatusCode) -> StatusCode {
    match (code, status) {
        (Code::UnknownModel, _) => StatusCode::NOT_FOUND,
        (_, StatusCode::UNPROCESSABLE_ENTITY) => StatusCode::BAD_REQUEST,
        (_, status) => status,
    }
}

/// `{"error": {"message", "type", "param", "code"}}`.
pub(in crate::api) fn body(told: &Told) -> Value {
    let status = status(told.code, told.status);
    let kind = match status {
        status if status.is_server_error() => "server_error",
        StatusCode::TOO_MANY_REQUESTS => "requests",
        _ => "invalid_request_error",
    };
    let code = match (told.code, status) {
        (Code::UnknownModel, _) => "model_not_found",
        (Code::RateLimited, _) => "rate_limit_exceeded",
        (_, StatusCode::UNAUTHORIZED) => "invalid_api_key",
        (code, _) => code.as_str(),
    };
    let field =
        |field: &str| FIELDS.iter().find(|(ours, _)| *ours == field).map_or(field, |(_, theirs)| theirs).to_owned();
    json!({ "error": { "message": told.sentence(), "type": kind, "param": told.field.as_deref().map(field), "code": code } })
}

/// Sets what clients read in the head of every answer; `told` is what a failure tells.
pub(in crate::api) fn mark(response: &mut Response, told: Option<&Told>) {
    let Some(told) = told else { return };
    let headers = response.headers_mut();
    let status = status(told.code, told.status);
    let is_passing = status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS;
    if !(is_passing && told.again) {
        headers.insert(SHOULD_RETRY, HeaderValue::from_static("false"));
    } else if matches!(status, StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS) {
        headers.entry(header::RETRY_AFTER).or_insert(HeaderValue::from(COME_BACK));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    fn told(error: Error) -> Told {
        Told::from(&error)
    }

    fn headers(told: &Told) -> (Option<String>, Option<String>) {
        let mut response = Response::builder().finish();
        mark(&mut response, Some(told));
        let read = |name| response.header(name).map(str::to_owned);
        (read(SHOULD_RETRY), read(header::RETRY_AFTER))
    }

    #[test]
    fn what_is_wrong_with_a_file_is_a_bad_request_that_is_not_sent_again() {
        for code in [Code::NotMedia, Code::EmptyMedia, Code::NoAudio, Code::Truncated, Code::InvalidValue] {
            let told = told(Error::new(code, "It is wrong"));
            assert_eq!(status(told.code, told.status), StatusCode::BAD_REQUEST, "{code:?}");
            assert_eq!(body(&told)["error"]["type"], "invalid_request_error");
            assert_eq!(headers(&told), (Some("false".to_owned()), None), "{code:?}");
        }
        let told = told(
            Error::new(Code::UnknownModel, "There is no model \"x\"").with_hint("Take another.").with_field("model"),
        );
        assert_eq!(status(told.code, told.status), StatusCode::NOT_FOUND);
        let wanted = json!({"error": {"message": "There is no model \"x\". Take another.",
            "type": "invalid_request_error", "param": "model", "code": "model_not_found"}});
        assert_eq!(body(&told), wanted);
    }

    #[test]
    fn only_what_may_pass_is_sent_again() {
        let stopping = told(Error::new(Code::ShuttingDown, "It stops"));
        assert_eq!(
            (status(stopping.code, stopping.status), headers(&stopping)),
            (StatusCode::SERVICE_UNAVAILABLE, (None, Some("5".to_owned())))
        );
        let limited = told(Error::new(Code::RateLimited, "Too many"));
        assert_eq!(headers(&limited), (None, Some("5".to_owned())));
        assert_eq!(
            (&body(&limited)["error"]["type"], &body(&limited)["error"]["code"]),
            (&json!("requests"), &json!("rate_limit_exceeded"))
        );
        let crashed = told(Error::new(Code::EngineCrashed, "It died").for_good());
        assert_eq!(headers(&crashed), (Some("false".to_owned()), None));
        assert_eq!(body(&crashed)["error"]["type"], "server_error");
        assert_eq!(headers(&told(Error::new(Code::Cancelled, "x"))), (Some("false".to_owned()), None));
    }

    #[test]
    fn fields_have_their_names_here() {
        let of =
            |field: &str| body(&told(Error::new(Code::InvalidValue, "x").with_field(field)))["error"]["param"].clone();
        assert_eq!(
            (of("initial_prompt"), of("zh"), of("model")),
            (json!("prompt"), json!("zh_variant"), json!("model"))
        );
        assert_eq!(body(&told(Error::new(Code::Internal, "x")))["error"]["param"], Value::Null);
    }
}
