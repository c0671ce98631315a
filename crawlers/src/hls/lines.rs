//! Brings a playlist into the shape that `m3u8-rs` reads correctly.
//!
//! Version 6 of it takes the text after a second comma in an `#EXTINF` title for a segment, takes a last comment without
//! a line end for one too, drops a whole tag over one empty attribute, lets a broken attribute run on into the next
//! lines (which also costs quadratic time), stops at invalid UTF-8, and rejects `METHOD=NONE`. Each line is therefore
//! rewritten on its own, and keys are read here.

use crate::{CrawlError, ErrorClass};

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
const KEY_TAGS: [&str; 2] = ["#EXT-X-KEY:", "#EXT-X-SESSION-KEY:"];

/// A playlist with one well-formed tag or URI per line.
pub(super) struct Lines {
    pub(super) text: String,
    /// The encryption methods other than `NONE`.
    pub(super) key_methods: Vec<String>,
}

/// `None` when it does not start as a playlist.
pub(super) fn normalise(body: &[u8]) -> Option<Lines> {
    let body = String::from_utf8_lossy(body);
    let mut lines = body.trim_start_matches('\u{feff}').lines().map(str::trim).filter(|line| !line.is_empty());
    if !lines.next()?.starts_with("#EXTM3U") {
        return None;
    }
    let mut text = String::from("#EXTM3U\n");
    let mut key_methods = Vec::new();
    for line in lines {
        if let Some(tag) = ATTRIBUTE_TAGS.iter().find(|tag| line.starts_with(**tag)) {
            let kept: Vec<_> = attributes(&line[tag.len()..]).map(|(key, value)| format!("{key}={value}")).collect();
            text.push_str(tag);
            text.push_str(&kept.join(","));
        } else if let Some(tag) = KEY_TAGS.iter().find(|tag| line.starts_with(**tag)) {
            key_methods.extend(key_method(&line[tag.len()..]));
            continue;
        } else if line.starts_with("#EXT-X-FAXS") {
            key_methods.push("FAXS".to_owned());
            continue;
        } else if let Some(rest) = line.strip_prefix("#EXTINF:") {
            text.push_str("#EXTINF:");
            text.push_str(rest.split(',').next().unwrap_or_default().trim());
            text.push(',');
        } else if PLAIN_TAGS.iter().any(|tag| line.starts_with(tag)) || !line.starts_with('#') {
            text.push_str(line);
        } else {
            continue;
        }
        text.push('\n');
    }
    Some(Lines { text, key_methods })
}

/// Says why an encrypted playlist is not taken.
pub(super) fn refuse_encrypted(methods: &[String]) -> Result<(), CrawlError> {
    let Some(worst) = methods.iter().find(|method| *method != "AES-128").or_else(|| methods.first()) else {
        return Ok(());
    };
    Err(CrawlError::new(
        ErrorClass::Unavailable,
        if worst == "AES-128" {
            "The stream is encrypted with AES-128, which trawl cannot decrypt yet. Upload the file instead."
        } else {
            "The stream is protected by DRM and cannot be downloaded."
        },
    ))
}

fn key_method(list: &str) -> Option<String> {
    let method = attributes(list).find(|(key, _)| key.eq_ignore_ascii_case("METHOD"));
    // A key line which cannot be read is still a key.
    let method = method.map_or("unknown", |(_, value)| value.trim_matches('"')).to_ascii_uppercase();
    (method != "NONE").then_some(method)
}

/// The complete attributes of a list, split at commas outside quotes; empty ones say nothing and are left out.
fn attributes(list: &str) -> impl Iterator<Item = (&str, &str)> {
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
