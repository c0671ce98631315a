//! Platform modules that turn a pasted link into media.
//!
//! A crawler *resolves*: it says which media a link stands for and where its bytes are. It never downloads them, and it
//! reaches the network only through the [`Transport`] that it is given, so every rule about addresses, redirects, sizes
//! and times lives with whoever implements that trait. How to add a platform: `README.md`.

#![cfg_attr(test, allow(clippy::unwrap_used, reason = "a test that cannot go on should say where"))]

mod chain;
mod challenge;
mod chance;
mod crawlers;
pub mod dash;
mod douyin;
mod error;
#[cfg(test)]
mod example;
mod external;
pub mod feed;
mod generic;
pub mod hls;
mod identity;
mod key;
mod link;
mod listing;
mod loose;
mod media;
mod memory;
mod pace;
mod platform;
pub mod settings;
mod short_link;
pub mod signatures;
mod stream;
#[cfg(test)]
mod stub;
#[cfg(test)]
mod tests;
mod tikhub;
mod tiktok;
mod transport;
mod visit;
mod ytdlp;

pub use chain::{Attempt, Ending, Outcome, Strategy};
pub use chance::{Chance, Real};
pub use crawlers::Crawlers;
pub use error::{CrawlError, ErrorClass};
pub use external::{Dump, Dumped, External};
pub use feed::{FeedItem, feed_items};
pub use identity::Identity;
pub use link::{extract_links, find_link};
pub use listing::{Item, ListRequest, Page};
pub use media::{Candidate, Delivery, HasAudio, MediaKind, Resolved, Sound, Subtitle, SubtitleSource};
pub use platform::{Crawler, Form, LinkKind};
pub use settings::Settings;
pub use stream::{Key, MAX_SEGMENTS, Segment, Stream};
pub use transport::{MEDIA_HEAD_BYTES, Method, Request, Response, Transport, TransportError, is_media_type};
pub use visit::{MAX_REQUESTS, Rhythm, Visit, With};
