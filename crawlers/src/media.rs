//! What a resolved link is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

/// What sort of media it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MediaKind {
    /// Pictures that move, usually with sound.
    Video,
    /// Sound only.
    Audio,
    /// A post of still images.
    Images,
    /// A stream that is still going on.
    Live,
}

/// How the bytes of a candidate arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Delivery {
    /// One file.
    File,
    /// The URL is that of an HLS *media* playlist; [`crate::hls::parse`] gives its segments.
    Hls,
}

/// Whether a candidate has sound, as far as could be told without its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HasAudio {
    /// Said so.
    Yes,
    /// Said not.
    No,
    /// A probe must tell.
    Unknown,
}

/// One place to get the media from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Candidate {
    /// Where.
    pub url: Url,
    /// How.
    pub delivery: Delivery,
    /// The media type, where known.
    pub content_type: Option<String>,
    /// The container as a file extension (`mp4`, `mp3`), where known.
    pub container: Option<String>,
    /// Whether it has sound.
    pub has_audio: HasAudio,
    /// Bytes, where known.
    pub size: Option<u64>,
    /// Bits per second, where known.
    pub bitrate: Option<u64>,
    /// Headers to send when downloading this URL (for HLS, its segments too), and nowhere else.
    pub headers: Vec<(String, String)>,
    /// When the URL stops working, where known.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// A file at `url` about which nothing else is known.
    pub fn file(url: Url) -> Self {
        Self {
            url,
            delivery: Delivery::File,
            content_type: None,
            container: None,
            has_audio: HasAudio::Unknown,
            size: None,
            bitrate: None,
            headers: Vec::new(),
            expires_at: None,
        }
    }
}

/// Captions or a transcript that come with the media.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subtitle {
    /// Where.
    pub url: Url,
    /// The language as the site names it.
    pub language: Option<String>,
    /// `vtt`, `srt`, `json`, `hls` …, where known.
    pub format: Option<String>,
}

/// One media item that a link stands for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    /// The crawler's name.
    pub platform: String,
    /// The platform's id of the item; stable, and unique within the platform.
    pub id: String,
    /// What sort of media it is.
    pub kind: MediaKind,
    /// The page that a person would open.
    pub page_url: Url,
    /// The title; never empty.
    pub title: String,
    /// Who made it.
    pub author: Option<String>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// How long it is, as the site says.
    pub duration_ms: Option<u64>,
    /// Where to get it, what to try first for speech first; never empty.
    pub candidates: Vec<Candidate>,
    /// Captions that came along.
    pub subtitles: Vec<Subtitle>,
    /// What the person should know.
    pub warnings: Vec<String>,
    /// Which of the crawler's strategies answered.
    pub strategy: String,
}
