//! A flat playlist of yt-dlp's to a page of a source. Pure.

use std::collections::HashSet;

use serde_json::Value;
use url::Url;

use super::{formats::unreadable, info::Info};
use crate::{CrawlError, ErrorClass, Item, Page, generic::tidy};

/// Entries on a page.
pub(super) const PAGE: usize = 50;
/// Lists are not followed further than this.
const MAX_ENTRIES: usize = 1_000;
/// Lists in lists, such as the tabs of a channel, are looked into this deep.
const MAX_DEPTH: usize = 3;

/// How many entries come before the page that a cursor asks for.
pub(super) fn offset(cursor: Option<&str>) -> usize {
    cursor.and_then(|cursor| cursor.parse().ok()).unwrap_or(0).min(MAX_ENTRIES)
}

/// The page behind the first `offset` entries. `platform` is whose posts these are; none: the wide web's.
pub(super) fn page(json: &[u8], offset: usize, platform: Option<&str>) -> Result<Page, CrawlError> {
    let whole: Value = serde_json::from_slice(json).map_err(|_| unreadable())?;
    let list = Info(&whole);
    if !list.is_list() {
        return Err(CrawlError::new(
            ErrorClass::NoMediaFound,
            "The link leads to one item, not to a list of them. Submit it as a task instead.",
        ));
    }
    // What failed counts too: the offset is one of the list's.
    let asked = list.0.get("entries").and_then(Value::as_array).map_or(0, Vec::len);
    let mut entries = Vec::new();
    flatten(list, MAX_DEPTH, &mut entries);
    let nested = entries.len() > asked;
    let mut seen = HashSet::new();
    let items = entries.into_iter().skip(if nested { 0 } else { offset }).flatten();
    let items = items.filter_map(|entry| item(entry, platform)).filter(|item| seen.insert(item.id.clone())).collect();
    let end = offset + PAGE;
    let next = (!nested && asked >= end && end < MAX_ENTRIES).then(|| end.to_string());
    Ok(Page { title: list.title(), items, next, ..Page::default() })
}

/// The entries in order; none stands for one that failed.
fn flatten<'a>(list: Info<'a>, depth: usize, entries: &mut Vec<Option<Info<'a>>>) {
    for value in list.0.get("entries").and_then(Value::as_array).into_iter().flatten() {
        let entry = Info(value);
        if entry.is_list() && depth > 0 {
            flatten(entry, depth - 1, entries);
        } else {
            entries.push(value.is_object().then_some(entry));
        }
    }
}

/// An entry as a post. What is live is left out until it has ended.
fn item(entry: Info<'_>, platform: Option<&str>) -> Option<Item> {
    if entry.is_live() {
        return None;
    }
    let link: Url = ["webpage_url", "url"].into_iter().find_map(|key| entry.url(key))?;
    let id = match platform {
        Some(_) => entry.text("id")?,
        None => entry.web_id(&link),
    };
    let title = entry.title();
    let gone = title.as_deref().is_some_and(|title| matches!(title, "[Deleted video]" | "[Private video]"));
    let closed = matches!(
        entry.text("availability").as_deref(),
        Some("private" | "needs_auth" | "premium_only" | "subscriber_only")
    );
    Some(Item {
        platform: platform.unwrap_or("web").to_owned(),
        title: title
            .or_else(|| tidy(&entry.text("description")?))
            .unwrap_or_else(|| format!("{} {id}", platform.unwrap_or("web"))),
        link: link.into(),
        published_at: entry.published_at(),
        duration_ms: entry.duration_ms(),
        pinned: false,
        available: !gone && !closed,
        id,
    })
}
