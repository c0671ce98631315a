//! The app's feed, which begins with the post that it is asked for, or does not have it at all.

use async_trait::async_trait;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::{
    Post,
    miss::{Miss, outcome},
    parse,
    web::{Access, device_id, fetch, json, misconfigured},
};
use crate::{ErrorClass, Outcome, Request, Resolved, Rhythm, Strategy, Visit, loose};

/// Answers beyond this are not read.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// The strategy.
pub(super) struct AppFeed;

#[async_trait]
impl Strategy<Post> for AppFeed {
    fn name(&self) -> &'static str {
        "app_feed"
    }

    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        let first = outcome(ask(post, visit).await);
        // It often answers with nothing, and to the next device with something.
        let is_empty = matches!(&first, Outcome::Failed(error) if error.class == ErrorClass::Blocked);
        if is_empty { outcome(ask(post, visit).await) } else { first }
    }
}

async fn ask(post: &Post, visit: &Visit<'_>) -> Result<Resolved, Miss> {
    let agent = &visit.settings.tiktok.mobile_user_agent;
    let query = Serializer::new(String::new())
        .extend_pairs([
            ("iid", device_id(visit.chance()).as_str()),
            ("device_id", &device_id(visit.chance())),
            ("channel", "googleplay"),
            ("app_name", "musical_ly"),
            ("version_code", "300904"),
            ("device_platform", "android"),
            ("device_type", "Pixel 7"),
            ("os_version", "13"),
            ("aweme_id", &post.id),
        ])
        .finish();
    let url =
        visit.settings.tiktok.url("app", &format!("/aweme/v1/feed/?{query}")).map_err(|_| misconfigured("app"))?;
    // Cookies are the web site's: the app's host never sees them.
    let request = Request::get(url, MAX_BYTES).no_redirects().header("User-Agent", agent);
    let body = json(&fetch(visit, Rhythm::Post, "tiktok.app_feed", request).await?)?;
    let access = Access { agent: agent.clone(), chain_token: None };
    parse::aweme(find(&body, &post.id)?, &post.id, &access)
}

/// The post in the feed, wherever it stands: it is filled up with others.
fn find<'a>(body: &'a Value, id: &str) -> Result<&'a Value, Miss> {
    let posts = loose::list(&body["aweme_list"]);
    if let Some(post) = posts.iter().find(|post| loose::id(&post["aweme_id"]).as_deref() == Some(id)) {
        return Ok(post);
    }
    Err(super::status::judge(body, false).unwrap_or_else(|| match posts {
        [] => Miss::failed(ErrorClass::Blocked, "TikTok's app answered with an empty feed."),
        _ => Miss::failed(ErrorClass::IdMismatch, "TikTok's app answered with other posts only."),
    }))
}
