//! What went wrong between us and a language model, in trawl's words. Pure.
//!
//! Callers may rely on: an error holds no key, nothing of the text that was sent, and of the server's own words a short,
//! escaped excerpt at most.

use serde_json::Value;

use super::dialect::is_about_length;
use crate::{
    config::LlmModel,
    error::{Code, Error},
    net::FormReply,
};

/// How much of a server's message is shown, in characters.
const EXCERPT: usize = 200;

/// The error for a request without an answer.
pub(super) fn unreached(model: &LlmModel, error: Error) -> Error {
    let alias = &model.alias;
    let detail = format!("The language model {alias} cannot be asked: {}", error.detail);
    match error.code {
        Code::AddressRefused | Code::PortRefused | Code::InvalidLink | Code::Config => {
            let hint = format!("Check {}. {}", model.key("base_url"), error.hint);
            Error::new(Code::Config, detail).with_hint(hint).for_good().with_source(error)
        }
        Code::SourceTimeout => Error::new(Code::LlmTimeout, detail).with_source(error),
        _ => Error::new(Code::LlmUnavailable, detail).with_source(error),
    }
}

/// The error for a server that does not answer in time.
pub(super) fn too_slow(model: &LlmModel) -> Error {
    let (alias, seconds) = (&model.alias, model.timeout.0.as_secs_f64());
    Error::new(Code::LlmTimeout, format!("The language model {alias} did not answer within {seconds} s"))
        .with_hint(format!("Raise {}, or lower the `max_tokens` of the step.", model.key("timeout")))
}

/// The error for an answer that says no. `hide` takes secrets out of the server's words.
pub(super) fn refused(model: &LlmModel, reply: &FormReply, hide: &dyn Fn(String) -> String) -> Error {
    let (alias, status) = (&model.alias, reply.status);
    let body = String::from_utf8_lossy(&reply.body);
    let said = excerpt(model, &reply.body, hide).map(|said| format!(": {said}")).unwrap_or_default();
    let detail = |what: &str| format!("The server of the language model {alias} {what} ({status}){said}");
    let config = |what: &str, hint: String| Error::new(Code::Config, detail(what)).with_hint(hint).for_good();
    match status {
        401 | 403 => Error::new(Code::LlmDenied, detail("does not let us in"))
            .with_hint(format!("Correct {}.", model.key("api_key"))),
        404 | 405 => config(
            "has no such address or model",
            format!(
                "{} must be the address up to and with /v1, {} the model's name there; with Ollama, pull the model first.",
                model.key("base_url"),
                model.key("model")
            ),
        ),
        300..=399 => config("leads elsewhere", format!("Set {} to its final address.", model.key("base_url"))),
        400 | 413 | 422 if status == 413 || is_about_length(&body) => {
            Error::new(Code::TooLarge, detail("takes no text as long as this"))
                .with_hint(format!("Set {} to what the server really reads.", model.key("context_tokens")))
        }
        400 | 422 => config(
            "refuses the request",
            format!("See the server's log; check the step's fields and {}.", model.key("model")),
        ),
        429 if body.contains("insufficient_quota") => Error::new(Code::LlmDenied, detail("wants to be paid first"))
            .with_hint(format!("Look at the account of {}.", model.key("api_key"))),
        429 => Error::new(Code::RateLimited, detail("asks for patience"))
            .with_hint(format!("Lower {}, or wait: trawl tries again by itself.", model.key("requests_per_minute")))
            .with_retry_after(reply.retry_after),
        _ => Error::new(Code::LlmUnavailable, detail("has a problem")).with_retry_after(reply.retry_after),
    }
}

/// The error for a server that gives up in the middle of its answer.
pub(super) fn gave_up(model: &LlmModel, said: &Value, hide: &dyn Fn(String) -> String) -> Error {
    let body = serde_json::json!({ "error": said }).to_string();
    let said = excerpt(model, body.as_bytes(), hide).map(|said| format!(": {said}")).unwrap_or_default();
    Error::new(
        Code::LlmUnavailable,
        format!("The language model {} gave up in the middle of its answer{said}", model.alias),
    )
}

/// The error for an answer that cannot be used.
pub(super) fn unusable(model: &LlmModel, why: &str) -> Error {
    Error::new(Code::LlmAnswer, format!("The language model {} gave no usable answer: {why}", model.alias))
}

/// The message in a JSON answer, in quotes: OpenAI's `error.message`, Ollama's `error`, FastAPI's `detail`.
fn excerpt(model: &LlmModel, body: &[u8], hide: &dyn Fn(String) -> String) -> Option<String> {
    let value: Value = serde_json::from_slice(body).ok()?;
    let places = ["/error/message", "/error", "/detail", "/detail/0/msg", "/message"];
    let said = places.iter().find_map(|place| value.pointer(place)?.as_str())?;
    let said = if model.api_key.is_empty() { said.to_owned() } else { said.replace(&model.api_key, "…") };
    let short: String = hide(said).chars().take(EXCERPT).collect();
    Some(format!("\"{}\"", short.escape_debug()))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::Span;

    fn model() -> LlmModel {
        LlmModel {
            alias: "default".to_owned(),
            base_url: "http://a.example/v1".to_owned(),
            api_key: "sk-1".to_owned(),
            model: "m".to_owned(),
            context_tokens: 4096,
            max_output_tokens: 1024,
            prices: None,
            requests_per_minute: 0,
            timeout: Span(Duration::from_secs(1)),
        }
    }

    fn said(status: u16, body: &str) -> Error {
        let retry_after = Some(Duration::from_secs(9));
        refused(&model(), &FormReply { status, retry_after, body: body.to_owned().into() }, &|text| {
            text.replace("own", "?")
        })
    }

    #[test]
    fn statuses_have_their_meaning() {
        for (status, body, code, retryable) in [
            (401, "", Code::LlmDenied, false),
            (403, "", Code::LlmDenied, false),
            (404, "", Code::Config, false),
            (307, "", Code::Config, false),
            (400, "", Code::Config, false),
            (413, "", Code::TooLarge, false),
            (400, "{\"error\":{\"code\":\"context_length_exceeded\"}}", Code::TooLarge, false),
            (429, "", Code::RateLimited, true),
            (429, "{\"error\":{\"code\":\"insufficient_quota\"}}", Code::LlmDenied, false),
            (500, "", Code::LlmUnavailable, true),
            (503, "<html>", Code::LlmUnavailable, true),
        ] {
            let error = said(status, body);
            assert_eq!((error.code, error.is_retryable()), (code, retryable), "{status}");
            assert!(error.detail.contains("default") && error.detail.contains(&status.to_string()), "{}", error.detail);
            assert!(!error.detail.contains("html"));
            assert_eq!(error.retry_after.is_some(), retryable);
        }
        assert_eq!(said(401, "").hint, "Correct `llm.api_key`.");
    }

    #[test]
    fn messages_are_short_escaped_and_without_keys() {
        for body in [
            r#"{"error":{"message":"no sk-1\u001b here"}}"#,
            r#"{"error":"no sk-1\u001b here"}"#,
            r#"{"detail":[{"msg":"no sk-1\u001b here"}]}"#,
        ] {
            let detail = said(500, body).detail;
            assert!(detail.ends_with("has a problem (500): \"no …\\u{1b} here\""), "{detail}");
        }
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(9_999));
        assert!(said(500, &long).detail.len() < 300);
        // A key that the cut would go through.
        let across = format!(r#"{{"error":"{}own"}}"#, "x".repeat(EXCERPT - 1));
        assert!(said(500, &across).detail.ends_with("x?\""));
        assert!(
            gave_up(&model(), &serde_json::json!({"message": "out of memory"}), &|text| text)
                .detail
                .ends_with("\"out of memory\"")
        );
    }

    #[test]
    fn failures_of_the_network_are_told_apart() {
        let of = |code| unreached(&model(), Error::new(code, "x"));
        assert_eq!(
            (of(Code::ConnectFailed).code, of(Code::SourceTimeout).code),
            (Code::LlmUnavailable, Code::LlmTimeout)
        );
        assert_eq!((of(Code::AddressRefused).code, of(Code::AddressRefused).is_retryable()), (Code::Config, false));
        assert!(of(Code::AddressRefused).hint.contains("allow_hosts"));
    }
}
