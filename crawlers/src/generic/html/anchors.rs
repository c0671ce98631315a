//! A page whose only media is one link to a file.

use super::{Offer, candidate, page::Page, stem};

/// Links count only when they are all forms of one file; a page of downloads does not say which one was meant.
pub(super) fn offers(page: &Page<'_>) -> Vec<Offer> {
    let candidates: Vec<_> = page.anchors.iter().filter_map(|href| candidate(page, href, None)).collect();
    let Some(first) = candidates.first().map(|first| stem(&first.url)) else { return Vec::new() };
    if candidates.iter().all(|candidate| stem(&candidate.url) == first) {
        vec![Offer { candidates, ..Offer::default() }]
    } else {
        Vec::new()
    }
}
