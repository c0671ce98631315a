//! Lists to follow: feeds by themselves, everything else with yt-dlp.

use std::collections::HashSet;

use url::Url;

use super::{
    NAME, hand_over, html,
    kinds::{self, Kind},
    session::MAX_BYTES,
    status, tidy, youtube,
};
use crate::{
    CrawlError, ErrorClass, Item, ListRequest, Page, Request, Response, Rhythm, Visit,
    feed::{self, Feed, FeedItem, Post},
    key::{digest, media_id},
    link::is_fetchable,
    ytdlp,
};

/// Longer ids of feeds are hashed.
const MAX_ID: usize = 200;
/// Feeds of a page that are tried.
const MAX_FEEDS: usize = 2;

/// One page of the list behind `source`.
pub(super) async fn page(source: &Url, request: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
    let cursor = request.cursor.as_deref().map(|cursor| Url::parse(cursor).ok().filter(is_fetchable));
    match (cursor, youtube::feed_of(source)) {
        // An older part of a feed.
        (Some(Some(older)), _) => read(&fetch(&older, &ListRequest::default(), visit).await?, source, visit).await,
        (Some(None), _) => external(source, request, visit).await,
        (None, Some(feed)) => match from(&feed, request, visit).await {
            // These feeds have bad days; the lists behind them do not.
            Err(error) if error.class != ErrorClass::Transport && visit.external().is_some() => {
                external(source, request, visit).await.map_err(|_| error)
            }
            answer => answer,
        },
        (None, None) if hand_over::goes_at_once(source, visit) => external(source, request, visit).await,
        (None, None) => from(source, request, visit).await,
    }
}

async fn external(source: &Url, request: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
    ytdlp::list(&youtube::videos_of(source), None, request, visit).await
}

/// What is at `url`, if it has changed.
async fn from(url: &Url, request: &ListRequest, visit: &Visit<'_>) -> Result<Page, CrawlError> {
    let response = fetch(url, request, visit).await?;
    if response.status == 304 {
        let ListRequest { etag, last_modified, .. } = request.clone();
        return Ok(Page { etag, last_modified, not_modified: true, ..Page::default() });
    }
    read(&response, url, visit).await
}

async fn fetch(url: &Url, request: &ListRequest, visit: &Visit<'_>) -> Result<Response, CrawlError> {
    let mut get = Request::get(url.clone(), MAX_BYTES).header("Accept", "*/*").stop_if_media();
    if let Some(etag) = &request.etag {
        get = get.header("If-None-Match", etag);
    }
    if let Some(date) = &request.last_modified {
        get = get.header("If-Modified-Since", date);
    }
    let asked = request.etag.is_some() || request.last_modified.is_some();
    let response = visit.fetch(Rhythm::List, NAME, get).await?;
    if !(asked && response.status == 304) {
        status::check(&response)?;
    }
    Ok(response)
}

async fn read(response: &Response, source: &Url, visit: &Visit<'_>) -> Result<Page, CrawlError> {
    match kinds::classify(response) {
        Kind::Feed => {
            let said = |name: &str| response.header(name).map(str::to_owned);
            let (etag, last_modified) = (said("etag"), said("last-modified"));
            let page = listed(feed::parse(&response.body, &response.url)?, &response.url, visit);
            Ok(Page { etag, last_modified, ..page })
        }
        Kind::Html => of_html(response, source, visit).await,
        _ => Err(no_list(visit)),
    }
}

/// A page stands for the feed that it announces, if that has anything to hear; else yt-dlp may know it.
/// A feed that has a bad day is no reason to ask yt-dlp, whose items have other ids.
async fn of_html(response: &Response, source: &Url, visit: &Visit<'_>) -> Result<Page, CrawlError> {
    let text = html::decode(&response.body, response.header("content-type"));
    let mut passing = None;
    for url in html::read(&text, &response.url).feeds.iter().take(MAX_FEEDS) {
        // The page's own validators say nothing about its feed, so it has none.
        match fetch(url, &ListRequest::default(), visit).await {
            Ok(answer) if kinds::classify(&answer) == Kind::Feed => {
                let page = feed::parse(&answer.body, &answer.url).map(|feed| listed(feed, &answer.url, visit));
                if let Some(page) = page.ok().filter(|page| !page.items.is_empty()) {
                    return Ok(page);
                }
            }
            Err(error) if error.retryable() => passing = passing.or(Some(error)),
            _ => {}
        }
    }
    if let Some(error) = passing {
        return Err(error);
    }
    if visit.external().is_none() {
        return Err(no_list(visit));
    }
    external(source, &ListRequest::default(), visit).await
}

/// A feed's items that can be heard, or that lead to a page of somebody who knows what can be heard there.
fn listed(feed: Feed, from: &Url, visit: &Visit<'_>) -> Page {
    let known =
        |post: &Post| hand_over::is_listed(&post.page_url, visit) || visit.platform_of(&post.page_url, NAME).is_some();
    let posts = feed.posts.into_iter().filter(known).map(post);
    let mut seen = HashSet::new();
    let items = feed.items.into_iter().map(episode).chain(posts).filter(|item| seen.insert(item.id.clone())).collect();
    let next = feed.next.filter(|next| next.origin() == from.origin() && next != from);
    Page { title: feed.title.as_deref().and_then(tidy), items, next: next.map(String::from), ..Page::default() }
}

/// The link of an episode is its media: that resolves to exactly this one, whatever its page shows.
fn episode(item: FeedItem) -> Item {
    Item {
        platform: NAME.to_owned(),
        id: short(item.guid),
        title: super::title(tidy(&item.title), &item.url),
        published_at: item.published_at,
        duration_ms: item.duration_ms,
        link: item.url.into(),
        pinned: false,
        available: true,
    }
}

fn post(post: Post) -> Item {
    let id = youtube::item_id(&post.page_url).or_else(|| post.guid.map(short));
    let id = id.unwrap_or_else(|| media_id(&post.page_url));
    Item {
        platform: NAME.to_owned(),
        id,
        title: super::title(tidy(&post.title), &post.page_url),
        published_at: post.published_at,
        duration_ms: None,
        link: post.page_url.into(),
        pinned: false,
        available: true,
    }
}

fn short(guid: String) -> String {
    if guid.len() <= MAX_ID { guid } else { digest(&guid) }
}

fn no_list(visit: &Visit<'_>) -> CrawlError {
    CrawlError::new(
        ErrorClass::NoMediaFound,
        if visit.external().is_some() {
            "The link leads to nothing that trawl can follow: neither a feed nor a list that yt-dlp knows."
        } else {
            "The link leads to no feed, and other lists need yt-dlp, which is not installed."
        },
    )
}
