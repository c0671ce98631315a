//! A post as TikTok's app tells it (`aweme`).

use serde_json::Value;
use url::Url;

use super::{Told, Track, first_link, link};
use crate::{
    Sound, loose,
    tiktok::{captions, web::Access},
};

/// Reads a post.
pub(super) fn told(aweme: &Value, access: &Access) -> Told {
    let (video, author, status) = (&aweme["video"], &aweme["author"], &aweme["status"]);
    let sound = sound(&aweme["music"]);
    let images = loose::list(&aweme["image_post_info"]["images"]).len();
    let own_length = loose::number(&video["duration"]).filter(|length| *length > 0);
    Told {
        id: loose::id(&aweme["aweme_id"]).unwrap_or_default(),
        text: loose::text(&aweme["desc"]).map(str::to_owned),
        handle: loose::text(&author["unique_id"]).map(str::to_owned),
        sec_uid: loose::text(&author["sec_uid"]).map(str::to_owned),
        created: loose::number(&aweme["create_time"]),
        duration_ms: own_length.filter(|_| images == 0).or_else(|| sound.as_ref().filter(|_| images > 0)?.duration_ms),
        cover: ["cover", "origin_cover", "dynamic_cover"].iter().find_map(|key| first_link(&video[*key]["url_list"])),
        images,
        tracks: tracks(video),
        subtitles: captions::app(aweme, access),
        sound,
        is_gone: loose::is_on(&status["is_delete"]),
        is_private: loose::is_on(&status["private_status"]),
        is_muted: loose::is_on(&aweme["item_mute"]) || loose::is_on(&aweme["is_muted"]),
        is_classified: loose::is_on(&aweme["is_content_classified"]),
    }
}

fn sound(music: &Value) -> Option<Sound> {
    let play = &music["play_url"];
    Some(Sound {
        url: first_link(&play["url_list"]).or_else(|| link(&play["uri"]))?,
        title: loose::text(&music["title"]).map(str::to_owned),
        is_original: loose::is_on(&music["is_original_sound"]),
        duration_ms: loose::number(&music["duration"])
            .filter(|length| *length > 0)
            .and_then(|length| length.checked_mul(1_000)),
    })
}

fn tracks(video: &Value) -> Vec<Track> {
    let streams = loose::list(&video["bit_rate"]).iter().map(|info| Track {
        size: loose::number(&info["play_addr"]["data_size"]),
        bitrate: loose::number(&info["bit_rate"]),
        codec: [&info["format"], &info["play_addr"]["url_key"]]
            .map(|key| loose::text(key).unwrap_or_default())
            .join(" "),
        ..Track::stream(urls(&info["play_addr"]))
    });
    let addressed = |key: &str, track: fn(Vec<Url>) -> Track| Track {
        size: loose::number(&video[key]["data_size"]),
        codec: loose::text(&video[key]["url_key"]).unwrap_or_default().to_owned(),
        ..track(urls(&video[key]))
    };
    streams
        .chain([
            addressed("play_addr_h264", Track::stream),
            addressed("play_addr_bytevc1", Track::stream),
            addressed("play_addr", Track::main),
            addressed("download_addr", Track::watermarked),
        ])
        .collect()
}

fn urls(address: &Value) -> Vec<Url> {
    loose::list(&address["url_list"]).iter().filter_map(link).collect()
}
