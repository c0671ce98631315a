//! Captions that yt-dlp knows of.

use serde_json::Value;
use url::Url;

use super::{formats::headers, info::Info};
use crate::{Subtitle, SubtitleSource};

/// More tracks than this are not kept.
const MAX_TRACKS: usize = 50;
/// Formats of the same track, the best to read first.
const FORMATS: [&str; 6] = ["vtt", "srt", "ttml", "srv3", "json3", "json"];
/// The end of a language's name where a site has both what was heard and its translations.
const ORIGINAL: &str = "-orig";

/// What people wrote, then what a machine heard. What a machine translated is nobody's words, and left out.
pub(super) fn of(item: Info<'_>) -> Vec<Subtitle> {
    // Comments that came with a stream stand among the captions.
    let human = item.pairs("subtitles").filter(|(language, _)| *language != "live_chat");
    // There yt-dlp does not tell what people wrote from what machines heard or translated.
    let is_mixed = item.text("extractor_key").is_some_and(|site| site.starts_with("TikTok"));
    let written = if is_mixed { SubtitleSource::Unknown } else { SubtitleSource::Human };
    let human = human.filter_map(move |(language, track)| subtitle(language, track, written));
    let marked = item.pairs("automatic_captions").any(|(language, _)| language.ends_with(ORIGINAL));
    let heard = item.pairs("automatic_captions").filter(|(language, _)| !marked || language.ends_with(ORIGINAL));
    let heard = heard
        .filter_map(|(language, track)| subtitle(language, track, SubtitleSource::Asr))
        .filter(|track| !is_translated(&track.url));
    human.chain(heard).take(MAX_TRACKS).collect()
}

fn is_translated(url: &Url) -> bool {
    url.query_pairs().any(|(name, value)| name == "tlang" && !value.is_empty())
}

/// The best form of a track.
fn subtitle(language: &str, track: &Value, source: SubtitleSource) -> Option<Subtitle> {
    let forms = track.as_array()?.iter().map(Info);
    let rank = |form: &Info<'_>| {
        let ext = form.text("ext").unwrap_or_default();
        FORMATS.iter().position(|known| *known == ext).unwrap_or(FORMATS.len())
    };
    let form = forms.filter(|form| form.url("url").is_some()).min_by_key(rank)?;
    let url = form.url("url")?;
    let hls = form.text("protocol").is_some_and(|protocol| protocol.starts_with("m3u8"));
    Some(Subtitle {
        language: Some(language.to_owned()).filter(|language| language != "und"),
        format: if hls { Some("hls".to_owned()) } else { form.text("ext") },
        source,
        headers: headers(form, &url),
        ..Subtitle::at(url)
    })
}
