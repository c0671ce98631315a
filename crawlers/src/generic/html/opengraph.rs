//! `og:` and `twitter:` metadata: media, players, and what the page says about itself.

use url::Url;

use super::{About, Offer, candidate, jsonld, page::Page};

/// What Open Graph says.
#[derive(Default)]
pub(super) struct Graph {
    pub(super) offers: Vec<Offer>,
    pub(super) embeds: Vec<Url>,
}

/// One `og:video` or `og:audio` with its structured properties.
#[derive(Default)]
struct Entry<'a> {
    urls: Vec<&'a str>,
    secure: Option<&'a str>,
    content_type: Option<&'a str>,
}

pub(super) fn read(page: &Page<'_>) -> Graph {
    let mut graph = Graph::default();
    for entry in ["og:video", "og:audio"].iter().flat_map(|kind| entries(page, kind)) {
        let Some(url) = entry.secure.or_else(|| entry.urls.first().copied()) else { continue };
        match entry.content_type {
            Some(content_type) if content_type.contains("html") => graph.embeds.extend(page.resolve(url)),
            content_type => {
                let candidates: Vec<_> = candidate(page, url, content_type).into_iter().collect();
                if !candidates.is_empty() {
                    graph.offers.push(Offer { candidates, ..Offer::default() });
                }
            }
        }
    }
    graph
}

/// Properties belong to the entry before them; a type which comes first belongs to the next one.
fn entries<'a>(page: &'a Page<'_>, kind: &str) -> Vec<Entry<'a>> {
    let mut entries: Vec<Entry<'a>> = Vec::new();
    let mut early = None;
    for (key, content) in page.metas.iter().filter(|(_, content)| !content.is_empty()) {
        let Some(property) = key.strip_prefix(kind) else { continue };
        let open = entries.last_mut().filter(|entry| entry.content_type.is_none());
        match (property, open) {
            (":url", Some(entry)) => entry.urls.push(content),
            (":secure_url", Some(entry)) => entry.secure = Some(content),
            (":type", Some(entry)) => entry.content_type = Some(content),
            (":type", None) => early = Some(content.as_str()),
            ("" | ":url", _) => {
                entries.push(Entry { urls: vec![content], content_type: early.take(), ..Entry::default() });
            }
            (":secure_url", None) => {
                entries.push(Entry { secure: Some(content), content_type: early.take(), ..Entry::default() });
            }
            _ => {}
        }
    }
    entries
}

/// The stream of a Twitter player card.
pub(super) fn twitter(page: &Page<'_>) -> Vec<Offer> {
    let content_type = page.meta(&["twitter:player:stream:content_type"]);
    let stream = page.meta(&["twitter:player:stream"]).and_then(|url| candidate(page, url, content_type));
    stream.map(|stream| Offer { candidates: vec![stream], ..Offer::default() }).into_iter().collect()
}

/// What the page says about its media; `linked` is what its JSON-LD says.
pub(super) fn about(page: &Page<'_>, linked: About) -> About {
    let own = |names: &[&str]| page.meta(names).map(str::trim).filter(|text| !text.is_empty()).map(str::to_owned);
    let seconds = page.meta(&["og:video:duration", "video:duration", "og:audio:duration", "music:duration"]);
    let fallback = About {
        title: own(&["twitter:title"]).or_else(|| page.title.clone()),
        author: own(&["author", "article:author_name", "twitter:creator"]),
        published_at: own(&["article:published_time", "og:video:release_date", "video:release_date"])
            .and_then(|text| jsonld::date(&text)),
        duration_ms: seconds
            .and_then(|text| text.parse::<u64>().ok())
            .and_then(|seconds| seconds.checked_mul(1000))
            .filter(|ms| *ms > 0),
    };
    About { title: own(&["og:title"]), ..About::default() }.or(linked).or(fallback)
}
