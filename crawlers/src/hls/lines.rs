//! Brings a playlist into the shape that `m3u8-rs` reads correctly.
//!
//! Version 6 of it takes the text after a second comma in an `#EXTINF` title for a segment, takes a last comment without
//! a line end for one too, drops a whole tag over one empty attribute, lets a broken attribute run on into the next
//! lines (which also costs quadratic time), stops at invalid UTF-8, and rejects `METHOD=NONE`. Each line is therefore
//! rewritten on its own, and keys are read by [`super::keys`].

use super::{
    keys::{self, Keys},
    unavailable,
};
use crate::{
    CrawlError,
    stream::{MAX_SEGMENTS, is_protected, too_many_segments},
};

/// Tags with attributes that matter; keys are taken out.
const ATTRIBUTE_TAGS: [&str; 3] = ["#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "#EXT-X-MAP:"];
/// Tags without attributes that matter.
const PLAIN_TAGS: [&str; 5] = [
    "#EXT-X-TARGETDURATION:",
    "#EXT-X-MEDIA-SEQUENCE:",
    "#EXT-X-PLAYLIST-TYPE:",
    "#EXT-X-BYTERANGE:",
    "#EXT-X-ENDLIST",
];

/// A segment takes two lines, or three with a byte range; the rest is room for tags that come once.
const MAX_LINES: usize = 3 * MAX_SEGMENTS + 100;

/// A playlist with one well-formed tag or URI per line.
pub(super) struct Lines {
    pub(super) text: String,
    pub(super) keys: Keys,
    /// How many URIs there are; in a media playlist each is a segment.
    pub(super) uris: usize,
}

/// An error when it does not start as a playlist, or is longer than any that would be taken: the parser keeps a few
/// hundred bytes for each line.
pub(super) fn normalise(body: &[u8]) -> Result<Lines, CrawlError> {
    let body = String::from_utf8_lossy(body);
    let mut lines = body.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
    if !lines.next().is_some_and(|first| first.starts_with("#EXTM3U")) {
        return Err(unavailable("The playlist is not an HLS playlist."));
    }
    let mut text = String::from("#EXTM3U\n");
    let (mut keys, mut uris, mut kept) = (Keys::default(), 0, 0);
    for line in lines {
        if line.starts_with("#EXT-X-MAP:") {
            keys.at_init();
        }
        if let Some(tag) = ATTRIBUTE_TAGS.iter().find(|tag| line.starts_with(**tag)) {
            let whole: Vec<_> = attributes(&line[tag.len()..]).map(|(key, value)| format!("{key}={value}")).collect();
            text.push_str(tag);
            text.push_str(&whole.join(","));
        } else if let Some(list) = line.strip_prefix("#EXT-X-KEY:") {
            keys.add(uris, list)?;
            continue;
        } else if let Some(list) = line.strip_prefix("#EXT-X-SESSION-KEY:") {
            keys::check_session(list)?;
            continue;
        } else if line.starts_with("#EXT-X-FAXS") {
            return Err(is_protected());
        } else if let Some(rest) = line.strip_prefix("#EXTINF:") {
            text.push_str("#EXTINF:");
            text.push_str(rest.split(',').next().unwrap_or_default().trim());
            text.push(',');
        } else if PLAIN_TAGS.iter().any(|tag| line.starts_with(tag)) || !line.starts_with('#') {
            text.push_str(line);
            uris += usize::from(!line.starts_with('#'));
        } else {
            continue;
        }
        text.push('\n');
        kept += 1;
        if kept > MAX_LINES {
            return Err(too_many_segments());
        }
    }
    Ok(Lines { text, keys, uris })
}

/// The complete attributes of a list, split at commas outside quotes; empty ones say nothing and are left out.
pub(super) fn attributes(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut quoted = false;
    list.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
    .filter_map(|pair| pair.split_once('='))
    .map(|(key, value)| (key.trim(), value.trim()))
    .filter(|(key, value)| {
        let quotes = value.matches('"').count();
        let whole = quotes == 0 || (quotes == 2 && value.len() > 2 && value.starts_with('"') && value.ends_with('"'));
        !key.is_empty() && !value.is_empty() && whole
    })
}
