//! What it means when an answer does not hold the post that was asked for.

use serde_json::Value;

use crate::{CrawlError, ErrorClass, Outcome, Response, challenge, loose};

/// The start of the reason that says: ask again as the other application.
const OTHER_APPLICATION: &str = "images_base";

/// The JSON of an answer, or what stands in its place. No error is about the post.
pub(super) fn json(response: &Response) -> Result<Value, CrawlError> {
    served(response)?;
    serde_json::from_slice(&response.body).map_err(|_| {
        if is_from_argus(&response.body) {
            signature_rejected()
        } else if challenge::is_in(&response.body) {
            captcha()
        } else if response.truncated {
            CrawlError::new(ErrorClass::Blocked, "Douyin's answer is larger than any answer should be.")
        } else {
            blocked("Douyin answered with something that is not what was asked for.")
        }
    })
}

/// Whether an answer is one: its status, and that there is a body.
pub(super) fn served(response: &Response) -> Result<(), CrawlError> {
    let (class, message) = match response.status {
        200..=299 if response.body.trim_ascii().is_empty() => {
            return Err(blocked("Douyin answered with nothing, as it does when it does not believe a visitor."));
        }
        200..=299 => return Ok(()),
        400..=499 if is_from_argus(&response.body) => return Err(signature_rejected()),
        429 | 444 => (ErrorClass::RateLimited, "Douyin says that we ask too often. Try again later.".to_owned()),
        500..=599 => {
            (ErrorClass::SiteError, format!("Douyin has a problem at the moment (status {}).", response.status))
        }
        _ if challenge::is_in(&response.body) => return Err(captcha()),
        status => (ErrorClass::Blocked, format!("Douyin refuses the request (status {status}). Try again later.")),
    };
    Err(CrawlError::new(class, message).with_retry_after(response.retry_after()))
}

/// Whether the guard that checks signatures has spoken; it does so in plain text.
fn is_from_argus(body: &[u8]) -> bool {
    String::from_utf8_lossy(&body[..body.len().min(256)]).contains("ArgusSecurityPlugin")
}

fn signature_rejected() -> CrawlError {
    CrawlError::new(
        ErrorClass::SignatureRejected,
        "Douyin did not accept the request's signature. Add the cookie of a browser as an identity, or try again later.",
    )
}

/// The post `id` in an answer, wherever the various interfaces put it.
pub(super) fn post<'a>(answer: &'a Value, id: &str) -> Result<&'a Value, Outcome> {
    let lists = ["aweme_details", "item_list", "aweme_list"].iter().flat_map(|name| loose::list(&answer[*name]));
    let mut posts = std::iter::once(&answer["aweme_detail"]).chain(lists).filter(|post| post.is_object()).peekable();
    let anything = posts.peek().is_some();
    let is_it = |post: &&Value| loose::id(&post["aweme_id"]).is_some_and(|found| found == id);
    match posts.find(is_it) {
        Some(post) => Ok(post),
        None if anything => Err(Outcome::Failed(CrawlError::new(
            ErrorClass::IdMismatch,
            "Douyin answered with another post than the one that was asked for.",
        ))),
        None => Err(withheld(answer, id)),
    }
}

/// Why an answer holds no payload. `id` is the post's, or empty when a list was asked for.
pub(super) fn withheld(answer: &Value, id: &str) -> Outcome {
    if let Some(reason) = filter_reason(answer, id) {
        return filtered(&reason);
    }
    let code = loose::number(&answer["status_code"]).unwrap_or(0);
    let login = answer["status_msg"].as_str().is_some_and(|text| text.contains("未登录"))
        || loose::is_on(&answer["not_login_module"]["guide_login_tip_exist"]);
    let verify = ["verify_ticket", "verify_center_decision_conf"].iter().any(|name| is_there(&answer[*name]));
    match code {
        8 | 2483 => Outcome::Failed(login_required()),
        2053 => Outcome::Answer(not_found()),
        2 => Outcome::Answer(CrawlError::new(ErrorClass::NotFound, "Douyin knows nobody by this id.")),
        10000 => Outcome::Failed(captcha()),
        _ if login => Outcome::Failed(login_required()),
        _ if verify => Outcome::Failed(captcha()),
        0 => Outcome::Failed(blocked("Douyin held the answer back, as it does when it does not believe a visitor.")),
        // 2154, 2156 and 10001 stand for suspicion; so may numbers that nobody knows.
        code => Outcome::Failed(blocked(&format!("Douyin refuses with its number {code}."))),
    }
}

/// Whether the same question is to be asked as the other application.
pub(super) fn wants_other_application(answer: &Value, id: &str) -> bool {
    filter_reason(answer, id).is_some_and(|reason| reason.starts_with(OTHER_APPLICATION))
}

/// The reason why this post was filtered out of an answer. A number, or nothing but a message, is a reason, too.
fn filter_reason(answer: &Value, id: &str) -> Option<String> {
    let entries = std::iter::once(&answer["filter_detail"]).chain(loose::list(&answer["filter_list"]));
    let is_ours = |entry: &&Value| {
        entry.is_object() && !id.is_empty() && loose::id(&entry["aweme_id"]).is_none_or(|found| found == id)
    };
    entries.filter(is_ours).find_map(|entry| {
        let words = ["filter_reason", "reason", "detail_msg", "notice"];
        words.iter().find_map(|word| loose::id(&entry[*word]))
    })
}

/// What a filter's reason says about the post. Douyin does not tell banned accounts from private ones.
fn filtered(reason: &str) -> Outcome {
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    if reason.bytes().all(|byte| byte.is_ascii_digit()) {
        // Only the way without a signature gives numbers, and not for one reason alone.
        Outcome::Doubt(not_found())
    } else if reason.starts_with(OTHER_APPLICATION) {
        Outcome::Failed(blocked("Douyin gives this post to its other applications only."))
    } else if has(&["core_dep", "delete"]) {
        Outcome::Answer(not_found())
    } else if has(&["self_see", "part_see", "friend", "private"]) {
        Outcome::Answer(private())
    } else {
        let message = "Douyin does not show this post (any more) and does not clearly say why.";
        Outcome::Answer(CrawlError::new(ErrorClass::Unavailable, message))
    }
}

/// Whether there is something: `null`, `""`, `{}` and `[]` are nothing.
fn is_there(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(on) => *on,
        Value::Number(_) => true,
    }
}

pub(super) fn not_found() -> CrawlError {
    CrawlError::new(ErrorClass::NotFound, "The post was deleted, or never existed.")
}

pub(super) fn private() -> CrawlError {
    CrawlError::new(ErrorClass::Private, "The post is private: only its author, or the author's friends, can see it.")
}

pub(super) fn login_required() -> CrawlError {
    CrawlError::new(
        ErrorClass::LoginRequired,
        "Douyin shows this only to visitors who are logged in. Add the cookie of a logged-in browser as an identity.",
    )
}

pub(super) fn captcha() -> CrawlError {
    CrawlError::new(
        ErrorClass::Captcha,
        "Douyin wants a proof of being human. Open douyin.com in a browser and add its cookie as an identity, or try \
         again later.",
    )
}

pub(super) fn blocked(what: &str) -> CrawlError {
    CrawlError::new(
        ErrorClass::Blocked,
        format!("{what} Try again later, or add the cookie of a browser as an identity."),
    )
}
