//! `yt-dlp -J` to media. Pure.

use std::{cmp::Reverse, collections::HashSet};

use serde_json::Value;
use url::Url;

use super::{captions, info::Info};
use crate::{Candidate, CrawlError, Delivery, ErrorClass, HasAudio, MediaKind, Resolved, generic::kinds};

/// The platform of what only yt-dlp knows.
const WEB: &str = "web";
/// Speech stays clear from here on, in kbit/s.
const ENOUGH: f64 = 48.0;
/// More candidates of one item are not worth trying.
const MAX_CANDIDATES: usize = 6;
/// Headers that are the transport's business.
const NOT_OURS: [&str; 8] =
    ["host", "connection", "content-length", "transfer-encoding", "accept-encoding", "range", "cookie", "upgrade"];

/// The item behind `link`; `post` is the platform and its id of what was asked for, where a platform asks.
pub(super) fn resolved(json: &[u8], link: &Url, post: Option<(&str, &str)>) -> Result<Resolved, CrawlError> {
    let whole: Value = serde_json::from_slice(json).map_err(|_| unreadable())?;
    let top = Info(&whole);
    let several = top.is_list();
    let item = if several { top.list("entries").find(|entry| !entry.is_list()) } else { Some(top) };
    let item = item.filter(|item| item.0.is_object()).ok_or_else(nothing)?;
    if let Some((_, wanted)) = post
        && item.text("id").is_none_or(|id| id != wanted)
    {
        return Err(CrawlError::new(ErrorClass::IdMismatch, "yt-dlp answered with another post."));
    }
    if item.is_live() {
        return Err(CrawlError::new(
            ErrorClass::LiveNotSupported,
            "This is a live stream that is still running or has not begun. Paste the link of the recording when it has ended.",
        ));
    }
    let (candidates, audio_only) = candidates(item)?;
    let page_url = ["webpage_url", "original_url"].into_iter().find_map(|key| item.url(key));
    let page_url = page_url.unwrap_or_else(|| link.clone());
    let (platform, id) = post.map_or_else(|| (WEB, item.web_id(&page_url)), |(name, id)| (name, id.to_owned()));
    let kind = if audio_only { MediaKind::Audio } else { MediaKind::Video };
    let mut resolved = Resolved {
        description: item.text("description"),
        author: item.author(),
        author_id: ["channel_id", "uploader_id"].into_iter().find_map(|key| item.text(key)),
        published_at: item.published_at(),
        duration_ms: item.duration_ms(),
        cover_url: item.url("thumbnail"),
        candidates,
        may_be_silent: post.is_some(),
        subtitles: captions::of(item),
        strategy: super::NAME.to_owned(),
        ..Resolved::new(platform, &id, kind, page_url)
    };
    if let Some(title) = item.title() {
        resolved.title = title;
    }
    if several {
        resolved.warnings.push("The link is a list; its first item was taken.".to_owned());
    }
    Ok(resolved)
}

/// One form of an item's media that could be downloaded.
struct Format {
    candidate: Candidate,
    /// No picture: nothing but what is wanted.
    sound_only: bool,
    /// kbit/s of the sound.
    abr: Option<f64>,
    /// How much the site would like this language to be heard; the original's is the highest.
    language: Option<i64>,
}

/// What to try, the best for speech first; and whether nothing of it has a picture.
fn candidates(item: Info<'_>) -> Result<(Vec<Candidate>, bool), CrawlError> {
    let mut protected = false;
    let mut formats: Vec<Format> = Vec::new();
    let mut seen = HashSet::new();
    for form in item.list("formats").chain(Some(item).filter(|item| item.list("formats").next().is_none())) {
        if form.is("has_drm") {
            protected = true;
            continue;
        }
        formats.extend(format(form).filter(|one| seen.insert(one.candidate.url.clone())));
    }
    if formats.is_empty() {
        return Err(if protected {
            CrawlError::new(ErrorClass::Unavailable, "The media is protected by DRM and cannot be downloaded.")
        } else {
            nothing()
        });
    }
    // A dubbed track has the right length and the wrong words.
    let original = formats.iter().filter_map(|format| format.language).max();
    formats.retain(|format| format.language.is_none() || format.language == original);
    let ms = item.duration_ms();
    formats.sort_by_key(|format| rank(format, ms));
    let audio_only = formats.iter().all(|format| format.sound_only);
    Ok((formats.into_iter().map(|format| format.candidate).take(MAX_CANDIDATES).collect(), audio_only))
}

/// Sound alone before pictures; of sound the smallest that is clear, then the best of the rest; of pictures the smallest.
/// `ms` is how long the item is.
fn rank(format: &Format, ms: Option<u64>) -> (bool, bool, u64, Reverse<u64>) {
    let whole = |number: f64| number.round() as u64;
    if !format.sound_only {
        let Candidate { size, bitrate, .. } = format.candidate;
        let bytes = size.or_else(|| Some(bitrate?.saturating_mul(ms?) / 8_000));
        // Where nobody knows how long it is, rates compare among themselves.
        return (true, false, bytes.unwrap_or(u64::MAX), Reverse(u64::MAX - bitrate.unwrap_or(u64::MAX)));
    }
    match format.abr {
        Some(abr) if abr.round() >= ENOUGH => (false, false, whole(abr), Reverse(0)),
        Some(abr) => (false, true, 0, Reverse(whole(abr))),
        None => (false, true, 0, Reverse(0)),
    }
}

fn format(form: Info<'_>) -> Option<Format> {
    let codec = |key| form.text(key);
    let (picture, sound) = (codec("vcodec"), codec("acodec"));
    let none = |codec: &Option<String>| codec.as_deref() == Some("none");
    if none(&sound) {
        return None;
    }
    let dash = form.text("protocol").as_deref() == Some("http_dash_segments");
    // Of DASH yt-dlp names the pieces; the manifest that they come from says the same for longer.
    let url = form.url(if dash { "manifest_url" } else { "url" })?;
    let delivery = match form.text("protocol").as_deref() {
        None | Some("http" | "https") if kinds::is_playlist(&url) => Delivery::Hls,
        None | Some("http" | "https") => Delivery::File,
        Some("m3u8" | "m3u8_native") => Delivery::Hls,
        Some("http_dash_segments") => Delivery::Dash,
        Some(_) => return None,
    };
    let sound_only = none(&picture);
    let rate = |key| form.number(key).filter(|rate| *rate > 0.0);
    let size = ["filesize", "filesize_approx"].into_iter().find_map(rate);
    let total = rate("tbr").or_else(|| rate("abr"));
    let candidate = Candidate {
        delivery,
        container: form.text("ext").filter(|ext| ext.chars().all(|c| c.is_ascii_alphanumeric())),
        has_audio: if sound.is_some() || sound_only { HasAudio::Yes } else { HasAudio::Unknown },
        size: size.map(|bytes| bytes as u64),
        bitrate: total.map(|kbits| (kbits * 1000.0) as u64),
        headers: headers(form, &url),
        ..Candidate::file(url)
    };
    let language = form.text("language").and(form.integer("language_preference"));
    Some(Format { candidate, sound_only, abr: rate("abr").or_else(|| rate("tbr").filter(|_| sound_only)), language })
}

/// What yt-dlp would send with a request for `url`, its cookies for that host included.
pub(super) fn headers(form: Info<'_>, url: &Url) -> Vec<(String, String)> {
    let said = form.pairs("http_headers").filter_map(|(name, value)| Some((name, value.as_str()?)));
    let kept = said.filter(|(name, value)| {
        let token = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        token && !value.chars().any(char::is_control) && !NOT_OURS.contains(&name.to_ascii_lowercase().as_str())
    });
    let cookies = form.text("cookies").map(|jar| cookies(&jar, url)).filter(|cookies| !cookies.is_empty());
    kept.map(|(name, value)| (name.to_owned(), value.to_owned()))
        .chain(cookies.map(|cookies| ("Cookie".to_owned(), cookies)))
        .collect()
}

/// The cookies of a jar written as `Set-Cookie` headers in a row which belong to the host of `url`.
fn cookies(jar: &str, url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    // Name and value, and whether the host may have it: only with a domain that says so.
    let mut found: Vec<(&str, bool)> = Vec::new();
    for part in jar.split(';').map(str::trim) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name.to_ascii_lowercase().as_str() {
            "domain" => {
                let domain = value.trim_start_matches('.');
                let below = host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
                if let Some(last) = found.last_mut() {
                    last.1 = below && !domain.is_empty();
                }
            }
            "path" | "secure" | "expires" | "version" | "max-age" | "httponly" | "samesite" | "" => {}
            _ if part.contains('=') && !part.chars().any(char::is_control) => found.push((part, false)),
            _ => {}
        }
    }
    found.iter().filter(|(_, ours)| *ours).map(|(pair, _)| *pair).collect::<Vec<_>>().join("; ")
}

pub(super) fn unreadable() -> CrawlError {
    CrawlError::new(ErrorClass::SiteError, "yt-dlp gave an answer that cannot be read. A newer version may help.")
}

fn nothing() -> CrawlError {
    CrawlError::new(ErrorClass::NoMediaFound, "yt-dlp found nothing at this link that has sound and can be downloaded.")
}
