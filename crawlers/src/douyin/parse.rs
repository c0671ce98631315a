//! A post as every interface of Douyin's gives it → what it is for us.

use chrono::DateTime;
use serde_json::Value;
use url::Url;

use super::{NAME, REFERER, failures, links, streams};
use crate::{Candidate, CrawlError, ErrorClass, HasAudio, Item, MediaKind, Outcome, Resolved, Sound, loose};

/// Longer titles are cut, in characters.
const MAX_TITLE: usize = 300;
/// A sound that is the video's own is as long as the video, up to this difference in milliseconds.
const SAME_LENGTH_MS: u64 = 2_000;

/// What a post is. `user_agent` is who asked, because the files are for the same visitor.
pub(super) fn resolved(post: &Value, user_agent: &str) -> Outcome {
    let Some(id) = loose::id(&post["aweme_id"]) else {
        return Outcome::Failed(failures::blocked("Douyin answered with a post without an id."));
    };
    if loose::is_on(&post["status"]["is_delete"]) {
        return Outcome::Answer(failures::not_found());
    }
    let images = loose::list(&post["images"]).len();
    let Some(page_url) = links::page(&id, images > 0) else {
        return Outcome::Failed(failures::blocked("Douyin answered with an id that is none."));
    };
    let mut found = Resolved::new(NAME, &id, MediaKind::Video, page_url);
    describe(&mut found, post);
    found.image_count = images;
    found.may_be_silent = true;
    found.sound = sound(&post["music"]);
    if images > 0 {
        found.kind = MediaKind::Images;
        found.duration_ms = None;
        hear_sound(&mut found, "pictures with background music");
    } else if let Err(why) = find_files(&mut found, post) {
        return why;
    }
    for candidate in &mut found.candidates {
        candidate.headers =
            vec![("Referer".to_owned(), REFERER.to_owned()), ("User-Agent".to_owned(), user_agent.to_owned())];
    }
    Outcome::Found(Box::new(found))
}

/// The files of a post that is no pictures, or why there are none.
fn find_files(found: &mut Resolved, post: &Value) -> Result<(), Outcome> {
    let is_sound = |one: &Candidate| {
        found.sound.as_ref().is_some_and(|sound| sound.url == one.url) || one.url.path().ends_with(".mp3")
    };
    let (sounds, files): (Vec<_>, Vec<_>) =
        streams::of(&post["video"], found.duration_ms).into_iter().partition(is_sound);
    let is_withheld = files.is_empty() && (is_hidden(&post["status"]) || has_streams(post) && sounds.is_empty());
    found.candidates = files;
    match &found.sound {
        _ if is_withheld => return Err(unplayable(post)),
        Some(sound) if found.candidates.is_empty() && (sound.is_original || !sounds.is_empty()) => {
            found.kind = MediaKind::Audio;
            hear_sound(found, "a song");
        }
        Some(sound) if !found.candidates.is_empty() && is_own(sound, found.duration_ms) => {
            let own = sound_file(sound);
            let watermarked = found.candidates.iter().position(|one| one.watermark);
            found.candidates.insert(watermarked.unwrap_or(found.candidates.len()), own);
        }
        _ if !found.candidates.is_empty() => {}
        _ => return Err(unplayable(post)),
    }
    if is_muted(post) {
        found.warnings.push("The platform has muted this post.".to_owned());
    }
    Ok(())
}

/// A post in a list; none when it has no id.
pub(super) fn item(post: &Value) -> Option<Item> {
    let id = loose::id(&post["aweme_id"])?;
    let link = links::page(&id, !loose::list(&post["images"]).is_empty())?;
    let status = &post["status"];
    Some(Item {
        platform: NAME.to_owned(),
        link: link.into(),
        title: title(post).unwrap_or_else(|| format!("{NAME} {id}")),
        id,
        published_at: published_at(post),
        duration_ms: duration_ms(post),
        pinned: loose::is_on(&post["is_top"]),
        available: !is_hidden(status) && !loose::is_on(&status["is_delete"]),
    })
}

fn describe(found: &mut Resolved, post: &Value) {
    if let Some(title) = title(post) {
        found.title = title;
    }
    let (author, video) = (&post["author"], &post["video"]);
    found.description = loose::text(&post["desc"]).map(str::to_owned);
    found.author = loose::text(&author["nickname"]).map(str::to_owned);
    found.author_id = loose::text(&author["sec_uid"]).map(str::to_owned);
    found.published_at = published_at(post);
    found.duration_ms = duration_ms(post);
    let covers = ["cover", "origin_cover", "dynamic_cover"].map(|name| &video[name]);
    found.cover_url =
        covers.into_iter().chain([&post["images"][0]]).find_map(|cover| streams::urls(cover).into_iter().next());
}

/// The first line of what the author wrote.
fn title(post: &Value) -> Option<String> {
    let text = ["desc", "preview_title", "item_title"].iter().find_map(|name| loose::text(&post[*name]))?;
    Some(text.lines().next()?.trim().chars().filter(|c| !c.is_control()).take(MAX_TITLE).collect())
        .filter(|title: &String| !title.is_empty())
}

fn published_at(post: &Value) -> Option<DateTime<chrono::Utc>> {
    let seconds = loose::number(&post["create_time"]).filter(|seconds| *seconds > 0)?;
    DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0)
}

fn duration_ms(post: &Value) -> Option<u64> {
    [&post["video"]["duration"], &post["duration"]].into_iter().filter_map(loose::number).find(|ms| *ms > 0)
}

fn sound(music: &Value) -> Option<Sound> {
    Some(Sound {
        url: streams::urls(&music["play_url"]).into_iter().next()?,
        title: loose::text(&music["title"]).map(str::to_owned),
        is_original: loose::is_on(&music["is_original_sound"]),
        duration_ms: loose::number(&music["duration"]).filter(|s| *s > 0).and_then(|s| s.checked_mul(1000)),
    })
}

/// Whether a sound is what was recorded with this video: a song is not, and may be anything.
fn is_own(sound: &Sound, duration_ms: Option<u64>) -> bool {
    let same = |sound: u64, video: u64| sound.abs_diff(video) <= SAME_LENGTH_MS;
    sound.is_original && sound.duration_ms.zip(duration_ms).is_some_and(|(sound, video)| same(sound, video))
}

fn sound_file(sound: &Sound) -> Candidate {
    let mut candidate = Candidate::file(sound.url.clone());
    candidate.has_audio = HasAudio::Yes;
    candidate.container = extension(&sound.url);
    candidate
}

fn extension(url: &Url) -> Option<String> {
    let extension = url.path().rsplit_once('.')?.1;
    ["mp3", "m4a", "aac"].contains(&extension).then(|| extension.to_owned())
}

/// The sound of a post that has nothing else to hear: worth it when its author recorded it, and somebody's song otherwise.
fn hear_sound(found: &mut Resolved, what: &str) {
    match &found.sound {
        Some(sound) if sound.is_original => {
            found.duration_ms = sound.duration_ms;
            found.candidates = vec![sound_file(sound)];
        }
        Some(_) => found.silent = Some(format!("The post is {what}: nobody speaks in it.")),
        None => found.silent = Some("The post is pictures without any sound.".to_owned()),
    }
}

fn is_muted(post: &Value) -> bool {
    loose::is_on(&post["status"]["video_mute"]["is_mute"]) || loose::is_on(&post["item_mute"])
}

/// Whether there are files, though none that has sound.
fn has_streams(post: &Value) -> bool {
    let of_a_variant = |entry: &Value| !streams::urls(&entry["play_addr"]).is_empty();
    loose::list(&post["video"]["bit_rate"]).iter().any(of_a_variant)
}

/// Whether a status hides the post from most people.
fn is_hidden(status: &Value) -> bool {
    loose::is_on(&status["is_prohibited"]) || is_private(status)
}

fn is_private(status: &Value) -> bool {
    ["is_private", "private_status", "part_see"].iter().any(|name| loose::is_on(&status[*name]))
}

/// Why a post cannot be played: what its status says, else it was held back.
fn unplayable(post: &Value) -> Outcome {
    let status = &post["status"];
    if is_private(status) {
        return Outcome::Answer(failures::private());
    }
    if loose::is_on(&status["is_prohibited"]) {
        return Outcome::Answer(CrawlError::new(ErrorClass::Unavailable, "Douyin has taken the post down."));
    }
    Outcome::Failed(failures::blocked("Douyin described the post without any file that has sound."))
}
