//! The interface behind the share pages' slides: no cookie, and no signature; with one it answers nothing.

use async_trait::async_trait;

use super::{MAX_BYTES, Post, REFERER, failures, parse, web_api};
use crate::{CrawlError, Outcome, Request, Rhythm, Strategy, Visit};

pub(super) struct SlidesInfo;

#[async_trait]
impl Strategy<Post> for SlidesInfo {
    fn name(&self) -> &'static str {
        "slidesinfo"
    }

    /// Asks in the form for what the link looks like first; that can be wrong.
    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        let first = ask(post, post.is_note, visit).await;
        if matches!(first, Outcome::Found(_) | Outcome::Answer(_)) || is_hopeless(&first) {
            return first;
        }
        match ask(post, !post.is_note, visit).await {
            Outcome::Failed(_) => first,
            second => second,
        }
    }
}

/// Whether the other form would fare no better: it is the same server, and the same visitor.
fn is_hopeless(outcome: &Outcome) -> bool {
    use crate::ErrorClass::{Captcha, RateLimited, SiteError, Transport};
    matches!(outcome, Outcome::Failed(error) if matches!(error.class, Captcha | RateLimited | SiteError | Transport))
}

async fn ask(post: &Post, as_note: bool, visit: &Visit<'_>) -> Outcome {
    let user_agent = &visit.settings.douyin.mobile_user_agent;
    let answer = match fetch(post, as_note, visit).await {
        Ok(answer) => answer,
        Err(error) => return Outcome::Failed(error),
    };
    match failures::post(&answer, &post.id) {
        Ok(found) => parse::resolved(found, user_agent),
        Err(outcome) => outcome,
    }
}

async fn fetch(post: &Post, as_note: bool, visit: &Visit<'_>) -> Result<serde_json::Value, CrawlError> {
    let settings = &visit.settings.douyin;
    let source = if as_note { "&request_source=200" } else { "" };
    let path = format!("/web/api/v2/aweme/slidesinfo/?aweme_ids=%5B{}%5D{source}", post.id);
    let request = Request::get(web_api::url(settings, "share", &path)?, MAX_BYTES)
        .no_redirects()
        .header("User-Agent", &settings.mobile_user_agent)
        .header("Referer", REFERER)
        .header("Accept", "application/json, text/plain, */*");
    failures::json(&visit.fetch(Rhythm::Post, "douyin.slidesinfo", request).await?)
}
