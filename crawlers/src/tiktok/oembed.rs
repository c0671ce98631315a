//! TikTok's word for pages that embed a post: no media, but it tells a post that is withheld from one that is not there.

use async_trait::async_trait;
use url::form_urlencoded::byte_serialize;

use super::{
    Post,
    miss::{Miss, outcome},
    web::{Web, check_status, json},
};
use crate::{CrawlError, Ending, ErrorClass, Outcome, Rhythm, Strategy, Visit, loose};

/// What it says of a post that is there.
const EXISTS: &str = "The post exists, but TikTok does not give its media to this machine. Try again later, use the \
                      cookie of a browser, or upload the file.";

/// The strategy. It never finds media.
pub(super) struct OEmbed;

#[async_trait]
impl Strategy<Post> for OEmbed {
    fn name(&self) -> &'static str {
        "oembed"
    }

    async fn find(&self, post: &Post, visit: &Visit<'_>) -> Outcome {
        outcome(Err(ask(post, visit).await.unwrap_or_else(|miss| miss)))
    }
}

/// The story's error, unless that says that a post is gone which is there: TikTok calls gone what it withholds.
pub(super) fn corrected(error: CrawlError) -> CrawlError {
    let is_there = error.attempts.iter().any(|one| one.message.as_deref() == Some(EXISTS));
    let is_sure = error.attempts.iter().any(|one| one.ending == Ending::Answer);
    if error.class != ErrorClass::NotFound || !is_there || is_sure {
        return error;
    }
    CrawlError::new(ErrorClass::Blocked, EXISTS).with_attempts(error.attempts)
}

/// What is said, which is never media: with luck that the post exists.
async fn ask(post: &Post, visit: &Visit<'_>) -> Result<Miss, Miss> {
    let path = format!("/oembed?url={}", byte_serialize(post.page.as_str().as_bytes()).collect::<String>());
    let response = Web::anonymous(visit).ask(Rhythm::Post, "tiktok.oembed", &path).await?;
    if response.status == 400 {
        return Ok(Miss::doubt(ErrorClass::NotFound, "TikTok knows no such post (any more)."));
    }
    check_status(&response)?;
    let card = json(&response)?;
    let (class, message) = if loose::id(&card["embed_product_id"]).is_some_and(|id| id != post.id) {
        (ErrorClass::IdMismatch, "TikTok answered with another post.")
    } else if ["title", "author_name", "html"].iter().any(|key| loose::text(&card[*key]).is_some()) {
        // That is what this way is for: it has not failed.
        return Ok(Miss::doubt(ErrorClass::Blocked, EXISTS));
    } else {
        (ErrorClass::Blocked, "TikTok does not say whether the post exists. Try again later.")
    };
    Ok(Miss::failed(class, message))
}
