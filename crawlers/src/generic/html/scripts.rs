//! URLs in the set-up of script players (jwplayer, video.js and their kin).

use std::sync::LazyLock;

use regex::Regex;

use super::{Offer, candidate, page::Page};

/// More URLs than this are not taken from scripts.
const MAX_URLS: usize = 20;

/// A key that players use for their media, and a string.
static SETUP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"(?:^|[^A-Za-z0-9_$])["']?(?:file|src|source|contentUrl|audioUrl|videoUrl)["']?\s*:\s*(?:"([^"\s<>]{4,2000})"|'([^'\s<>]{4,2000})')"#,
    )
    .expect("a constant expression, which the tests compile")
});

pub(super) fn offers(page: &Page<'_>) -> Vec<Offer> {
    let written = page
        .scripts
        .iter()
        .flat_map(|script| SETUP.captures_iter(script))
        .filter_map(|found| found.get(1).or_else(|| found.get(2)));
    // Without a type at hand only the extension tells media from pictures and styles.
    let candidates: Vec<_> = written.filter_map(|url| candidate(page, url.as_str(), None)).take(MAX_URLS).collect();
    if candidates.is_empty() { Vec::new() } else { vec![Offer { candidates, ..Offer::default() }] }
}
