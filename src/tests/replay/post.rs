//! A resolved post beside what the manifest says of it.

use crawlers::{Candidate, MediaKind, Resolved, SubtitleSource};
use serde_json::Value;

use super::{
    judge::{is_deaf, text},
    manifest::Capture,
};

/// Words for what media are; a capture may also tell what its file is (`hls`).
const KINDS: [&str; 4] = ["video", "audio", "images", "live"];

/// Everything that is not as the manifest says.
pub fn shortfalls(expect: &Value, post: &Resolved, capture: &Capture) -> Vec<String> {
    let mut found = Vec::new();
    let mut check = |what: &str, given: Option<String>, wanted: Option<String>| {
        if wanted.is_some() && given != wanted {
            found.push(format!("{what} is {given:?}, expected {wanted:?}"));
        }
    };
    let wanted = |name: &str| match &expect[name] {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    check("platform", Some(post.platform.clone()), wanted("platform"));
    check("id", Some(post.id.clone()), wanted("id"));
    check("kind", Some(kind(post.kind)), wanted("kind").filter(|word| KINDS.contains(&word.as_str())));
    check("author", post.author.clone(), wanted("author"));
    check("author_id", post.author_id.clone(), wanted("author_id"));
    check("title", Some(post.title.clone()), wanted("title"));
    check("desc", post.description.clone().or(Some(post.title.clone())), wanted("desc"));
    check("duration_ms", post.duration_ms.map(|ms| ms.to_string()), wanted("duration_ms"));
    let seconds = wanted("duration_s").and_then(|seconds| seconds.parse::<f64>().ok());
    check("duration_s", post.duration_ms.map(|ms| ms.to_string()), seconds.map(|s| format!("{:.0}", s * 1_000.0)));
    check("create_time", post.published_at.map(|at| at.timestamp().to_string()), wanted("create_time"));
    check("image_count", Some(post.image_count.to_string()), wanted("image_count"));
    let sound = post.sound.as_ref();
    check("audio_url", sound.map(|sound| sound.url.to_string()), wanted("audio_url"));
    let original = sound.map(|sound| sound.is_original.to_string());
    check("music_is_original_sound", original, wanted("music_is_original_sound"));
    if post.kind == MediaKind::Images && expect["music_is_original_sound"] == false && post.silent.is_none() {
        found.push("pictures with a song should be silent".to_owned());
    }
    found.extend(media(expect, post, capture));
    found.extend(subtitles(expect, post));
    found
}

fn kind(kind: MediaKind) -> String {
    serde_json::to_value(kind).ok().and_then(|word| word.as_str().map(str::to_owned)).unwrap_or_default()
}

/// The first candidate is the one that would be downloaded.
fn media(expect: &Value, post: &Resolved, capture: &Capture) -> Vec<String> {
    let mut found = Vec::new();
    let strings = |name: &str| -> Vec<String> {
        expect[name].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    let first = post.candidates.first();
    let url = first.map(|candidate| candidate.url.to_string()).unwrap_or_default();
    let any = strings("media_url_contains_any");
    if !any.is_empty() && !any.iter().any(|part| url.contains(part)) {
        found.push(format!("{url} contains none of {any:?}"));
    }
    for part in strings("media_url_must_not_contain").iter().filter(|part| url.contains(part.as_str())) {
        found.push(format!("{url} contains {part}"));
    }
    let own = expect["media"] == "the URL itself";
    let wanted =
        if own { capture.url().map(|url| vec![url.to_string()]).unwrap_or_default() } else { strings("media_any") };
    let exact = expect["media"].as_str().filter(|_| !own).map(str::to_owned);
    let wanted: Vec<String> = wanted.into_iter().chain(exact).collect();
    if !wanted.is_empty() && !wanted.iter().any(|one| url == *one || own && url.starts_with(one.as_str())) {
        found.push(format!("the media is {url:?}, expected {wanted:?}"));
    }
    if is_deaf(post) {
        found.push("the first candidate has no sound".to_owned());
    }
    for (name, value) in expect["download_headers"].as_object().into_iter().flatten() {
        found.extend(header(first, name, value.as_str().unwrap_or_default()));
    }
    if let Some(playlist) = expect["audio_playlist"].as_str()
        && !url.ends_with(playlist)
    {
        found.push(format!("{url} is not {playlist}"));
    }
    if let Some(variant) = expect["fallback_variant"].as_str()
        && !post.candidates.iter().any(|one| one.url.as_str().ends_with(variant))
    {
        found.push(format!("{variant} is no candidate"));
    }
    let formats = strings("audio_only_choice_any");
    if !formats.is_empty() && !formats.iter().any(|id| url.ends_with(&format!("/{id}"))) {
        found.push(format!("{url} is none of the formats {formats:?}"));
    }
    found
}

/// A header that downloads need; of a cookie only the name is told.
fn header(candidate: Option<&Candidate>, name: &str, wanted: &str) -> Option<String> {
    let headers = candidate.map(|candidate| candidate.headers.as_slice()).unwrap_or_default();
    let given = headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str());
    let is_it = match given {
        Some(given) if name.eq_ignore_ascii_case("cookie") => given.contains(wanted),
        Some(given) => given == wanted,
        None => false,
    };
    (!is_it).then(|| format!("downloads need the header {name}: {wanted}"))
}

fn subtitles(expect: &Value, post: &Resolved) -> Vec<String> {
    let mut found = Vec::new();
    let has = |source: Option<SubtitleSource>, lang: &str, url: Option<&str>| {
        post.subtitles.iter().any(|one| {
            let given = one.language.as_deref().unwrap_or_default();
            // `eng-US` is told as Whisper's code, `en-orig` as `en`.
            (given == lang || !given.is_empty() && lang.starts_with(given))
                && source.is_none_or(|source| one.source == source)
                && url.is_none_or(|url| one.url.as_str() == url)
        })
    };
    if expect["subtitle"].is_object() {
        let wanted = &expect["subtitle"];
        let source = match wanted["source"].as_str() {
            Some("ASR") => Some(SubtitleSource::Asr),
            Some("LC") => Some(SubtitleSource::Human),
            Some("MT") => Some(SubtitleSource::MachineTranslation),
            _ => None,
        };
        if !has(source, &text(wanted, "lang"), None) {
            found.push(format!("no subtitle is {wanted}: {:?}", post.subtitles));
        }
    }
    for caption in expect["captions"].as_array().into_iter().flatten() {
        if !has(None, &text(caption, "lang"), caption["url"].as_str()) {
            found.push(format!("no subtitle is {caption}"));
        }
    }
    for (name, source) in [("human_subtitles", SubtitleSource::Human), ("auto_subtitles", SubtitleSource::Asr)] {
        for lang in expect[name].as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !has(Some(source), lang, None) {
                found.push(format!("no subtitle of {name} is {lang}"));
            }
        }
    }
    found
}
