//! RSS, Atom and JSON feeds: the items that have media. Pure.

mod itunes;
mod salvage;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use chrono::{DateTime, Utc};
use feed_rs::model::{Entry, Feed as Parsed, Link};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::{CrawlError, ErrorClass, Subtitle, generic::kinds, link::is_fetchable};
use itunes::Extra;
pub(crate) use salvage::depth;

/// Elements nested deeper than this are refused: the parser recurses, and real feeds stay below a dozen.
const MAX_DEPTH: usize = 200;

/// One item of a feed that has media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedItem {
    /// The feed's own id of the item, else its media URL without the query.
    pub guid: String,
    /// The title; may be empty.
    pub title: String,
    /// Where the media is.
    pub url: Url,
    /// The media type, as the feed says.
    pub content_type: Option<String>,
    /// Bytes, as the feed says.
    pub length: Option<u64>,
    /// How long it is, as the feed says.
    pub duration_ms: Option<u64>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// The item's own page.
    pub page_url: Option<Url>,
    /// Who made it: the item's author, else the feed's, else the feed's title.
    pub author: Option<String>,
    /// Transcripts that the feed offers.
    pub subtitles: Vec<Subtitle>,
}

/// A feed, as far as it matters here.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    pub(crate) title: Option<String>,
    pub(crate) home: Option<Url>,
    /// Where older items are.
    pub(crate) next: Option<Url>,
    pub(crate) items: Vec<FeedItem>,
    /// Items without media of their own, which may lead to a page that has some.
    pub(crate) posts: Vec<Post>,
}

/// An item of a feed that is only a link.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) guid: Option<String>,
    pub(crate) title: String,
    pub(crate) page_url: Url,
    pub(crate) published_at: Option<DateTime<Utc>>,
}

impl Feed {
    /// The newest item; the first one where nothing has a date.
    pub(crate) fn newest(self) -> Option<FeedItem> {
        // max_by_key takes the last of equals; feeds begin with the newest.
        self.items.into_iter().rev().max_by_key(|item| item.published_at)
    }
}

/// The items of a feed that have media, in the feed's order.
pub fn feed_items(body: &[u8], base: &Url) -> Result<Vec<FeedItem>, CrawlError> {
    parse(body, base).map(|feed| feed.items)
}

pub(crate) fn parse(body: &[u8], base: &Url) -> Result<Feed, CrawlError> {
    if depth(body) > MAX_DEPTH {
        return Err(unreadable());
    }
    if let Some(feed) = read(body, base) {
        return Ok(feed);
    }
    // One bad character or a cut-off end spoils the whole document for an XML parser: then each item is read alone.
    let parts = salvage::documents(body).into_iter().filter_map(|part| read(&part, base));
    parts
        .reduce(|mut all, part| {
            all.items.extend(part.items);
            all.posts.extend(part.posts);
            all
        })
        .ok_or_else(unreadable)
}

fn read(body: &[u8], base: &Url) -> Option<Feed> {
    let parsed = parse_one(body, base)?;
    let author = parsed.authors.iter().find_map(|person| person.name.clone()).or_else(|| text(parsed.title.as_ref()));
    // Both are in the document's order; where the counts differ, something only looks like an item.
    let extras = Some(itunes::extras(body)).filter(|extras| extras.len() == parsed.entries.len()).unwrap_or_default();
    let extras = extras.into_iter().chain(std::iter::repeat(Extra::default()));
    let items =
        parsed.entries.iter().zip(extras).filter_map(|(entry, extra)| item(entry, base, author.as_deref(), extra));
    let next = parsed.links.iter().find(|link| link.rel.as_deref() == Some("next"));
    Some(Feed {
        title: text(parsed.title.as_ref()),
        home: page_link(&parsed.links, base),
        next: next.and_then(|link| base.join(&link.href).ok()).filter(is_fetchable),
        items: items.collect(),
        posts: parsed.entries.iter().filter_map(|entry| post(entry, base)).collect(),
    })
}

fn parse_one(body: &[u8], base: &Url) -> Option<Parsed> {
    // Made-up ids would be new at every reading; ours come from the media.
    let parser = || feed_rs::parser::Builder::new().base_uri(Some(base)).id_generator(|_, _, _| String::new()).build();
    // feed-rs unwraps numbers of unlimited length (a duration of 20 digits is enough); a feed must not end the task.
    catch_unwind(AssertUnwindSafe(|| parser().parse(body).ok())).ok().flatten()
}

/// One form of an item's media.
struct Enclosure {
    url: Url,
    content_type: Option<String>,
    length: Option<u64>,
    duration: Option<Duration>,
}

fn item(entry: &Entry, base: &Url, feed_author: Option<&str>, extra: Extra) -> Option<FeedItem> {
    let enclosure = enclosure(entry, base)?;
    let authors = entry.authors.iter().filter_map(|person| person.name.clone());
    let credits = entry.media.iter().flat_map(|media| media.credits.iter().map(|credit| credit.entity.clone()));
    let author = authors.chain(credits).chain(extra.author).find(|name| !name.trim().is_empty());
    let said = enclosure.duration.and_then(|duration| u64::try_from(duration.as_millis()).ok()).filter(|ms| *ms > 0);
    Some(FeedItem {
        guid: if entry.id.is_empty() { without_query(&enclosure.url) } else { entry.id.clone() },
        title: text(entry.title.as_ref()).unwrap_or_default(),
        content_type: enclosure.content_type,
        length: enclosure.length.filter(|length| *length > 0),
        duration_ms: extra.duration_ms.or(said),
        published_at: entry.published.or(entry.updated),
        page_url: page_link(&entry.links, base),
        author: author.or_else(|| feed_author.map(str::to_owned)),
        subtitles: transcripts(entry),
        url: enclosure.url,
    })
}

fn post(entry: &Entry, base: &Url) -> Option<Post> {
    Some(Post {
        guid: Some(entry.id.clone()).filter(|id| !id.is_empty()),
        title: text(entry.title.as_ref()).unwrap_or_default(),
        page_url: page_link(&entry.links, base).filter(|_| enclosure(entry, base).is_none())?,
        published_at: entry.published.or(entry.updated),
    })
}

/// The item's media; of several forms the one that is sound only, because it is the smallest.
fn enclosure(entry: &Entry, base: &Url) -> Option<Enclosure> {
    let contents = entry.media.iter().flat_map(|media| &media.content).filter_map(|content| {
        Some(Enclosure {
            url: content.url.clone()?,
            content_type: content.content_type.as_ref().map(ToString::to_string),
            length: content.size,
            duration: content.duration,
        })
    });
    let links = entry.links.iter().filter(|link| link.rel.as_deref() == Some("enclosure")).filter_map(|link| {
        let url = base.join(&link.href).ok()?;
        Some(Enclosure { url, content_type: link.media_type.clone(), length: link.length, duration: None })
    });
    contents
        .chain(links)
        .filter(|one| is_fetchable(&one.url) && kinds::sounds(&one.url, one.content_type.as_deref()))
        .min_by_key(|one| !kinds::is_audio(&one.url, one.content_type.as_deref()))
}

fn transcripts(entry: &Entry) -> Vec<Subtitle> {
    let found =
        entry.media.iter().flat_map(|media| &media.transcripts).filter(|transcript| is_fetchable(&transcript.url));
    found
        .map(|transcript| Subtitle {
            language: transcript.language.clone(),
            format: kinds::subtitle_format(Some(transcript.content_type.as_ref()), &transcript.url),
            ..Subtitle::at(transcript.url.clone())
        })
        .collect()
}

fn page_link(links: &[Link], base: &Url) -> Option<Url> {
    let link = links.iter().find(|link| matches!(link.rel.as_deref(), None | Some("alternate")))?;
    base.join(&link.href).ok().filter(is_fetchable)
}

fn text(text: Option<&feed_rs::model::Text>) -> Option<String> {
    text.map(|text| text.content.trim().to_owned()).filter(|text| !text.is_empty())
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

fn unreadable() -> CrawlError {
    CrawlError::new(ErrorClass::Unavailable, "The feed is damaged and cannot be read.")
}

#[cfg(test)]
mod tests;
