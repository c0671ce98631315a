//! The file name that a server gives, as a title.

use encoding_rs::{Encoding, WINDOWS_1252};

/// The name in a `Content-Disposition` header; the extended form (RFC 5987) wins.
pub(super) fn from_disposition(header: &str) -> Option<String> {
    let mut plain = None;
    for (key, value) in parameters(header) {
        match key.as_str() {
            "filename*" => {
                if let Some(name) = extended(&value).and_then(|name| title_of(&name)) {
                    return Some(name);
                }
            }
            "filename" => plain = plain.or_else(|| title_of(&value)),
            _ => {}
        }
    }
    plain
}

/// The last segment of a URL's path.
pub(super) fn from_url(url: &url::Url) -> Option<String> {
    let segment = url.path_segments()?.next_back()?;
    title_of(&String::from_utf8_lossy(&percent_decoded(segment)))
}

/// A file name without folders and extension; it is display text only.
fn title_of(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let stem = match name.rsplit_once('.') {
        Some((stem, extension)) if !stem.is_empty() && extension.len() <= 5 => stem,
        _ => name,
    };
    super::tidy(stem)
}

/// `charset'language'percent-encoded`.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _language, text) = (parts.next()?, parts.next()?, parts.next()?);
    let encoding = Encoding::for_label(charset.as_bytes()).unwrap_or(WINDOWS_1252);
    Some(encoding.decode_without_bom_handling(&percent_decoded(text)).0.into_owned())
}

fn parameters(header: &str) -> Vec<(String, String)> {
    let mut quoted = false;
    let mut escaped = false;
    let parts = header.split(|c| {
        let end = c == ';' && !quoted;
        quoted ^= c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        end
    });
    parts
        .skip(1)
        .filter_map(|part| part.split_once('='))
        .map(|(key, value)| {
            let value = value.trim();
            let inner = value.strip_prefix('"').map(|rest| rest.strip_suffix('"').unwrap_or(rest));
            let value =
                inner.map_or_else(|| value.to_owned(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"));
            (key.trim().to_ascii_lowercase(), value)
        })
        .collect()
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = |offset: usize| bytes.get(at + offset).and_then(|byte| char::from(*byte).to_digit(16));
        match (bytes[at], hex(1), hex(2)) {
            (b'%', Some(high), Some(low)) => {
                decoded.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                decoded.push(byte);
                at += 1;
            }
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_becomes_a_title() {
        for (header, title) in [
            ("attachment; filename*=UTF-8''talk%209.mp3", Some("talk 9")),
            ("attachment; filename=\"plain.mp3\"; filename*=UTF-8''%E8%AE%B2%E5%BA%A7.mp3", Some("讲座")),
            ("inline; filename=\"a; b \\\"c\\\".mp3\"", Some("a; b \"c\"")),
            ("attachment; filename=../../etc/passwd", Some("passwd")),
            ("attachment; filename*=ISO-8859-1''caf%E9.ogg", Some("café")),
            ("attachment; filename=\".mp3\"", Some(".mp3")),
            ("attachment; filename=\"\"", None),
            ("attachment", None),
        ] {
            assert_eq!(from_disposition(header).as_deref(), title, "{header}");
        }
        assert_eq!(
            from_url(&url::Url::parse("https://e.example/a/my%20talk.mp3?x").unwrap()).as_deref(),
            Some("my talk")
        );
        assert_eq!(from_url(&url::Url::parse("https://e.example/").unwrap()), None);
    }
}
