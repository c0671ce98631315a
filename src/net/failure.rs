//! What went wrong, in trawl's words.
//!
//! Details name the host and nothing else: links hold tokens, and answers hold whatever strangers like.

use std::time::Duration;

use reqwest::{StatusCode, header::HeaderMap};

use super::{headers::retry_after, resolve::Unresolved, rules::refused};
use crate::error::{Code, Error};

/// The error for a request that got no answer, or whose answer broke off.
pub(super) fn from_reqwest(error: reqwest::Error, host: &str) -> Error {
    let error = error.without_url();
    let unresolved = causes(&error).find_map(|cause| cause.downcast_ref::<Unresolved>());
    let failure = match unresolved {
        Some(Unresolved::Refused) => refused(host),
        Some(Unresolved::Unknown(_)) => Error::new(Code::HostNotFound, format!("{host} cannot be found")),
        None if error.is_connect() => Error::new(Code::ConnectFailed, format!("{host} cannot be reached")),
        None if error.is_timeout() => too_slow(host),
        None if error.is_builder() => Error::new(Code::InvalidLink, "The link cannot be asked for"),
        None => broken(host),
    };
    failure.with_source(error)
}

/// The error for an answer that ended too early or is no proper HTTP.
pub(super) fn broken(host: &str) -> Error {
    Error::new(Code::SourceError, format!("The transfer from {host} broke off"))
}

/// The error for a server that lets us wait.
pub(super) fn too_slow(host: &str) -> Error {
    Error::new(Code::SourceTimeout, format!("{host} is too slow"))
}

/// The error for a size over the limit.
pub(super) fn too_large(host: &str, limit: u64) -> Error {
    Error::new(Code::TooLarge, format!("The file at {host} is larger than {limit} bytes"))
}

/// The error for a size under the limit.
pub(super) fn too_small(host: &str, size: u64) -> Error {
    Error::new(Code::Truncated, format!("The file at {host} has only {size} bytes"))
        .with_hint("Something else was sent in its place, perhaps by a gateway that wants a login.")
}

/// The error for an answer with a status that means "no".
pub(super) fn from_status(status: StatusCode, headers: &HeaderMap, host: &str) -> Error {
    let wait = retry_after(headers);
    let number = status.as_u16();
    let (code, text) = match number {
        404 | 410 => (Code::SourceNotFound, format!("{host} has no such page or file ({number})")),
        401 | 403 => (Code::SourceForbidden, format!("{host} does not let us in ({number})")),
        408 | 504 => (Code::SourceTimeout, format!("{host} is too slow ({number})")),
        429 => (Code::RateLimited, format!("{host} asks for patience ({number})")),
        _ => (Code::SourceError, format!("{host} answered with status {number}")),
    };
    Error::new(code, text).with_retry_after(wait)
}

/// How long to wait before asking a broken transfer to go on: 0.1 s, 0.2 s, 0.4 s.
pub(super) fn pause(attempt: u32) -> Duration {
    Duration::from_millis(50 << attempt.min(6))
}

fn causes<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error| error.source())
}
