//! The `Range` header (RFC 9110 §14). Pure.

use std::ops::Range;

/// What to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Everything, with 200.
    Whole,
    /// These bytes, with 206; never empty, never beyond the end.
    Part(Range<u64>),
    /// Nothing of this file: 416.
    Unsatisfiable,
}

/// Reads a `Range` header for a file of `size` bytes.
///
/// Several ranges at once, other units and what cannot be read are answered with the whole file, as the standard allows.
pub(super) fn wanted(header: Option<&str>, size: u64) -> Wanted {
    let Some((unit, ranges)) = header.and_then(|text| text.split_once('=')) else { return Wanted::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") || ranges.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = ranges.trim().split_once('-') else { return Wanted::Whole };
    match (number(first), number(last)) {
        (Some(Some(first)), Some(None)) => part(first, size, size),
        (Some(Some(first)), Some(Some(last))) if first <= last => part(first, last.saturating_add(1), size),
        (Some(None), Some(Some(tail))) => part(size.saturating_sub(tail), if tail == 0 { 0 } else { size }, size),
        _ => Wanted::Whole,
    }
}

/// `None` when it is no number, `Some(None)` when there is nothing.
fn number(text: &str) -> Option<Option<u64>> {
    match text.trim() {
        "" => Some(None),
        // A number too large for us lies beyond every file.
        digits if digits.bytes().all(|byte| byte.is_ascii_digit()) => Some(Some(digits.parse().unwrap_or(u64::MAX))),
        _ => None,
    }
}

fn part(start: u64, end: u64, size: u64) -> Wanted {
    let end = end.min(size);
    if start < end { Wanted::Part(start..end) } else { Wanted::Unsatisfiable }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_standard_s_examples() {
        let of = |header: &str| wanted(Some(header), 10_000);
        assert_eq!(of("bytes=0-499"), Wanted::Part(0..500));
        assert_eq!(of("bytes=500-999"), Wanted::Part(500..1000));
        assert_eq!(of("bytes=-500"), Wanted::Part(9500..10_000));
        assert_eq!(of("bytes=9500-"), Wanted::Part(9500..10_000));
        assert_eq!(of("bytes=0-"), Wanted::Part(0..10_000));
        assert_eq!(of("Bytes = 9999-99999999999999999999999"), Wanted::Part(9999..10_000));
        assert_eq!(of("bytes=-20000"), Wanted::Part(0..10_000));
        for nothing in ["bytes=10000-", "bytes=10000-10001", "bytes=-0"] {
            assert_eq!(of(nothing), Wanted::Unsatisfiable, "{nothing}");
        }
        for whole in
            ["bytes=5-4", "bytes=0-0,5-6", "lines=1-2", "bytes", "bytes=", "bytes=-", "bytes=a-b", "bytes=+1-2"]
        {
            assert_eq!(of(whole), Wanted::Whole, "{whole}");
        }
        assert_eq!(wanted(None, 5), Wanted::Whole);
        assert_eq!(wanted(Some("bytes=0-"), 0), Wanted::Unsatisfiable);
    }

    proptest! {
        #[test]
        fn parts_lie_inside(first in 0u64..300, last in 0u64..300, size in 0u64..200) {
            match wanted(Some(&format!("bytes={first}-{last}")), size) {
                Wanted::Part(range) => {
                    prop_assert!(range.start < range.end && range.end <= size);
                    prop_assert_eq!(range.start, first);
                    prop_assert_eq!(range.end, (last + 1).min(size));
                }
                Wanted::Whole => prop_assert!(first > last),
                Wanted::Unsatisfiable => prop_assert!(first >= size),
            }
        }

        #[test]
        fn tails_end_at_the_end(tail in 0u64..300, size in 0u64..200) {
            match wanted(Some(&format!("bytes=-{tail}")), size) {
                Wanted::Part(range) => prop_assert_eq!(range, size.saturating_sub(tail)..size),
                Wanted::Whole => prop_assert!(false),
                Wanted::Unsatisfiable => prop_assert!(tail == 0 || size == 0),
            }
        }

        #[test]
        fn any_text_is_read(text in ".{0,40}", size in any::<u64>()) {
            if let Wanted::Part(range) = wanted(Some(&text), size) {
                prop_assert!(range.start < range.end && range.end <= size);
            }
        }
    }
}
