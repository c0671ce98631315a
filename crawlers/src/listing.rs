//! Sources: lists of posts that grow.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What to ask a source for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListRequest {
    /// [`Page::next`] of the page before; none: the first page.
    pub cursor: Option<String>,
    /// The `ETag` of the last answer.
    pub etag: Option<String>,
    /// The `Last-Modified` of the last answer.
    pub last_modified: Option<String>,
}

/// One page of a source.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page {
    /// The source's name.
    pub title: Option<String>,
    /// What is on the page, in the source's order. May be empty although there is a next page.
    pub items: Vec<Item>,
    /// How to ask for the next page; none: this is the last.
    pub next: Option<String>,
    /// To be given with the next request for the first page.
    pub etag: Option<String>,
    /// To be given with the next request for the first page.
    pub last_modified: Option<String>,
    /// Nothing has changed since the answer whose `etag` or `last_modified` was given.
    pub not_modified: bool,
}

/// One post of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Its platform.
    pub platform: String,
    /// Its id there: what tells whether it was seen before.
    pub id: String,
    /// The link that resolves to it.
    pub link: String,
    /// Its title; never empty.
    pub title: String,
    /// When it was published, where known.
    pub published_at: Option<DateTime<Utc>>,
    /// How long it is, where known.
    pub duration_ms: Option<u64>,
    /// Whether it stands at the top whatever its age.
    pub pinned: bool,
    /// Whether it is still there; a list may name posts that were deleted.
    pub available: bool,
}
