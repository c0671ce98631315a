//! What people get wrong, and what the world outside does: each case has its code, a sentence and a hint, tells nothing
//! that was fetched, and leaves nothing behind.

mod answers;
mod models;
mod queries;
mod sources;
mod submissions;
mod uploads;
mod workflows;

use serde_json::Value;

use super::support::SECRET;

/// Stands in everything that is fetched or uploaded; no error may repeat it.
const MARKER: &str = "xyzzy-content-marker";

/// Sends a request that will be refused, perhaps before its body was read. The daemon closes the connection then, and a
/// client that is still writing may find it broken before it has read the answer; such a client asks again.
async fn refused(request: reqwest::RequestBuilder) -> (u16, Value) {
    for _ in 0..10 {
        let Some(again) = request.try_clone() else { break };
        if let Ok(answer) = again.send().await {
            return read(answer).await;
        }
    }
    read(request.send().await.unwrap()).await
}

async fn read(answer: reqwest::Response) -> (u16, Value) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json", "{status}");
    (status, answer.json().await.unwrap())
}

/// Checks an answer that refuses a request.
#[track_caller]
fn check_problem(case: &str, (status, body): &(u16, Value), expected: (u16, &str)) {
    assert_eq!((*status, body["code"].as_str().unwrap_or_default()), expected, "{case}: {body}");
    assert_eq!((body["status"].as_u64(), body["type"].as_str()), (Some(u64::from(expected.0)), Some("about:blank")));
    check_words(case, body);
}

/// Checks that an error has a sentence and a hint and tells no secret.
#[track_caller]
fn check_words(case: &str, error: &Value) {
    let (detail, hint) = (error["detail"].as_str().unwrap_or_default(), error["hint"].as_str().unwrap_or_default());
    assert!(detail.split(' ').count() > 2, "{case}: \"{detail}\" is no sentence");
    assert!(hint.len() > 10 && hint.ends_with(['.', '?']), "{case}: \"{hint}\" is no hint");
    for text in [detail, hint] {
        assert!(!text.contains(MARKER), "{case} tells what was sent: {text}");
        assert!(!text.contains("/tmp/") && !text.contains(SECRET), "{case} tells a secret: {text}");
        // Links hold tokens; the host is enough.
        assert!(!text.contains("http://127.0.0.1"), "{case} repeats a link: {text}");
    }
}
