//! The page that people see who open a shared link without the app. Its data is a script; since August 2026 it mostly
//! comes without the post.

use async_trait::async_trait;
use serde_json::Value;

use super::{MAX_BYTES, Post, failures, parse, web_api};
use crate::{CrawlError, Outcome, Request, Response, Rhythm, Strategy, Visit, challenge};

/// What stands before the data of the page.
const DATA: &str = "window._ROUTER_DATA";

pub(super) struct SharePage;

#[async_trait]
impl Strategy<Post> for SharePage {
    fn name(&self) -> &'static str {
        "share_page"
    }

    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        match fetch(post, visit).await.and_then(|response| data(&response)) {
            Ok(answer) => match failures::post(&answer, &post.id) {
                Ok(found) => parse::resolved(found, &visit.settings.douyin.mobile_user_agent),
                Err(outcome) => outcome,
            },
            Err(error) => Outcome::Failed(error),
        }
    }
}

async fn fetch(post: &Post, visit: &Visit<'_>) -> Result<Response, CrawlError> {
    let settings = &visit.settings.douyin;
    let word = if post.is_note { "note" } else { "video" };
    let request = Request::get(web_api::url(settings, "share", &format!("/share/{word}/{}/", post.id))?, MAX_BYTES)
        .header("User-Agent", &settings.mobile_user_agent)
        .header("Accept", "text/html,application/xhtml+xml")
        .header("Accept-Language", "zh-CN,zh;q=0.9");
    visit.fetch(Rhythm::Post, "douyin.share_page", request).await
}

/// The part of the page's data that names posts.
pub(super) fn data(response: &Response) -> Result<Value, CrawlError> {
    failures::served(response)?;
    let page = String::from_utf8_lossy(&response.body);
    let script = page.split_once(DATA).and_then(|(_, rest)| rest.split_once('=')).map(|(_, rest)| rest);
    // Reads one value and leaves what follows it: `;`, or the end of the script.
    let mut found: Value = script
        .and_then(|script| serde_json::Deserializer::from_str(script).into_iter().next()?.ok())
        .ok_or_else(|| {
            if challenge::is_in(&response.body) {
                failures::captcha()
            } else {
                failures::blocked("Douyin's page for this post came without any data.")
            }
        })?;
    let pages =
        found.get_mut("loaderData").and_then(Value::as_object_mut).into_iter().flat_map(|pages| pages.values_mut());
    let mut answers = pages.filter_map(|page| page.get_mut("videoInfoRes")).filter(|answer| answer.is_object());
    let answer = answers.next().map(Value::take);
    answer.ok_or_else(|| failures::blocked("Douyin's page for this post came without the post."))
}
