//! What went wrong at a server, in trawl's words. Pure.
//!
//! Callers may rely on: an error holds no key, and of the server's own words a short, escaped excerpt at most.

use serde_json::Value;

use crate::{
    error::{Code, Error},
    net::FormReply,
};

/// How much of a server's message is shown, in characters.
const EXCERPT: usize = 200;
/// A longer answer, in bytes, holds no message for people.
const LONGEST: usize = 64 * 1024;

/// Who is asked, for messages.
#[derive(Clone, Copy)]
pub(super) struct Who<'a> {
    /// The server's name in the configuration.
    pub name: &'a str,
    /// Its key, which must not be shown.
    pub key: &'a str,
}

impl Who<'_> {
    /// The error for a request without an answer.
    pub(super) fn unreached(self, error: Error) -> Error {
        let name = self.name;
        let detail = format!("The server {name} cannot be used: {}", error.detail);
        match error.code {
            Code::AddressRefused | Code::PortRefused | Code::InvalidLink | Code::Config => {
                let hint = format!("Check `engine.remote.{name}.url` and its key. {}", error.hint);
                Error::new(Code::Config, detail).with_hint(hint).for_good().with_source(error)
            }
            Code::TooLarge => self.broken("Its answer is too long").with_source(error),
            // The disk's and the daemon's own troubles.
            Code::Io | Code::InsufficientStorage | Code::Internal => error,
            _ => Error::new(Code::RemoteEngine, detail).with_source(error),
        }
    }

    /// The error for an answer that says no.
    pub(super) fn refused(self, reply: &FormReply) -> Error {
        let (name, status) = (self.name, reply.status);
        let said = self.excerpt(&reply.body).map(|said| format!(": {said}")).unwrap_or_default();
        let key = |leaf: &str| format!("`engine.remote.{name}.{leaf}`");
        let config = |why: &str, hint: String| {
            let detail = format!("The server {name} {why} ({status}){said}");
            Error::new(Code::Config, detail).with_hint(hint).for_good()
        };
        match status {
            401 | 403 => config("does not let us in", format!("Correct {}.", key("api_key"))),
            404 | 405 => config(
                "has no such address or model",
                format!(
                    "{} must be the address up to and with /v1, {} the model's name there.",
                    key("url"),
                    key("model")
                ),
            ),
            300..=399 => config("leads elsewhere", format!("Set {} to its final address.", key("url"))),
            413 => {
                Error::new(Code::TooLarge, format!("The server {name} takes no files as long as this ({status}){said}"))
                    .with_hint(format!("Lower {}.", key("max_bytes")))
            }
            400 | 415 | 422 => {
                let error =
                    Error::new(Code::RemoteEngine, format!("The server {name} refuses the audio ({status}){said}"));
                error.with_hint("See the server's log, and choose a model and options that it knows.").for_good()
            }
            _ => Error::new(Code::RemoteEngine, format!("The server {name} answered with status {status}{said}"))
                .with_retry_after(reply.retry_after),
        }
    }

    /// The error for an answer that cannot be used.
    pub(super) fn broken(self, why: &str) -> Error {
        Error::new(Code::RemoteEngine, format!("The server {} gave no transcript. {why}", self.name))
    }

    /// The error for a 200 that is none, as whisper.cpp's own server gives them.
    pub(super) fn failed(self, body: &[u8]) -> Option<Error> {
        let said = self.excerpt(body)?;
        Some(Error::new(Code::RemoteEngine, format!("The server {} failed: {said}", self.name)))
    }

    /// The message in a JSON answer, in quotes: OpenAI's `error.message`, FastAPI's `detail`, whisper.cpp's `error`.
    fn excerpt(self, body: &[u8]) -> Option<String> {
        if body.len() > LONGEST {
            return None;
        }
        let value: Value = serde_json::from_slice(body).ok()?;
        let places = ["/error/message", "/error", "/detail", "/detail/0/msg", "/message"];
        let said = places.iter().find_map(|place| value.pointer(place)?.as_str())?;
        let said = if self.key.is_empty() { said.to_owned() } else { said.replace(self.key, "…") };
        let short: String = said.chars().take(EXCERPT).collect();
        Some(format!("\"{}\"", short.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const LAB: Who<'_> = Who { name: "lab", key: "sk-1" };

    fn said(status: u16, body: &str) -> Error {
        let retry_after = Some(Duration::from_secs(9));
        LAB.refused(&FormReply { status, retry_after, body: body.to_owned().into() })
    }

    #[test]
    fn statuses_have_their_meaning() {
        for (status, code, retryable) in [
            (401, Code::Config, false),
            (403, Code::Config, false),
            (404, Code::Config, false),
            (307, Code::Config, false),
            (413, Code::TooLarge, false),
            (422, Code::RemoteEngine, false),
            (429, Code::RemoteEngine, true),
            (500, Code::RemoteEngine, true),
            (503, Code::RemoteEngine, true),
        ] {
            let error = said(status, "<html>");
            assert_eq!((error.code, error.is_retryable()), (code, retryable), "{status}");
            assert!(error.detail.contains("lab") && error.detail.contains(&status.to_string()), "{}", error.detail);
            assert!(!error.detail.contains("html"));
            assert_eq!(error.retry_after.is_some(), retryable);
        }
        assert_eq!(said(401, "").hint, "Correct `engine.remote.lab.api_key`.");
    }

    #[test]
    fn messages_are_short_escaped_and_without_keys() {
        for body in [
            r#"{"error":{"message":"no sk-1\u001b here"}}"#,
            r#"{"error":"no sk-1\u001b here"}"#,
            r#"{"detail":"no sk-1\u001b here"}"#,
            r#"{"detail":[{"msg":"no sk-1\u001b here"}]}"#,
        ] {
            let detail = said(500, body).detail;
            assert_eq!(detail, "The server lab answered with status 500: \"no …\\u{1b} here\"");
        }
        let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(9_999));
        assert!(said(500, &long).detail.len() < 300);
        assert!(LAB.failed(br#"{"text":"error"}"#).is_none());
    }

    #[test]
    fn failures_of_the_network_are_told_apart() {
        let of = |code| LAB.unreached(Error::new(code, "x"));
        assert!(of(Code::ConnectFailed).is_retryable() && of(Code::SourceTimeout).is_retryable());
        assert_eq!((of(Code::AddressRefused).code, of(Code::AddressRefused).for_good), (Code::Config, true));
        assert!(of(Code::AddressRefused).hint.contains("allow_hosts"));
        assert_eq!(of(Code::Io).code, Code::Io);
    }
}
