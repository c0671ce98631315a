//! The audio API of OpenAI: `/v1/audio/transcriptions`, `/v1/audio/translations`, `/v1/models`, also without `/v1`.
//!
//! Callers may rely on this: a request becomes a task like any other, which goes on when the client goes away; a repeated
//! request gets the task of the first one; every failure is `{"error": …}` with a status that is no 200, or, once a
//! stream has begun, its last event; a stream has the events of the contract and no others, and its deltas are its text.
//! Nothing is made up: what a transcript does not hold is refused or left out.

mod answer;
mod ask;
mod chunking;
mod error;
mod form;
mod logprobs;
mod models;
mod repeat;
mod speech;
mod stream;
mod views;

use poem::http::{Uri, uri::PathAndQuery};

pub(in crate::api) use self::error::{body, mark, status};
pub(super) use self::{models::OpenAiModels, speech::Speech};

/// The path with `/v1`, for clients that were given the address without it.
pub(super) fn versioned(uri: &Uri, below: &str) -> Option<Uri> {
    let is_ours = below == "/models" || ["/models/", "/audio/"].iter().any(|head| below.starts_with(head));
    if !is_ours {
        return None;
    }
    let base = uri.path().strip_suffix(below)?;
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{base}/v1{below}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_may_be_left_out() {
        let of = |uri: &str, below: &str| versioned(&uri.parse().unwrap(), below).map(|uri| uri.to_string());
        assert_eq!(of("/models", "/models").as_deref(), Some("/v1/models"));
        assert_eq!(of("/x/models/a%2Fb?y=1", "/models/a%2Fb").as_deref(), Some("/x/v1/models/a%2Fb?y=1"));
        assert_eq!(
            of("http://h:1/audio/translations", "/audio/translations").as_deref(),
            Some("http://h:1/v1/audio/translations")
        );
        for other in ["/v1/models", "/modelsx", "/api/models", "/audio", "/"] {
            assert_eq!(of(other, other), None, "{other}");
        }
    }
}
