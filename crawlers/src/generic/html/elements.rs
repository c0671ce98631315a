//! `<video>` and `<audio>` with their sources and captions.

use url::Url;

use super::{Offer, candidate, page::Page};
use crate::{Candidate, HasAudio, Subtitle, generic::kinds};

pub(super) fn offers(page: &Page<'_>) -> Vec<Offer> {
    let offers = page.players.iter().map(|player| Offer {
        candidates: player
            .sources
            .iter()
            .filter_map(|(written, content_type)| {
                // What stands in a media element is media, even where its URL does not look like it.
                candidate(page, written, content_type.as_deref()).or_else(|| {
                    let usable =
                        |url: &Url| *url != page.url && content_type.is_none() && !url.path().ends_with(".mpd");
                    let url = page.resolve(written).filter(usable)?;
                    let has_audio = if player.audio { HasAudio::Yes } else { HasAudio::Unknown };
                    Some(Candidate { has_audio, ..Candidate::file(url) })
                })
            })
            .collect(),
        subtitles: player
            .tracks
            .iter()
            .filter_map(|(written, language)| {
                let url = page.resolve(written)?;
                let format = kinds::subtitle_format(None, &url);
                Some(Subtitle { language: language.clone(), format, url })
            })
            .collect(),
        decoration: player.decoration,
    });
    offers.filter(|offer| !offer.candidates.is_empty()).collect()
}
