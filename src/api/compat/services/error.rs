//! Failures as the old API tells them: everything below `detail`.

use chrono::Utc;
use poem::{Response, http::StatusCode};
use serde_json::{Value, json};

use super::asked::Asked;
use crate::api::shape::Told;

/// What went wrong, or is not there yet.
pub(super) struct Failure<'a> {
    /// One of the old API's sentences, or one of ours.
    pub message: &'a str,
    /// Our code.
    pub code: &'a str,
    /// What to do about it, or the reason.
    pub hint: &'a str,
}

/// Renders what an answer tells anew; its status and its headers stay.
pub(in crate::api) fn reshape(response: Response, asked: &Asked) -> Response {
    let Some(body) = response.extensions().get::<Told>().map(|told| body(told, asked)) else { return response };
    let mut response = response.set_content_type("application/json; charset=utf-8");
    response.set_body(body.to_string());
    response
}

fn body(told: &Told, asked: &Asked) -> Value {
    let of_video = ["/api/tiktok/", "/api/douyin/"].iter().any(|prefix| asked.path.contains(prefix));
    match told.status {
        StatusCode::UNPROCESSABLE_ENTITY => json!({ "detail": [wrong(told, asked)] }),
        StatusCode::BAD_REQUEST if of_video => json!({ "detail": told.detail }),
        status => {
            let failure = Failure { message: &told.detail, code: told.code.as_str(), hint: &told.hint };
            refusal(status, &failure, asked)
        }
    }
}

/// What is wrong with a request, in the words of its validation.
fn wrong(told: &Told, asked: &Asked) -> Value {
    let field = told.field.as_deref();
    let place = match field {
        Some(field) if asked.params.contains_key(field) => "query",
        _ if asked.has_body => "body",
        _ => "query",
    };
    let place: Vec<&str> = [Some(place), field].into_iter().flatten().collect();
    let input = field.and_then(|field| asked.params.get(field)).cloned();
    let said = format!("{}. {}", told.detail.trim_end_matches('.'), told.hint);
    json!({ "type": told.code.as_str(), "loc": place, "msg": said, "input": input })
}

/// The body of a failure.
pub(super) fn refusal(status: StatusCode, failure: &Failure<'_>, asked: &Asked) -> Value {
    json!({
        "detail": {
            "code": status.as_u16(),
            "message": failure.message,
            "time": Utc::now().format("%Y-%m-%d %H:%M:%S").to_string(),
            "router": asked.router,
            "params": asked.params,
            "error": failure.code,
            "hint": failure.hint,
        }
    })
}
