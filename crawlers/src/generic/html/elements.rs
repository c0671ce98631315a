//! `<video>` and `<audio>` with their sources and captions.

use scraper::ElementRef;
use url::Url;

use super::{
    Offer, candidate,
    page::{Page, attr},
};
use crate::{Candidate, HasAudio, Subtitle, generic::kinds};

pub(super) fn offers(page: &Page) -> Vec<Offer> {
    let offers = page.all("video, audio").into_iter().map(|player| {
        let has = |name| player.attr(name).is_some();
        let children = |name| player.child_elements().filter(move |child| child.value().name() == name);
        Offer {
            candidates: std::iter::once(player)
                .chain(children("source"))
                .filter_map(|element| source(page, element, player.value().name() == "audio"))
                .collect(),
            subtitles: children("track").filter_map(|track| subtitle(page, track)).collect(),
            // Plays by itself, without sound or controls.
            decoration: has("muted") && (has("autoplay") || has("loop")) && !has("controls"),
        }
    });
    offers.filter(|offer| !offer.candidates.is_empty()).collect()
}

fn source(page: &Page, element: ElementRef<'_>, audio: bool) -> Option<Candidate> {
    // Lazy players keep the URL elsewhere; a blob: belongs to a script and cannot be fetched.
    let usable = |value: &&str| !value.is_empty() && !value.starts_with("blob:") && !value.starts_with("data:");
    let names = ["src", "data-src", "data-video-src"];
    let written = names.into_iter().filter_map(|name| attr(element, name)).find(usable)?;
    let content_type = attr(element, "type").filter(|kind| !kind.is_empty());
    // What stands in a media element is media, even where its URL does not look like it.
    candidate(page, written, content_type).or_else(|| {
        let usable = |url: &Url| *url != page.url && content_type.is_none() && !url.path().ends_with(".mpd");
        let url = page.resolve(written).filter(usable)?;
        let has_audio = if audio { HasAudio::Yes } else { HasAudio::Unknown };
        Some(Candidate { has_audio, ..Candidate::file(url) })
    })
}

fn subtitle(page: &Page, track: ElementRef<'_>) -> Option<Subtitle> {
    let kind = attr(track, "kind").unwrap_or("subtitles").to_ascii_lowercase();
    if !matches!(kind.as_str(), "captions" | "subtitles") {
        return None;
    }
    let url = page.resolve(attr(track, "src")?)?;
    let language = attr(track, "srclang").map(str::to_owned);
    Some(Subtitle { language, format: kinds::subtitle_format(None, &url), ..Subtitle::at(url) })
}
