//! A post as TikTok's web site tells it (`itemStruct`).

use serde_json::Value;

use super::{Told, Track, link};
use crate::{
    Sound, loose,
    tiktok::{captions, web::Access},
};

/// Reads a post.
pub(super) fn told(item: &Value, access: &Access) -> Told {
    let video = &item["video"];
    let sound = sound(&item["music"]);
    let images = loose::list(&item["imagePost"]["images"]).len();
    let own_length = milliseconds(&video["duration"]).filter(|length| *length > 0);
    let (handle, sec_uid) = author(item);
    Told {
        id: loose::id(&item["id"]).unwrap_or_default(),
        text: text(item).map(str::to_owned),
        handle,
        sec_uid,
        created: loose::number(&item["createTime"]),
        duration_ms: own_length.or_else(|| sound.as_ref().filter(|_| images > 0)?.duration_ms),
        cover: ["cover", "originCover", "dynamicCover"].iter().find_map(|key| link(&video[*key])),
        images,
        tracks: tracks(video),
        subtitles: captions::web(video, access),
        sound,
        is_gone: loose::is_on(&item["takeDown"]),
        is_private: is_private(item),
        is_muted: loose::is_on(&item["itemMute"]),
        is_classified: loose::is_on(&item["isContentClassified"]),
    }
}

/// Whether a post of a list is still there for everybody.
pub(in crate::tiktok) fn is_available(item: &Value) -> bool {
    !loose::is_on(&item["takeDown"]) && !is_private(item)
}

/// Whether a post stands at the top of its list whatever its age.
pub(in crate::tiktok) fn is_pinned(item: &Value) -> bool {
    ["isPinnedItem", "isPinned", "isTop"].iter().any(|key| loose::is_on(&item[*key]))
}

fn is_private(item: &Value) -> bool {
    ["privateItem", "secret", "forFriend"].iter().any(|key| loose::is_on(&item[*key]))
}

fn text(item: &Value) -> Option<&str> {
    let parts = loose::list(&item["contents"]).iter().map(|part| &part["desc"]);
    std::iter::once(&item["desc"]).chain(parts).chain([&item["imagePost"]["title"]]).find_map(loose::text)
}

/// The author is an object on newer pages, and a name with fields beside it on older ones.
fn author(item: &Value) -> (Option<String>, Option<String>) {
    let author = &item["author"];
    let handle = loose::text(author).or_else(|| loose::text(&author["uniqueId"]));
    let sec_uid = loose::text(&author["secUid"]).or_else(|| loose::text(&item["authorSecId"]));
    (handle.map(str::to_owned), sec_uid.map(str::to_owned))
}

fn sound(music: &Value) -> Option<Sound> {
    Some(Sound {
        url: link(&music["playUrl"])?,
        title: loose::text(&music["title"]).map(str::to_owned),
        is_original: loose::is_on(&music["original"]),
        duration_ms: milliseconds(&music["duration"]).filter(|length| *length > 0),
    })
}

/// Lengths are told in seconds, at times with a fraction.
fn milliseconds(seconds: &Value) -> Option<u64> {
    let seconds = seconds.as_f64().or_else(|| loose::text(seconds)?.parse().ok())?;
    // `as` saturates, and takes what is not a number for 0.
    Some((seconds.max(0.0) * 1_000.0).round() as u64)
}

fn tracks(video: &Value) -> Vec<Track> {
    let mut tracks: Vec<_> = loose::list(&video["bitrateInfo"])
        .iter()
        .map(|info| Track {
            size: loose::number(&info["PlayAddr"]["DataSize"]),
            bitrate: loose::number(&info["Bitrate"]),
            codec: ["CodecType", "Format"].map(|key| loose::text(&info[key]).unwrap_or_default()).join(" "),
            ..Track::stream(urls(&info["PlayAddr"]["UrlList"]))
        })
        .collect();
    let own = |urls| Track {
        size: loose::number(&video["size"]),
        bitrate: loose::number(&video["bitrate"]),
        codec: loose::text(&video["codecType"]).unwrap_or_default().to_owned(),
        ..Track::main(urls)
    };
    tracks.push(own(urls(&video["playAddr"])));
    tracks.push(own(urls(&video["PlayAddrStruct"]["UrlList"])));
    tracks.push(Track::watermarked(urls(&video["downloadAddr"])));
    tracks
}

/// One URL, or a list of URLs, or of objects that hold one.
fn urls(value: &Value) -> Vec<url::Url> {
    let listed = loose::list(value).iter().filter_map(|one| link(one).or_else(|| link(&one["src"])));
    link(value).into_iter().chain(listed).collect()
}
