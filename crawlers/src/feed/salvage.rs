//! Getting something out of feeds that are not well-formed XML.

use std::sync::LazyLock;

use regex::bytes::Regex;

/// More items than this are not read one by one.
const MAX_ITEMS: usize = 500;
/// The part before the first item is repeated for each item, so it must be small.
const MAX_HEAD: usize = 64 * 1024;

static OPEN: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"<(item|entry)[\s>]").expect("a constant expression, which the tests compile"));

/// One small document per item: the feed's beginning, the item, and what closes them.
pub(super) fn documents(body: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = OPEN.find_iter(body).map(|found| found.start()).take(MAX_ITEMS + 1).collect();
    let Some(&first) = starts.first() else { return Vec::new() };
    let head = &body[..first];
    let rss = body[first..].starts_with(b"<item");
    let (close, end): (&[u8], &[u8]) = if rss { (b"</item>", b"</channel></rss>") } else { (b"</entry>", b"</feed>") };
    if head.len() > MAX_HEAD {
        return Vec::new();
    }
    let ends = starts.iter().copied().skip(1).chain([body.len()]);
    let bounds = starts.iter().copied().zip(ends).take(MAX_ITEMS);
    bounds
        .filter_map(|(from, to)| {
            let chunk = &body[from..to];
            let item = &chunk[..find(chunk, close)? + close.len()];
            Some([head, item, end].concat())
        })
        .collect()
}

/// How deep elements are nested at most; counts tags without judging them, comments and CDATA left out.
pub(crate) fn depth(body: &[u8]) -> usize {
    let (mut depth, mut deepest, mut rest) = (0_usize, 0, body);
    while let Some(open) = rest.iter().position(|byte| *byte == b'<') {
        rest = &rest[open..];
        let close: &[u8] = if rest.starts_with(b"<!--") {
            b"-->"
        } else if rest.starts_with(b"<![CDATA[") {
            b"]]>"
        } else {
            b">"
        };
        let Some(end) = find(rest, close) else { break };
        match rest.get(1) {
            Some(b'/') => depth = depth.saturating_sub(1),
            Some(b'!' | b'?') => {}
            _ if rest[..end].ends_with(b"/") => {}
            _ => depth += 1,
        }
        deepest = deepest.max(depth);
        rest = &rest[end + close.len()..];
    }
    deepest
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
