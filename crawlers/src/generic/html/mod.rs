//! The media of a web page: bytes in, findings out. Pure.

mod anchors;
mod charset;
mod elements;
mod embeds;
mod filter;
mod jsonld;
mod oembed;
mod opengraph;
mod page;
mod scripts;

use chrono::{DateTime, Utc};
use url::Url;

use super::kinds;
use crate::{Candidate, Delivery, HasAudio, Subtitle};
use page::Page;

pub(super) use charset::decode;
pub(super) use embeds::{Embed, known_player, on};
pub(crate) use jsonld::duration as duration_ms;
pub(super) use oembed::oembed;
pub(super) use page::refresh_target;

/// More candidates than this are not kept.
const MAX_CANDIDATES: usize = 20;
/// More caption tracks than this are not kept.
const MAX_SUBTITLES: usize = 100;

/// What a page says about its media, besides where it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct About {
    pub(super) title: Option<String>,
    pub(super) author: Option<String>,
    pub(super) published_at: Option<DateTime<Utc>>,
    pub(super) duration_ms: Option<u64>,
}

impl About {
    /// Fills what is missing here from `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            title: self.title.or(other.title),
            author: self.author.or(other.author),
            published_at: self.published_at.or(other.published_at),
            duration_ms: self.duration_ms.or(other.duration_ms),
        }
    }
}

/// One media item that a page offers, in one or more forms.
#[derive(Debug, Default)]
struct Offer {
    candidates: Vec<Candidate>,
    subtitles: Vec<Subtitle>,
    decoration: bool,
}

/// Everything that a page leads to.
#[derive(Debug, Default)]
pub(super) struct Findings {
    /// What to try, in order. HLS candidates may still be master playlists, and DASH candidates are not read yet.
    pub(super) candidates: Vec<Candidate>,
    /// Which way found the first of them.
    pub(super) strategy: &'static str,
    /// Whether they seem to be different media rather than forms of one.
    pub(super) several: bool,
    pub(super) subtitles: Vec<Subtitle>,
    pub(super) about: About,
    /// Players on other pages.
    pub(super) embeds: Vec<Embed>,
    pub(super) feeds: Vec<Url>,
    /// Where the page is described for others.
    pub(super) oembed: Option<Url>,
    pub(super) refresh: Option<Url>,
}

/// Looks through a page, in the order of research: elements, JSON-LD, Open Graph, Twitter cards, player scripts, and a
/// single link to a file.
pub(super) fn read(html: &str, url: &Url) -> Findings {
    let page = Page::read(html, url);
    let linked = jsonld::read(&page);
    let graph = opengraph::read(&page);
    let mut ways = vec![
        ("page.elements", elements::offers(&page)),
        ("page.json_ld", linked.offers),
        ("page.open_graph", graph.offers),
        ("page.twitter_card", opengraph::twitter(&page)),
        ("page.player_script", scripts::offers(&page)),
    ];
    if ways.iter().all(|(_, offers)| offers.is_empty()) {
        ways.push(("page.single_link", anchors::offers(&page)));
    }
    let mut findings = Findings {
        embeds: embeds::of(&page, linked.embeds.into_iter().chain(graph.embeds)),
        feeds: page.feeds().take(3).collect(),
        oembed: page.oembed(),
        refresh: page.refresh(),
        about: opengraph::about(&page, linked.about),
        ..Findings::default()
    };
    let mut offers: Vec<(&'static str, Offer)> =
        ways.into_iter().flat_map(|(way, offers)| offers.into_iter().map(move |offer| (way, offer))).collect();
    offers.retain(|(_, offer)| !offer.candidates.is_empty());
    // Decoration is taken only where nothing else is; otherwise the page's order stands.
    offers.sort_by_key(|(_, offer)| offer.decoration);
    findings.strategy = offers.first().map_or("page", |(way, _)| way);
    let mut stems: Vec<String> = Vec::new();
    for (_, offer) in offers {
        stems.push(stem(&offer.candidates[0].url));
        let mut forms = offer.candidates;
        forms.sort_by_key(rank);
        for form in forms {
            let known = findings.candidates.iter().any(|candidate| candidate.url == form.url);
            if !known && findings.candidates.len() < MAX_CANDIDATES {
                findings.candidates.push(with_referer(form, url));
            }
        }
        for subtitle in offer.subtitles {
            if findings.subtitles.len() < MAX_SUBTITLES && !findings.subtitles.contains(&subtitle) {
                findings.subtitles.push(subtitle);
            }
        }
    }
    stems.sort();
    stems.dedup();
    findings.several = stems.len() > 1;
    findings
}

/// Among forms of the same media: sound only, then MP4, then other files, then what comes in pieces.
fn rank(candidate: &Candidate) -> u8 {
    match candidate.delivery {
        Delivery::Hls | Delivery::Dash => 3,
        // Pages promise sound only for files that are nothing else.
        Delivery::File if candidate.has_audio == HasAudio::Yes => 0,
        Delivery::File if candidate.container.as_deref() == Some("mp4") => 1,
        Delivery::File => 2,
    }
}

/// A candidate, if the URL as written can be fetched and seems to be media.
fn candidate(page: &Page, written: &str, content_type: Option<&str>) -> Option<Candidate> {
    let url = page.resolve(written)?;
    // The page itself as its own media is a common mistake in metadata.
    if url == page.url {
        return None;
    }
    let content_type = content_type.map(kinds::essence).filter(|content_type| !content_type.is_empty());
    let delivery = kinds::delivery(&url, content_type.as_deref())?;
    let container = match delivery {
        Delivery::File => kinds::extension(&url).or_else(|| kinds::container_of_type(content_type.as_deref()?)),
        Delivery::Hls | Delivery::Dash => None,
    };
    let has_audio = if kinds::is_audio(&url, content_type.as_deref()) { HasAudio::Yes } else { HasAudio::Unknown };
    Some(Candidate { delivery, container, content_type, has_audio, ..Candidate::file(url) })
}

/// Sends the page as browsers do, since some hosts serve media to their own pages only: the whole address to the same
/// site, the origin to others, nothing from `https` to `http`.
fn with_referer(mut candidate: Candidate, page: &Url) -> Candidate {
    let referer = if page.origin() == candidate.url.origin() {
        let mut page = page.clone();
        page.set_fragment(None);
        Some(page.to_string())
    } else if page.scheme() == "https" && candidate.url.scheme() == "http" {
        None
    } else {
        Some(format!("{}/", page.origin().ascii_serialization()))
    };
    candidate.headers.extend(referer.map(|referer| ("Referer".to_owned(), referer)));
    candidate
}

/// The file's name without its extension: forms of one media usually share it.
fn stem(url: &Url) -> String {
    let name = url.path_segments().and_then(|mut parts| parts.next_back()).unwrap_or_default();
    name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()
}

#[cfg(test)]
mod tests;
