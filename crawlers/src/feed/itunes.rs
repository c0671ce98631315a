//! `itunes:` tags of RSS items, read beside the XML parser.
//!
//! feed-rs 3 drops them from items that have no `itunes:title` or `itunes:summary`, and reads a duration of `31:05` as
//! 31 seconds.

use std::sync::LazyLock;

use regex::bytes::Regex;

static ITEM: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<item[\s>]").expect("a constant expression, which the tests compile"));
static DURATION: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<itunes:duration\b[^>]*>\s*(?:<!\[CDATA\[)?\s*([0-9:.]{1,20})")
        .expect("a constant expression, which the tests compile")
});
static AUTHOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"<itunes:author\b[^>]*>\s*(?:<!\[CDATA\[)?([^<\]]{1,300})")
        .expect("a constant expression, which the tests compile")
});

/// What the tags of one item say.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Extra {
    pub(super) duration_ms: Option<u64>,
    pub(super) author: Option<String>,
}

/// One entry per `<item>`, in order.
pub(super) fn extras(body: &[u8]) -> Vec<Extra> {
    let starts: Vec<usize> = ITEM.find_iter(body).map(|found| found.start()).collect();
    let ends = starts.iter().copied().skip(1).chain([body.len()]);
    let group = |pattern: &Regex, item: &[u8]| {
        let found = pattern.captures(item)?.get(1)?;
        Some(String::from_utf8_lossy(found.as_bytes()).into_owned())
    };
    starts
        .iter()
        .copied()
        .zip(ends)
        .map(|(from, to)| Extra {
            duration_ms: group(&DURATION, &body[from..to]).and_then(|text| duration(&text)),
            author: group(&AUTHOR, &body[from..to])
                .map(|text| html_escape::decode_html_entities(text.trim()).into_owned())
                .filter(|text| !text.is_empty()),
        })
        .collect()
}

/// Seconds, `mm:ss` or `hh:mm:ss`.
fn duration(text: &str) -> Option<u64> {
    let mut seconds = 0.0;
    for (at, part) in text.trim().split(':').enumerate() {
        if at > 2 {
            return None;
        }
        seconds = seconds * 60.0 + part.parse::<f64>().ok()?;
    }
    // More than a year is a mistake.
    (seconds > 0.0 && seconds < 31_536_000.0).then_some((seconds * 1000.0).round() as u64)
}
