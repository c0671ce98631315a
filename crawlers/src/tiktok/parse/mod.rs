//! From what TikTok says about a post to media.
//!
//! The web and the app say the same under different names: `web` and `app` read the names, this module has the rules.

mod app;
mod tracks;
mod web;

use chrono::DateTime;
use serde_json::Value;
use url::Url;

use super::{NAME, SITE, miss::Miss, status, web::Access};
use crate::{ErrorClass, MediaKind, Resolved, Sound, Subtitle, loose};
use tracks::Track;

pub(super) use tracks::headers;
pub(super) use web::{is_available, is_pinned};

/// Titles and texts longer than this are cut.
const MAX_TITLE: usize = 300;
const MAX_TEXT: usize = 20_000;
/// How much the length of a sound may differ from that of the video that it belongs to.
const SAME_LENGTH_MS: u64 = 2_000;

/// What was told about a post, under whatever names.
#[derive(Debug, Default)]
struct Told {
    id: String,
    text: Option<String>,
    handle: Option<String>,
    sec_uid: Option<String>,
    created: Option<u64>,
    duration_ms: Option<u64>,
    cover: Option<Url>,
    images: usize,
    sound: Option<Sound>,
    tracks: Vec<Track>,
    subtitles: Vec<Subtitle>,
    is_gone: bool,
    is_private: bool,
    is_muted: bool,
    /// Only for visitors who are logged in and old enough.
    is_classified: bool,
}

/// The post in what the web API or the video page says: `itemInfo.itemStruct` beside a status.
pub(super) fn detail(body: &Value, id: &str, access: &Access) -> Result<Resolved, Miss> {
    let item = &body["itemInfo"]["itemStruct"];
    let is_there = loose::id(&item["id"]).as_deref() == Some(id);
    if let Some(miss) = status::judge(body, is_there) {
        return Err(miss);
    }
    item_struct(item, id, access)
}

/// A post as the web tells it.
pub(super) fn item_struct(item: &Value, id: &str, access: &Access) -> Result<Resolved, Miss> {
    check_id(&item["id"], id)?;
    resolved(web::told(item, access), access)
}

/// A post as the app tells it.
pub(super) fn aweme(aweme: &Value, id: &str, access: &Access) -> Result<Resolved, Miss> {
    check_id(&aweme["aweme_id"], id)?;
    resolved(app::told(aweme, access), access)
}

/// One post of a list: what is known of it without its media. `handle` is whose it is, should it not say.
pub(super) fn listed(item: &Value, handle: Option<&str>) -> Option<Resolved> {
    let id = loose::id(&item["id"])?;
    let mut told = web::told(item, &Access::default());
    told.handle = told.handle.or_else(|| handle.map(str::to_owned));
    Some(described(&told, &id))
}

fn check_id(told: &Value, asked: &str) -> Result<(), Miss> {
    match loose::id(told) {
        Some(id) if id == asked => Ok(()),
        Some(_) => Err(Miss::failed(ErrorClass::IdMismatch, "TikTok answered with another post.")),
        None => Err(Miss::failed(ErrorClass::Blocked, "TikTok answered without the post. Try again later.")),
    }
}

fn resolved(mut told: Told, access: &Access) -> Result<Resolved, Miss> {
    if told.is_gone {
        return Err(Miss::answer(ErrorClass::NotFound, "The post was taken down."));
    }
    let mut media = described(&told, &told.id);
    let sound_track = told.sound.as_ref().map(|sound| Track::sound(sound.url.clone()));
    if told.images > 0 {
        if told.sound.as_ref().is_some_and(|sound| sound.is_original) {
            media.candidates = tracks::candidates(sound_track.into_iter().collect(), access);
        } else {
            let why = "The post consists of pictures with background music: there is no speech to transcribe.";
            media.silent = Some(why.to_owned());
            media.warnings.push(why.to_owned());
        }
    } else {
        media.candidates = tracks::candidates(std::mem::take(&mut told.tracks), access);
        if media.candidates.is_empty() && told.is_classified {
            return Err(Miss::failed(
                ErrorClass::LoginRequired,
                "TikTok shows this post only to grown-ups who are logged in. Add the cookie of a browser that is.",
            ));
        }
        if media.candidates.is_empty() && told.is_private {
            return Err(Miss::answer(
                ErrorClass::Private,
                "The post is private: only its author or the author's friends may see it.",
            ));
        }
        if is_the_videos_own(&told) {
            media.candidates.extend(tracks::candidates(sound_track.into_iter().collect(), access));
        }
    }
    if told.is_muted {
        let why = "The post was muted: its video has no sound.";
        media.silent = Some(why.to_owned());
        media.warnings.push(why.to_owned());
    }
    if media.candidates.is_empty() && media.silent.is_none() {
        return Err(Miss::failed(
            ErrorClass::Blocked,
            "TikTok answered with the post, but without its media. Try again later.",
        ));
    }
    media.sound = told.sound;
    if told.images == 0 {
        media.subtitles = told.subtitles;
    }
    Ok(media)
}

/// Whether the sound that a video uses is what was said in it, rather than a song.
fn is_the_videos_own(told: &Told) -> bool {
    let lengths = told.sound.as_ref().and_then(|sound| sound.duration_ms).zip(told.duration_ms);
    told.sound.as_ref().is_some_and(|sound| sound.is_original)
        && lengths.is_some_and(|(sound, video)| sound.abs_diff(video) <= SAME_LENGTH_MS)
}

/// The post without its media.
fn described(told: &Told, id: &str) -> Resolved {
    let (kind, word) = if told.images > 0 { (MediaKind::Images, "photo") } else { (MediaKind::Video, "video") };
    let mut page_url = Url::parse(SITE).expect("a constant URL");
    page_url.set_path(&format!("/@{}/{word}/{id}", told.handle.as_deref().unwrap_or("_")));
    let mut media = Resolved::new(NAME, id, kind, page_url);
    if let Some(line) = told.text.as_deref().and_then(|text| text.lines().map(str::trim).find(|line| !line.is_empty()))
    {
        media.title = line.chars().take(MAX_TITLE).collect();
    }
    media.description = told.text.as_deref().map(|text| text.chars().take(MAX_TEXT).collect());
    media.author = told.handle.clone();
    media.author_id = told.sec_uid.clone();
    media.published_at = told.created.and_then(|at| DateTime::from_timestamp(i64::try_from(at).ok()?, 0));
    media.duration_ms = told.duration_ms.filter(|duration| *duration > 0);
    media.cover_url = told.cover.clone();
    media.image_count = told.images;
    media.may_be_silent = true;
    media
}

/// A URL of media or of something like it. Platforms still write `http:` for hosts that all serve `https:`.
pub(super) fn link(value: &Value) -> Option<Url> {
    let mut url = Url::parse(loose::text(value)?).ok().filter(crate::link::is_fetchable)?;
    let host = url.host_str().unwrap_or_default();
    let is_theirs =
        [".tiktok.com", ".tiktokv.com"].iter().any(|domain| host.ends_with(domain)) || host.contains(".tiktokcdn");
    if url.scheme() == "http" && url.port().is_none() && is_theirs {
        // Between two special schemes this always works.
        let _ = url.set_scheme("https");
    }
    Some(url)
}

/// The first of several.
pub(super) fn first_link(values: &Value) -> Option<Url> {
    loose::list(values).iter().find_map(link)
}
