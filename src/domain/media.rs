//! Media: one resolved item, known by platform and platform id.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::MediaId;

/// The platform word of files that people upload.
pub const UPLOAD: &str = "upload";

/// One media as it is stored; its file, when it is here, is kept under [`Media::file`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Media {
    /// Its id.
    pub id: MediaId,
    /// Where it comes from: a crawler's name, or [`UPLOAD`].
    pub platform: String,
    /// Its id there.
    pub platform_id: String,
    /// The page that shows it.
    pub page_url: Option<String>,
    /// Its title: display text from strangers.
    pub title: String,
    /// Who made it: display text from strangers.
    pub author: Option<String>,
    /// How long it is, in milliseconds, when known.
    pub duration_ms: Option<i64>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// The key of the kept file in the object store.
    pub file: Option<String>,
    /// The file's size in bytes.
    pub size: Option<i64>,
    /// The SHA-256 of the file, in hex.
    pub sha256: Option<String>,
    /// The file's content type, found by looking at its bytes.
    pub content_type: Option<String>,
    /// When it was first seen.
    pub created_at: DateTime<Utc>,
    /// When retention took its file away; none while the file is here, and where there never was one.
    pub file_removed_at: Option<DateTime<Utc>>,
}

/// The media that a link names, which is `media:<id>`.
pub fn named(link: &str) -> Option<MediaId> {
    link.trim().strip_prefix("media:")?.parse().ok().map(MediaId)
}

/// The uploads that a text names anywhere: `upload:<id>`.
pub fn uploads_named(text: &str) -> impl Iterator<Item = &str> {
    let ids = text.match_indices("upload:").map(|(at, word)| {
        let rest = &text[at + word.len()..];
        let is_over = |c: char| !c.is_ascii_hexdigit() && c != '-';
        &rest[..rest.find(is_over).unwrap_or(rest.len())]
    });
    ids.filter(|id| !id.is_empty())
}

/// The uploads that a value names at any depth.
pub fn uploads_in<'a>(value: &'a Value, found: &mut BTreeSet<&'a str>) {
    match value {
        Value::String(text) => found.extend(uploads_named(text)),
        Value::Array(items) => items.iter().for_each(|item| uploads_in(item, found)),
        Value::Object(fields) => fields.values().for_each(|field| uploads_in(field, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The media that a value names at any depth: links to media, and numbers in fields called `media_id`.
pub fn named_in(value: &Value) -> BTreeSet<MediaId> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<MediaId>) {
    match value {
        Value::String(text) => found.extend(named(text)),
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(fields) => {
            found.extend(fields.get("media_id").and_then(Value::as_i64).map(MediaId));
            fields.values().for_each(|field| collect(field, found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn media_are_named_by_links_and_by_their_field() {
        let value = json!({
            "media_id": 1, "id": 9, "text": "see media:9", "links": ["media:2", " media:3 ", "media:x", "upload:4", "of upload:a-1 and upload:"],
            "ok": [{ "from": { "media_id": 4, "file": "media:" } }, { "media_id": "5" }, { "media_id": "media:6" }],
        });
        let named: Vec<i64> = named_in(&value).into_iter().map(|id| id.0).collect();
        assert_eq!(named, [1, 2, 3, 4, 6]);
        let mut uploads = BTreeSet::new();
        uploads_in(&value, &mut uploads);
        assert_eq!(uploads.into_iter().collect::<Vec<_>>(), ["4", "a-1"]);
    }
}
