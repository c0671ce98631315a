//! The web API's word on one post.

use async_trait::async_trait;

use super::{
    Post,
    miss::{Miss, outcome},
    parse,
    web::Web,
};
use crate::{Outcome, Resolved, Rhythm, Strategy, Visit};

/// The strategy.
pub(super) struct ItemDetail;

#[async_trait]
impl Strategy<Post> for ItemDetail {
    fn name(&self) -> &'static str {
        "item_detail"
    }

    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        outcome(ask(post, visit).await)
    }
}

async fn ask(post: &Post, visit: &Visit<'_>) -> Result<Resolved, Miss> {
    let mut web = Web::new(visit, 0);
    let detail = web.api(Rhythm::Post, "tiktok.item_detail", "/api/item/detail/", &[("itemId", &post.id)]).await?;
    parse::detail(&detail, &post.id, &web.access())
}
