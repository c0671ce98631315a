//! Reading the answer's headers: times, types and ranges.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};

/// The longest wait that a server can impose.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// A header's value as text.
pub(super) fn text(headers: &HeaderMap, name: HeaderName) -> Option<String> {
    headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// How long the server asks us to wait: `Retry-After` in seconds or as a date, at most a day.
pub(super) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let value = text(headers, RETRY_AFTER)?;
    let value = value.trim();
    let wait = if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        Duration::from_secs(value.parse().unwrap_or(u64::MAX))
    } else {
        (DateTime::parse_from_rfc2822(value).ok()?.to_utc() - Utc::now()).to_std().unwrap_or_default()
    };
    Some(wait.min(MAX_WAIT))
}

/// The content type without its parameters, in lower case.
pub(super) fn content_type(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, CONTENT_TYPE)?;
    let kind = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let proper = kind.len() <= 100 && kind.contains('/') && kind.bytes().all(|byte| byte.is_ascii_graphic());
    proper.then_some(kind)
}

/// `Content-Range`: which bytes these are, and of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ContentRange {
    /// The first and the last byte; none in an answer 416.
    pub(super) span: Option<(u64, u64)>,
    /// The whole size.
    pub(super) total: Option<u64>,
}

/// Reads `Content-Range`; none when it is missing or makes no sense.
pub(super) fn content_range(headers: &HeaderMap) -> Option<ContentRange> {
    let value = text(headers, CONTENT_RANGE)?;
    let (span, total) = value.trim().strip_prefix("bytes")?.trim().split_once('/')?;
    let total = match total.trim() {
        "*" => None,
        total => Some(total.parse().ok()?),
    };
    let span = match span.trim() {
        "*" => None,
        span => {
            let (first, last) = span.split_once('-')?;
            let (first, last) = (first.trim().parse().ok()?, last.trim().parse().ok()?);
            if first > last || total.is_some_and(|total| last >= total) {
                return None;
            }
            Some((first, last))
        }
    };
    Some(ContentRange { span, total })
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn with(name: HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
    }

    #[test]
    fn waits_are_seconds_or_dates() {
        let wait = |value: &str| retry_after(&with(RETRY_AFTER, value));
        assert_eq!(wait("120"), Some(Duration::from_secs(120)));
        assert_eq!(wait(" 0 "), Some(Duration::ZERO));
        assert_eq!(wait("99999999999999999999999"), Some(MAX_WAIT));
        assert_eq!(wait("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("Fri, 01 Jan 2100 00:00:00 GMT"), Some(MAX_WAIT));
        let soon = (Utc::now() + chrono::Duration::seconds(100)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
        assert!((98..=100).contains(&wait(&soon).unwrap().as_secs()), "{soon}");
        for bad in ["", "soon", "-1", "1.5"] {
            assert_eq!(wait(bad), None, "{bad}");
        }
    }

    #[test]
    fn ranges_make_sense_or_are_none() {
        let range = |value: &str| content_range(&with(CONTENT_RANGE, value));
        let some = |span, total| Some(ContentRange { span, total });
        assert_eq!(range("bytes 0-9/10"), some(Some((0, 9)), Some(10)));
        assert_eq!(range("bytes 5-9/*"), some(Some((5, 9)), None));
        assert_eq!(range("bytes */10"), some(None, Some(10)));
        for bad in ["", "bytes", "items 0-9/10", "bytes 9-0/10", "bytes 0-10/10", "bytes a-b/c", "bytes -5/10"] {
            assert_eq!(range(bad), None, "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn odd_values_do_no_harm(value in "[ -~é]{0,60}") {
            for header in [CONTENT_RANGE, RETRY_AFTER, CONTENT_TYPE] {
                let map = with(header, &value);
                let _ = (content_range(&map), retry_after(&map), content_type(&map));
            }
        }
    }
}
