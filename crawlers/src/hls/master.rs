//! Which rendition of a master playlist to listen to.

use m3u8_rs::{AlternativeMedia, AlternativeMediaType, VariantStream};
use url::Url;

use super::resolve;
use crate::{CrawlError, ErrorClass, HasAudio, Subtitle};

/// The audio codecs that a `CODECS` attribute may name.
const AUDIO_CODECS: [&str; 7] = ["mp4a", "ac-3", "ec-3", "opus", "flac", "alac", "vorbis"];

/// The renditions of a master playlist which are worth trying for speech.
#[derive(Debug, Clone, PartialEq)]
pub struct MasterPlaylist {
    /// The best first: the default audio rendition, then the smallest variant that has sound. Never empty.
    pub choices: Vec<Choice>,
    /// Subtitle renditions (media playlists of WebVTT pieces).
    pub subtitles: Vec<Subtitle>,
}

/// One rendition.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Its media playlist.
    pub url: Url,
    /// Whether it is sound only.
    pub audio_only: bool,
    /// Whether it has sound; `Unknown` when the playlist names no codecs.
    pub has_audio: HasAudio,
    /// Bits per second, for variants.
    pub bandwidth: Option<u64>,
    /// The language, for audio renditions.
    pub language: Option<String>,
}

pub(super) fn choose(list: m3u8_rs::MasterPlaylist, base: &Url) -> Result<MasterPlaylist, CrawlError> {
    let renditions = || list.alternatives.iter();
    let audio = renditions()
        .filter(|media| media.media_type == AlternativeMediaType::Audio && !describes(media))
        .filter_map(|media| Some((media, resolve(base, media.uri.as_deref()?)?)))
        // max_by_key takes the last of equals, the playlist's author the first.
        .rev()
        .max_by_key(|(media, _)| (media.default, media.autoselect))
        .map(|(media, url)| Choice {
            url,
            audio_only: true,
            has_audio: HasAudio::Yes,
            bandwidth: None,
            language: media.language.clone(),
        });
    let variant = list
        .variants
        .iter()
        .filter(|variant| !variant.is_i_frame)
        .filter_map(|variant| Some((variant, resolve(base, Some(&variant.uri).filter(|uri| !uri.is_empty())?)?)))
        .map(|(variant, url)| (has_audio(variant, &list.alternatives), variant, url))
        // A variant whose sound is a separate rendition is silent by itself, however its codecs read.
        .min_by_key(|(sound, variant, _)| (*sound == HasAudio::No, variant.bandwidth))
        .map(|(has_audio, variant, url)| Choice {
            url,
            audio_only: false,
            has_audio,
            bandwidth: Some(variant.bandwidth),
            language: None,
        });
    let choices: Vec<Choice> = audio.into_iter().chain(variant).collect();
    if choices.is_empty() {
        return Err(CrawlError::new(ErrorClass::NoMediaFound, "The HLS playlist lists no rendition to download."));
    }
    let subtitles = renditions()
        .filter(|media| media.media_type == AlternativeMediaType::Subtitles)
        .filter_map(|media| {
            let url = resolve(base, media.uri.as_deref()?)?;
            Some(Subtitle { language: media.language.clone(), format: Some("hls".to_owned()), ..Subtitle::at(url) })
        })
        .collect();
    Ok(MasterPlaylist { choices, subtitles })
}

/// Audio description tells blind viewers what is to be seen: not the speech that was asked for.
fn describes(media: &AlternativeMedia) -> bool {
    media.characteristics.as_deref().is_some_and(|text| text.contains("describes-video"))
}

fn has_audio(variant: &VariantStream, alternatives: &[AlternativeMedia]) -> HasAudio {
    let is_its = |media: &&AlternativeMedia| {
        media.media_type == AlternativeMediaType::Audio && Some(&media.group_id) == variant.audio.as_ref()
    };
    let mut group = alternatives.iter().filter(is_its).peekable();
    // A rendition without an address is the sound of the variant itself.
    if group.peek().is_some() && group.all(|media| media.uri.is_some()) {
        return HasAudio::No;
    }
    match variant.codecs.as_deref() {
        None => HasAudio::Unknown,
        Some(codecs) => {
            let codecs = codecs.to_ascii_lowercase();
            let audible = codecs.split(',').any(|one| AUDIO_CODECS.iter().any(|name| one.trim().starts_with(name)));
            if audible { HasAudio::Yes } else { HasAudio::No }
        }
    }
}
