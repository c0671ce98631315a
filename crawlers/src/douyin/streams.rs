//! The files of a post, in the order in which they are worth trying for speech.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use crate::{Candidate, HasAudio, link::is_fetchable, loose};

/// Hosts (with everything below them) that serve `http:` addresses over `https:` as well.
const SECURE: [&str; 6] = ["douyin.com", "iesdouyin.com", "douyinvod.com", "snssdk.com", "zjcdn.com", "bytecdn.cn"];
/// Marks of tracks without sound, and of a codec that nothing here decodes. The names of tracks tell nothing: the same
/// one occurs with and without sound.
const NO_SOUND: [&str; 3] = ["/media-video-", "bytevc2", "h266"];
const SOUND_ONLY: &str = "/media-audio-";
/// The address that redirects to a file, in place of the file's own.
const PLAY: &str = "/aweme/v1/play";

/// How good a track is; the first is the best, and of equals the smallest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    SoundOnly,
    Variant,
    Main,
    Watermarked,
    Endpoint,
}

/// The tracks of `video` that have sound or may have. `ms` is how long it is.
pub(super) fn of(video: &Value, ms: Option<u64>) -> Vec<Candidate> {
    let mut tracks = Vec::new();
    for entry in loose::list(&video["bit_rate_audio"]) {
        let mut urls = Vec::new();
        every_url(entry, &mut urls);
        let size = ["audio_meta", "play_addr"].iter().find_map(|name| size_of(&entry[*name]));
        tracks.extend(track(Rank::SoundOnly, urls, size, rate_of(entry)));
    }
    for entry in loose::list(&video["bit_rate"]) {
        let is_silent = ["format", "gear_name"].iter().any(|name| {
            loose::text(&entry[*name])
                .is_some_and(|text| text == "dash" || NO_SOUND.iter().any(|mark| text.contains(mark)))
        });
        let urls = urls(&entry["play_addr"]);
        if !is_silent || urls.first().is_some_and(|url| url.path().contains(SOUND_ONLY)) {
            tracks.extend(track(Rank::Variant, urls, size_of(&entry["play_addr"]), rate_of(entry)));
        }
    }
    for name in ["play_addr", "play_addr_h264", "play_addr_265"] {
        tracks.extend(track(Rank::Main, urls(&video[name]), size_of(&video[name]), None));
    }
    let download = &video["download_addr"];
    tracks.extend(track(Rank::Watermarked, every_address(download), size_of(download), None));
    if tracks.is_empty() {
        tracks
            .extend(endpoint(&video["play_addr"]["uri"]).and_then(|url| track(Rank::Endpoint, vec![url], None, None)));
    }
    let size = |one: &Candidate| one.size.or_else(|| Some(one.bitrate?.saturating_mul(ms?) / 8000)).unwrap_or(u64::MAX);
    tracks.sort_by_key(|(rank, candidate)| (*rank, size(candidate)));
    let mut seen = std::collections::HashSet::new();
    tracks.into_iter().map(|(_, one)| one).filter(|one| seen.insert(one.url.clone())).collect()
}

/// One file with its mirrors: what a content network serves first, the address that redirects last.
fn track(rank: Rank, mut urls: Vec<Url>, size: Option<u64>, bitrate: Option<u64>) -> Option<(Rank, Candidate)> {
    // A mirror that does not show it serves the same file.
    if urls.iter().any(|url| NO_SOUND.iter().any(|mark| url.path().contains(mark))) {
        return None;
    }
    urls.sort_by_key(|url| url.path().starts_with(PLAY));
    urls.dedup();
    let mut urls = urls.into_iter();
    let mut candidate = Candidate::file(urls.next()?);
    candidate.mirrors = urls.collect();
    let is_sound = rank == Rank::SoundOnly || candidate.url.path().contains(SOUND_ONLY);
    candidate.has_audio = if is_sound { HasAudio::Yes } else { HasAudio::Unknown };
    candidate.container = Some(if is_sound { "m4a" } else { "mp4" }.to_owned());
    candidate.size = size;
    candidate.bitrate = bitrate;
    candidate.watermark = rank == Rank::Watermarked;
    candidate.expires_at = std::iter::once(&candidate.url).chain(&candidate.mirrors).filter_map(expiry).min();
    Some((if is_sound { Rank::SoundOnly } else { rank }, candidate))
}

/// The addresses of a file; those that would write a watermark are exchanged for their siblings.
pub(super) fn urls(address: &Value) -> Vec<Url> {
    let plain = |url: Url| match url.path().contains("/playwm/") {
        true => Url::parse(&url.as_str().replacen("/playwm/", "/play/", 1)).unwrap_or(url),
        false => url,
    };
    every_address(address).into_iter().map(plain).collect()
}

fn every_address(address: &Value) -> Vec<Url> {
    let listed: Vec<Url> = loose::list(&address["url_list"]).iter().filter_map(usable).collect();
    if listed.is_empty() { usable(&address["uri"]).into_iter().collect() } else { listed }
}

/// An address that can be fetched.
fn usable(value: &Value) -> Option<Url> {
    let mut url = Url::parse(loose::text(value)?).ok().filter(is_fetchable)?;
    let host = url.host_str().unwrap_or_default();
    let is_secure = SECURE
        .iter()
        .any(|domain| host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')));
    if is_secure && url.scheme() == "http" && url.port().is_none() {
        // Between two special schemes this always works.
        let _ = url.set_scheme("https");
    }
    Some(url)
}

/// Every address below a value: where those of sound tracks stand differs.
fn every_url(value: &Value, found: &mut Vec<Url>) {
    match value {
        Value::String(_) => found.extend(usable(value)),
        Value::Array(list) => list.iter().for_each(|value| every_url(value, found)),
        Value::Object(fields) => fields.values().for_each(|value| every_url(value, found)),
        _ => {}
    }
}

fn size_of(address: &Value) -> Option<u64> {
    ["data_size", "size"].iter().find_map(|name| loose::number(&address[*name])).filter(|size| *size > 0)
}

fn rate_of(entry: &Value) -> Option<u64> {
    loose::number(&entry["bit_rate"]).filter(|rate| *rate > 0)
}

/// The address at which the platform plays a file that it names only by its id.
fn endpoint(uri: &Value) -> Option<Url> {
    let uri = loose::text(uri).filter(|uri| uri.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    Url::parse(&format!("https://www.douyin.com{PLAY}/?video_id={uri}&ratio=default&line=0")).ok()
}

/// When an address ends: its second path segment, in hexadecimal seconds.
fn expiry(url: &Url) -> Option<DateTime<Utc>> {
    let mut segments = url.path_segments()?;
    let (first, second) = (segments.next()?, segments.next()?);
    let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let seconds =
        i64::from_str_radix(Some(second).filter(|second| is_hex(first, 32) && is_hex(second, 8))?, 16).ok()?;
    DateTime::from_timestamp(seconds, 0)
}
