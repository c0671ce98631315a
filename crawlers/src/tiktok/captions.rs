//! Captions that TikTok offers with a post.

use chrono::{DateTime, Utc};
use serde_json::Value;
use url::Url;

use super::{parse, web::Access};
use crate::{Subtitle, SubtitleSource, loose};

/// More captions of one post are not kept.
const MAX_TRACKS: usize = 100;

/// Those that the web tells of: in two places, mostly the same ones.
pub(super) fn web(video: &Value, access: &Access) -> Vec<Subtitle> {
    let infos = loose::list(&video["subtitleInfos"]).iter().filter_map(|info| {
        Some(Subtitle {
            language: language(info, &["LanguageCodeName"]),
            format: loose::text(&info["Format"]).map(str::to_owned),
            source: named_source(&info["Source"]),
            expires_at: seconds(&info["UrlExpire"]),
            ..at(parse::link(&info["Url"])?, access)
        })
    });
    let names = ["languageCode", "languageCodeFormat", "language"];
    let original = language(&video["claInfo"]["originalLanguageInfo"], &names);
    let captions = loose::list(&video["claInfo"]["captionInfos"]).iter().filter_map(|info| {
        let named = language(info, &names);
        let url = parse::link(&info["url"]).or_else(|| parse::first_link(&info["urlList"]))?;
        Some(Subtitle {
            format: loose::text(&info["captionFormat"]).map(str::to_owned),
            source: flagged_source(&info["isAutoGen"], &info["isOriginalCaption"], is_other(&named, &original)),
            language: named,
            expires_at: seconds(&info["expire"]),
            ..at(url, access)
        })
    });
    each_once(infos.chain(captions))
}

/// Those that the app tells of.
pub(super) fn app(aweme: &Value, access: &Access) -> Vec<Subtitle> {
    let names = ["lang", "language_code"];
    let original = language(&aweme["video"]["cla_info"]["original_language_info"], &names);
    let infos = loose::list(&aweme["video"]["cla_info"]["caption_infos"]).iter().filter_map(|info| {
        let named = language(info, &names);
        let url = parse::link(&info["url"]).or_else(|| parse::first_link(&info["url_list"]))?;
        Some(Subtitle {
            format: ["Format", "caption_format"].iter().find_map(|key| loose::text(&info[*key])).map(str::to_owned),
            source: flagged_source(
                &info["is_auto_generated"],
                &info["is_original_caption"],
                is_other(&named, &original),
            ),
            language: named,
            expires_at: seconds(&info["expire"]),
            ..at(url, access)
        })
    });
    let stickers = loose::list(&aweme["interaction_stickers"]).iter();
    let stuck = stickers.flat_map(|sticker| loose::list(&sticker["auto_video_caption_info"]["auto_captions"]));
    let stuck = stuck.filter_map(|info| {
        Some(Subtitle {
            language: language(info, &["language"]),
            source: SubtitleSource::Asr,
            ..at(parse::first_link(&info["url"]["url_list"])?, access)
        })
    });
    each_once(infos.chain(stuck))
}

fn at(url: Url, access: &Access) -> Subtitle {
    Subtitle { headers: parse::headers(&url, access), ..Subtitle::at(url) }
}

fn each_once(subtitles: impl Iterator<Item = Subtitle>) -> Vec<Subtitle> {
    let mut all: Vec<Subtitle> = Vec::new();
    for subtitle in subtitles.take(MAX_TRACKS) {
        if !all.iter().any(|one| one.url == subtitle.url) {
            all.push(subtitle);
        }
    }
    all
}

fn language(info: &Value, keys: &[&str]) -> Option<String> {
    keys.iter().find_map(|key| loose::text(&info[*key])).map(str::to_owned)
}

fn named_source(source: &Value) -> SubtitleSource {
    match loose::text(source).unwrap_or_default() {
        "ASR" => SubtitleSource::Asr,
        "MT" => SubtitleSource::MachineTranslation,
        "LC" => SubtitleSource::Human,
        _ => SubtitleSource::Unknown,
    }
}

/// Whether captions are known to be in another language than was spoken.
fn is_other(named: &Option<String>, original: &Option<String>) -> bool {
    named.as_ref().zip(original.as_ref()).is_some_and(|(named, original)| named != original)
}

/// A machine that did not write the original was translating it. Where no flag says so, the languages tell.
fn flagged_source(is_automatic: &Value, is_original: &Value, is_other: bool) -> SubtitleSource {
    let is_automatic = loose::is_on(is_automatic);
    let is_original = if is_original.is_null() { is_automatic && !is_other } else { loose::is_on(is_original) };
    match (is_automatic, is_original) {
        (true, true) => SubtitleSource::Asr,
        (true, false) => SubtitleSource::MachineTranslation,
        (false, true) => SubtitleSource::Human,
        (false, false) => SubtitleSource::Unknown,
    }
}

fn seconds(value: &Value) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp(i64::try_from(loose::number(value)?).ok().filter(|at| *at > 0)?, 0)
}
