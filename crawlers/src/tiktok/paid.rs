//! What TikHub, the paid service, tells about a post.

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
    let several = loose::list(&data["aweme_details"]);
    let posts = || std::iter::once(&data["aweme_detail"]).chain(several).filter(|one| one.is_object());
    let is_it = |post: &&Value| loose::id(&post["aweme_id"]).is_some_and(|found| found == id);
    // Another post's is refused there.
    let Some(aweme) = posts().find(is_it).or_else(|| posts().next()) else {
        return Err(filtered(data, id).or_else(|| super::status::judge(data, false)).unwrap_or_else(|| {
            Miss::failed(ErrorClass::Blocked, "TikHub answered without the post, as for posts that TikTok withholds.")
        }));
    };
    parse::aweme(aweme, id, &access)
}

/// Why the app leaves the post out, which it says in a list beside the empty one.
fn filtered(data: &Value, id: &str) -> Option<Miss> {
    let entries = std::iter::once(&data["filter_detail"]).chain(loose::list(&data["filter_list"]));
    let reason = entries
        .filter(|entry| entry.is_object() && loose::id(&entry["aweme_id"]).is_none_or(|found| found == id))
        .find_map(|entry| {
            ["filter_reason", "reason", "detail_msg", "notice"].iter().find_map(|word| loose::id(&entry[*word]))
        })?;
    let has = |words: &[&str]| words.iter().any(|word| reason.contains(word));
    Some(if reason.bytes().all(|byte| byte.is_ascii_digit()) {
        Miss::doubt(ErrorClass::NotFound, "TikTok says that this post is not there, with a number that means more.")
    } else if has(&["core_dep", "delete"]) {
        Miss::answer(ErrorClass::NotFound, "TikTok says that this post is not there (any more).")
    } else if has(&["self_see", "part_see", "friend", "private"]) {
        Miss::answer(ErrorClass::Private, "The post is private: only its author or the author's friends may see it.")
    } else {
        Miss::answer(ErrorClass::Unavailable, "TikTok does not show this post (any more) and does not clearly say why.")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_reason_for_leaving_a_post_out_is_read() {
        let class = |data: Value| match read(&data, "7", "x").unwrap_err() {
            Miss::Answer(error) => ('a', error.class),
            Miss::Doubt(error) => ('d', error.class),
            Miss::Failed(error) => ('f', error.class),
        };
        let left_out =
            |reason: Value| json!({"aweme_details": [], "filter_list": [{"aweme_id": "7", "reason": reason}]});
        assert_eq!(class(left_out(json!("status_self_see"))), ('a', ErrorClass::Private));
        assert_eq!(class(left_out(json!("status_deleted"))), ('a', ErrorClass::NotFound));
        assert_eq!(class(left_out(json!("audit_x"))), ('a', ErrorClass::Unavailable));
        assert_eq!(class(left_out(json!(4))), ('d', ErrorClass::NotFound));
        let others = json!({"aweme_details": null, "filter_list": [{"aweme_id": "8", "reason": "deleted"}, 3]});
        assert_eq!(class(others), ('f', ErrorClass::Blocked));
        assert_eq!(class(json!({"aweme_details": [{"aweme_id": "8"}]})), ('f', ErrorClass::IdMismatch));
        let second = json!({"aweme_details": [{"aweme_id": "8"}, {"aweme_id": "7", "status": {"is_delete": true}}]});
        assert_eq!(class(second), ('a', ErrorClass::NotFound), "the whole list is searched");
    }
}
