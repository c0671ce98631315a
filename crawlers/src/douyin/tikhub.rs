//! The paid way: TikHub asks the app's own interface.

use async_trait::async_trait;

use super::{Post, failures, parse};
use crate::{Outcome, Strategy, Visit, tikhub};

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
        let path = format!("/api/v1/douyin/app/v3/fetch_one_video?aweme_id={}", post.id);
        match tikhub::fetch(visit, &path).await {
            Ok(data) => match failures::post(&data, &post.id) {
                Ok(found) => parse::resolved(found, visit.settings.douyin.user_agent(0)),
                Err(outcome) => outcome,
            },
            Err(error) => Outcome::Failed(error),
        }
    }
}
