//! Reading the answer's headers: times, ranges and file names.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::header::{CONTENT_DISPOSITION, CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, RETRY_AFTER};

/// The longest wait that a server can impose.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);
/// The longest file name that is shown, in characters.
const MAX_NAME: usize = 200;

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

/// The file name in `Content-Disposition` (RFC 6266), as text to show: no folders, no control or direction characters.
pub(super) fn file_name(headers: &HeaderMap) -> Option<String> {
    let value = text(headers, CONTENT_DISPOSITION)?;
    let mut plain = None;
    let mut extended = None;
    for (name, value) in parameters(&value) {
        match name.as_str() {
            "filename" => plain = plain.or(Some(value)),
            "filename*" => extended = extended.or_else(|| decode(&value)),
            _ => {}
        }
    }
    extended.and_then(|name| display_name(&name)).or_else(|| plain.and_then(|name| display_name(&name)))
}

/// Name and value of each parameter after the first `;`, quotes resolved.
fn parameters(value: &str) -> Vec<(String, String)> {
    let mut parts = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for c in value.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => {
                escaped = true;
                continue;
            }
            '"' => {
                quoted = !quoted;
                continue;
            }
            ';' if !quoted => {
                parts.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(part) = parts.last_mut() {
            part.push(c);
        }
    }
    let pairs = parts.iter().skip(1).filter_map(|part| part.split_once('='));
    pairs.map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned())).collect()
}

/// An extended value (RFC 5987): `UTF-8'language'percent-encoded`.
fn decode(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, encoded) = (parts.next()?, parts.next()?, parts.next()?);
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digit = |byte: &u8| char::from(*byte).to_digit(16);
                bytes.push(u8::try_from(digit(high)? * 16 + digit(low)?).ok()?);
                rest = tail;
            }
            (b'%', _) => return None,
            (byte, _) => bytes.push(*byte),
        }
    }
    if charset.eq_ignore_ascii_case("iso-8859-1") {
        return Some(bytes.into_iter().map(char::from).collect());
    }
    charset.eq_ignore_ascii_case("utf-8").then(|| String::from_utf8(bytes).ok()).flatten()
}

fn display_name(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let shown: String = last.chars().filter(|c| !c.is_control() && !is_direction(*c)).take(MAX_NAME).collect();
    let shown = shown.trim_matches(|c: char| c == '.' || c.is_whitespace());
    (!shown.is_empty()).then(|| shown.to_owned())
}

/// Characters that turn the direction of text around or take no room: they make a name look like another.
fn is_direction(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
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

    #[test]
    fn names_are_text_to_show() {
        let name = |value: &str| file_name(&with(CONTENT_DISPOSITION, value));
        let long = format!("attachment; filename={}", "é".repeat(300));
        for (value, expected) in [
            ("attachment; filename=\"a;b.mp4\"", Some("a;b.mp4")),
            ("inline; FileName = plain.mp3 ", Some("plain.mp3")),
            ("attachment; filename=\"课程.mp4\"", Some("课程.mp4")),
            ("attachment; filename=x.mp4; filename*=UTF-8''%E8%AF%BE.mp4", Some("课.mp4")),
            ("attachment; filename*=iso-8859-1'en'caf%E9.mp3", Some("café.mp3")),
            ("attachment; filename*=UTF-8''%FF; filename=ok.mp3", Some("ok.mp3")),
            ("attachment; filename*=UTF-8''..%2F..%2Fetc%2Fpasswd", Some("passwd")),
            ("attachment; filename=\"..\\\\..\\\\boot.ini\"", Some("boot.ini")),
            ("attachment; filename*=UTF-8''a%00%0d%0Ab%E2%80%AE4pm.exe", Some("ab4pm.exe")),
            ("attachment; filename=\".hidden\"", Some("hidden")),
            (&long, Some(&"é".repeat(200))),
            ("attachment; filename=\"\"", None),
            ("attachment; filename=..", None),
            ("attachment", None),
        ] {
            assert_eq!(name(value).as_deref(), expected, "{value}");
        }
    }

    proptest::proptest! {
        #[test]
        fn odd_values_do_no_harm(value in "[ -~é]{0,60}") {
            for header in [CONTENT_DISPOSITION, CONTENT_RANGE, RETRY_AFTER, CONTENT_TYPE] {
                let map = with(header, &value);
                let _ = (file_name(&map), content_range(&map), retry_after(&map), content_type(&map));
            }
            if let Some(name) = file_name(&with(CONTENT_DISPOSITION, &format!("x; filename={value}"))) {
                proptest::prop_assert!(!name.contains(['/', '\\']) && !name.starts_with('.'));
            }
        }
    }
}
