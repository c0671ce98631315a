//! What the platform's own page asks for a post: signed, and as a visitor that it knows.

use async_trait::async_trait;
use serde_json::Value;

use super::{Post, failures, parse, web_api};
use crate::{CrawlError, Outcome, Rhythm, Strategy, Visit};

pub(super) struct WebDetail;

#[async_trait]
impl Strategy<Post> for WebDetail {
    fn name(&self) -> &'static str {
        "web_detail"
    }

    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        let mut answer = ask(post, false, visit).await;
        if answer.as_ref().is_ok_and(|answer| failures::wants_other_application(answer, &post.id)) {
            answer = ask(post, true, visit).await;
        }
        match answer.as_ref().map(|answer| failures::post(answer, &post.id)) {
            Ok(Ok(found)) => parse::resolved(found, web_api::user_agent(visit)),
            Ok(Err(outcome)) => outcome,
            Err(error) => Outcome::Failed(error.clone()),
        }
    }
}

async fn ask(post: &Post, as_other: bool, visit: &Visit<'_>) -> Result<Value, CrawlError> {
    let question = web_api::Question {
        path: "/aweme/v1/web/aweme/detail/",
        parameters: &[("aweme_id", &post.id)],
        rhythm: Rhythm::Post,
        endpoint: "douyin.detail",
        as_other,
    };
    web_api::ask(&question, visit).await
}
