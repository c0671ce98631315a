//! What a resolved link is.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::Attempt;

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
    /// The URL is that of a DASH manifest; [`crate::dash::parse`] gives its segments.
    Dash,
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
    /// The same bytes elsewhere, to be tried before the next candidate.
    #[serde(default)]
    pub mirrors: Vec<Url>,
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
    /// Whether the platform has written itself across the picture, which does the sound no harm.
    #[serde(default)]
    pub watermark: bool,
    /// Headers to send when downloading this URL (for HLS and DASH, its segments and keys too) or a mirror, and nowhere else.
    pub headers: Vec<(String, String)>,
    /// When the URL stops working, where known.
    pub expires_at: Option<DateTime<Utc>>,
}

impl Candidate {
    /// A file at `url` about which nothing else is known.
    pub fn file(url: Url) -> Self {
        Self {
            url,
            mirrors: Vec::new(),
            delivery: Delivery::File,
            content_type: None,
            container: None,
            has_audio: HasAudio::Unknown,
            size: None,
            bitrate: None,
            watermark: false,
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
    /// `vtt`, `srt`, `json`, `hls`, `creator_caption` …, where known.
    pub format: Option<String>,
    /// Who wrote them.
    #[serde(default)]
    pub source: SubtitleSource,
    /// Headers to send when downloading them.
    #[serde(default)]
    pub headers: Vec<(String, String)>,
    /// When the URL stops working, where known.
    #[serde(default)]
    pub expires_at: Option<DateTime<Utc>>,
}

impl Subtitle {
    /// Subtitles at `url` about which nothing else is known.
    pub fn at(url: Url) -> Self {
        Self {
            url,
            language: None,
            format: None,
            source: SubtitleSource::Unknown,
            headers: Vec::new(),
            expires_at: None,
        }
    }
}

/// Who wrote subtitles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SubtitleSource {
    /// The uploader, or somebody for them.
    Human,
    /// A machine that listened.
    Asr,
    /// A machine that translated: never to be taken for what was said.
    MachineTranslation,
    /// Nobody said.
    #[default]
    Unknown,
}

/// The sound that a post uses: its own, or somebody's song.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sound {
    /// Where it is.
    pub url: Url,
    /// Its name.
    pub title: Option<String>,
    /// Whether it is what was recorded with this post.
    pub is_original: bool,
    /// How long it is, where known.
    pub duration_ms: Option<u64>,
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
    /// What stands beside it.
    #[serde(default)]
    pub description: Option<String>,
    /// Who made it: the name that people know.
    pub author: Option<String>,
    /// The author's id, as the platform's lists want it.
    #[serde(default)]
    pub author_id: Option<String>,
    /// When it was published.
    pub published_at: Option<DateTime<Utc>>,
    /// How long it is, as the site says.
    pub duration_ms: Option<u64>,
    /// A picture of it.
    #[serde(default)]
    pub cover_url: Option<Url>,
    /// How many pictures a post of images has.
    #[serde(default)]
    pub image_count: usize,
    /// The sound that the post uses, where the platform tells.
    #[serde(default)]
    pub sound: Option<Sound>,
    /// Where to get it, what to try first for speech first. Empty only when [`Resolved::silent`] says why.
    pub candidates: Vec<Candidate>,
    /// Why there is nothing to hear, in a sentence: a muted post, pictures with a song. That is a result, not an error.
    #[serde(default)]
    pub silent: Option<String>,
    /// Whether no sound in any candidate is a result too, as with posts that people film; with other links it is an error.
    #[serde(default)]
    pub may_be_silent: bool,
    /// Captions that came along.
    pub subtitles: Vec<Subtitle>,
    /// What the person should know.
    pub warnings: Vec<String>,
    /// Which of the crawler's strategies answered.
    pub strategy: String,
    /// What was tried.
    #[serde(default)]
    pub attempts: Vec<Attempt>,
}

impl Resolved {
    /// A post about which nothing else is known; the title is never empty.
    pub fn new(platform: &str, id: &str, kind: MediaKind, page_url: Url) -> Self {
        Self {
            platform: platform.to_owned(),
            id: id.to_owned(),
            kind,
            page_url,
            title: format!("{platform} {id}"),
            description: None,
            author: None,
            author_id: None,
            published_at: None,
            duration_ms: None,
            cover_url: None,
            image_count: 0,
            sound: None,
            candidates: Vec::new(),
            silent: None,
            may_be_silent: false,
            subtitles: Vec::new(),
            warnings: Vec::new(),
            strategy: String::new(),
            attempts: Vec::new(),
        }
    }
}
