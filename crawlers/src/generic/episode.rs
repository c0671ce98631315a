//! Feeds: the item that a link means.

use url::Url;

use super::NAME;
use crate::{
    Candidate, CrawlError, Delivery, ErrorClass, FeedItem, HasAudio, MediaKind, Resolved, feed::Feed, generic::kinds,
    key::media_id,
};

/// The newest item of a feed that was pasted.
pub(super) fn newest(feed: Feed, link: &Url) -> Result<Resolved, CrawlError> {
    let several = feed.items.len() > 1;
    let item = feed
        .newest()
        .ok_or_else(|| CrawlError::new(ErrorClass::NoMediaFound, "The feed has no item with audio or video."))?;
    let mut resolved = resolved(item, link, "feed.newest");
    if several {
        resolved.warnings.push("The link is a feed; its newest item was taken.".to_owned());
    }
    Ok(resolved)
}

/// The item of a page's feed which belongs to the page: the one that links to it, or the newest if the page is the
/// feed's home. Other pages of a site announce the same feed and have nothing to do with its items.
pub(super) fn of_page(feed: Feed, page: &Url) -> Option<Resolved> {
    if let Some(item) = feed.items.iter().find(|item| item.page_url.as_ref().is_some_and(|url| same_page(url, page))) {
        return Some(resolved(item.clone(), page, "page.feed_item"));
    }
    let home = feed.home.as_ref().is_some_and(|home| same_page(home, page));
    Some(resolved(feed.newest().filter(|_| home)?, page, "page.feed_newest"))
}

fn same_page(one: &Url, other: &Url) -> bool {
    let key = |url: &Url| {
        let host = url.host_str().unwrap_or_default();
        let host = host.strip_prefix("www.").unwrap_or(host).to_owned();
        (host, url.port(), url.path().trim_end_matches('/').to_owned(), url.query().map(str::to_owned))
    };
    key(one) == key(other)
}

fn resolved(item: FeedItem, link: &Url, strategy: &str) -> Resolved {
    let id = media_id(&item.url);
    let audio = kinds::is_audio(&item.url, item.content_type.as_deref());
    let delivery = kinds::delivery(&item.url, item.content_type.as_deref()).unwrap_or(Delivery::File);
    let kind = if audio { MediaKind::Audio } else { MediaKind::Video };
    let page_url = item.page_url.unwrap_or_else(|| link.clone());
    Resolved {
        title: super::title(super::tidy(&item.title), &item.url),
        author: item.author.as_deref().and_then(super::tidy),
        published_at: item.published_at,
        duration_ms: item.duration_ms,
        candidates: vec![Candidate {
            container: item
                .content_type
                .as_deref()
                .and_then(kinds::container_of_type)
                .or_else(|| kinds::extension(&item.url)),
            content_type: item.content_type,
            has_audio: if audio { HasAudio::Yes } else { HasAudio::Unknown },
            delivery,
            size: item.length,
            ..Candidate::file(item.url)
        }],
        subtitles: item.subtitles,
        strategy: strategy.to_owned(),
        ..Resolved::new(NAME, &id, kind, page_url)
    }
}
