//! HLS playlists: which rendition to listen to, and its segments. Pure.
//!
//! What cannot be played is refused here, so whoever holds a [`Stream`] may download it: it has an end, no encryption
//! but AES-128 with keys that can be fetched, and every URL in it is a plain `http(s)` one.

mod keys;
mod lines;
mod master;

use lines::Lines;
use m3u8_rs::{ByteRange, MediaSegment};
use url::Url;

use crate::{
    CrawlError, ErrorClass,
    link::is_fetchable,
    stream::{MAX_SEGMENTS, Segment, Stream, is_live, too_many_segments},
};

pub use master::{Choice, MasterPlaylist};

/// A parsed playlist.
#[derive(Debug, Clone, PartialEq)]
pub enum Playlist {
    /// A list of renditions of the same media.
    Master(MasterPlaylist),
    /// One rendition, ready to download.
    Media(Box<Stream>),
}

/// Reads a playlist that was fetched from `base` (the URL after redirects).
pub fn parse(body: &[u8], base: &Url) -> Result<Playlist, CrawlError> {
    let lines = lines::normalise(body)?;
    match m3u8_rs::parse_playlist_res(lines.text.as_bytes()) {
        Ok(m3u8_rs::Playlist::MasterPlaylist(list)) => master::choose(list, base).map(Playlist::Master),
        Ok(m3u8_rs::Playlist::MediaPlaylist(list)) => media(list, &lines, base).map(Box::new).map(Playlist::Media),
        Err(_) => Err(unavailable("The HLS playlist is damaged and cannot be read.")),
    }
}

/// A URL of a playlist, resolved and checked.
pub(crate) fn resolve(base: &Url, uri: &str) -> Option<Url> {
    base.join(uri).ok().filter(is_fetchable)
}

fn media(list: m3u8_rs::MediaPlaylist, lines: &Lines, base: &Url) -> Result<Stream, CrawlError> {
    if !list.end_list && list.playlist_type != Some(m3u8_rs::MediaPlaylistType::Vod) {
        return Err(is_live());
    }
    if list.segments.len() > MAX_SEGMENTS {
        return Err(too_many_segments());
    }
    if list.segments.is_empty() {
        return Err(CrawlError::new(ErrorClass::NoMediaFound, "The HLS playlist is empty."));
    }
    let init = init_segment(&list.segments, lines, base)?;
    let mut segments: Vec<Segment> = Vec::with_capacity(list.segments.len());
    for raw in &list.segments {
        let url = resolve(base, &raw.uri).ok_or_else(bad_url)?;
        // Without an offset a range goes on where the last one of the same file ended.
        let follows = segments.last().filter(|last| last.url == url).and_then(|last| last.byte_range);
        let byte_range = byte_range(raw.byte_range.as_ref(), follows)?;
        segments.push(Segment { url, duration: raw.duration, byte_range, key: None });
    }
    let seconds: f64 = segments.iter().map(|segment| f64::from(segment.duration)).filter(|s| s.is_finite()).sum();
    if !lines.keys.is_empty() {
        if segments.len() != lines.uris {
            return Err(unavailable("The HLS playlist is damaged, so that its keys cannot be assigned."));
        }
        let keys = lines.keys.of_segments(segments.len(), list.media_sequence, base)?;
        segments.iter_mut().zip(keys).for_each(|(segment, key)| segment.key = key);
    }
    Ok(Stream { segments, init, duration_ms: (seconds * 1000.0).round() as u64 })
}

fn init_segment(segments: &[MediaSegment], lines: &Lines, base: &Url) -> Result<Option<Segment>, CrawlError> {
    let mut maps = segments.iter().enumerate().filter_map(|(at, segment)| Some((at, segment.map.as_ref()?)));
    let Some((at, first)) = maps.next() else { return Ok(None) };
    // Joined behind the wrong header, segments decode to noise; better to say so.
    if at != 0 || maps.any(|(_, map)| map != first) {
        return Err(unavailable("The HLS playlist changes its format in the middle, which trawl cannot join yet."));
    }
    let url = resolve(base, &first.uri).ok_or_else(bad_url)?;
    let byte_range = byte_range(first.byte_range.as_ref(), None)?;
    Ok(Some(Segment { url, duration: 0.0, byte_range, key: lines.keys.of_init(base)? }))
}

fn byte_range(range: Option<&ByteRange>, follows: Option<(u64, u64)>) -> Result<Option<(u64, u64)>, CrawlError> {
    let Some(range) = range else { return Ok(None) };
    let offset = range.offset.unwrap_or_else(|| follows.map_or(0, |(offset, length)| offset + length));
    match offset.checked_add(range.length) {
        Some(_) if range.length > 0 => Ok(Some((offset, range.length))),
        _ => Err(unavailable("The HLS playlist has a byte range that makes no sense.")),
    }
}

fn bad_url() -> CrawlError {
    unavailable("The HLS playlist points to an address that is not a plain http or https link.")
}

fn unavailable(message: impl Into<String>) -> CrawlError {
    CrawlError::new(ErrorClass::Unavailable, message)
}

#[cfg(test)]
mod tests;
