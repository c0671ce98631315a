//! Media: one resolved item, known by platform and platform id.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

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
}
