//! What TikHub, the paid service, is told about a post.

use async_trait::async_trait;
use serde_json::Value;

use super::{
    NAME, Post,
    miss::{Miss, outcome},
    parse,
    web::Access,
};
use crate::{ErrorClass, Outcome, Resolved, Strategy, Visit, loose, tikhub};

/// The strategy.
pub(super) struct TikHub;

#[async_trait]
impl Strategy<Post> for TikHub {
    fn name(&self) -> &'static str {
        tikhub::NAME
    }

    fn hindrance(&self, visit: &Visit<'_>) -> Option<String> {
        tikhub::hindrance(visit)
    }

    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        let path = format!("/api/v1/{NAME}/app/v3/fetch_one_video?aweme_id={}", post.id);
        outcome(match tikhub::fetch(visit, &path).await {
            Ok(data) => read(&data, &post.id, visit.settings.tiktok.user_agent(0)),
            Err(error) => Err(Miss::Failed(error)),
        })
    }
}

/// The post, in the app's shape or in the web's.
fn read(data: &Value, id: &str, agent: &str) -> Result<Resolved, Miss> {
    let access = Access { agent: agent.to_owned(), chain_token: None };
    if data["itemInfo"].is_object() {
        return parse::detail(data, id, &access);
    }
    let several = loose::list(&data["aweme_details"]).first();
    let Some(aweme) = Some(&data["aweme_detail"]).filter(|one| one.is_object()).or(several) else {
        let miss = super::status::judge(data, false);
        return Err(miss.unwrap_or_else(|| {
            Miss::failed(ErrorClass::Blocked, "TikHub answered without the post, as for posts that TikTok withholds.")
        }));
    };
    parse::aweme(aweme, id, &access)
}
