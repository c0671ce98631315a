//! `Content-Disposition` (RFC 6266): names from strangers as plain file names. Pure.

/// The longest name in characters.
const MAX_CHARS: usize = 120;

/// What a browser does with the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Show {
    /// Shows it.
    Inline,
    /// Saves it.
    Attachment,
}

/// The header's value for a file called `stem.extension`. Always ASCII, never a path, never hidden.
pub(super) fn disposition(show: Show, stem: &str, extension: &str) -> String {
    let show = match show {
        Show::Inline => "inline",
        Show::Attachment => "attachment",
    };
    let stem = clean(stem);
    let ascii: String = stem.chars().map(|c| if c.is_ascii() { c } else { '_' }).collect();
    let plain = format!("{show}; filename=\"{ascii}.{extension}\"");
    if stem.is_ascii() { plain } else { format!("{plain}; filename*=UTF-8''{}.{extension}", encode(&stem)) }
}

/// The name without anything that a file system, a header or a reader would take for more than a name.
pub(super) fn clean(name: &str) -> String {
    let is_hidden = |c: char| matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{61C}');
    let kept = name.chars().filter(|c| !c.is_control() && !is_hidden(*c));
    let safe: String = kept.map(|c| if "/\\:*?\"<>|%;'".contains(c) { '_' } else { c }).take(MAX_CHARS).collect();
    let trimmed = safe.trim_matches(|c: char| c == '.' || c.is_whitespace());
    let first = trimmed.split('.').next().unwrap_or_default().to_ascii_uppercase();
    let numbered = |name: &str| {
        first.strip_prefix(name).is_some_and(|n| n.len() == 1 && n != "0" && n.as_bytes()[0].is_ascii_digit())
    };
    match trimmed {
        "" => "media".to_owned(),
        reserved if matches!(first.as_str(), "CON" | "PRN" | "AUX" | "NUL") || numbered("COM") || numbered("LPT") => {
            format!("_{reserved}")
        }
        name => name.to_owned(),
    }
}

/// Percent-encodes what RFC 8187 does not let through.
fn encode(name: &str) -> String {
    let mut encoded = String::new();
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_only_names() {
        let of = |stem: &str| disposition(Show::Attachment, stem, "mp4");
        assert_eq!(of("A talk"), "attachment; filename=\"A talk.mp4\"");
        assert_eq!(of("../../etc/passwd"), "attachment; filename=\"_.._etc_passwd.mp4\"");
        assert_eq!(of("a\"; x=\r\ny"), "attachment; filename=\"a__ x=y.mp4\"");
        assert_eq!(of("CON"), "attachment; filename=\"_CON.mp4\"");
        assert_eq!(of("com1"), "attachment; filename=\"_com1.mp4\"");
        assert_eq!(of("\u{202E}4pm.exe"), "attachment; filename=\"4pm.exe.mp4\"");
        assert_eq!(of(".hidden"), "attachment; filename=\"hidden.mp4\"");
        assert_eq!(of(" \0 "), "attachment; filename=\"media.mp4\"");
        assert_eq!(of("中文"), "attachment; filename=\"__.mp4\"; filename*=UTF-8''%E4%B8%AD%E6%96%87.mp4");
        assert_eq!(disposition(Show::Inline, "task-7", "srt"), "inline; filename=\"task-7.srt\"");
    }

    proptest! {
        #[test]
        fn the_header_is_valid_and_the_name_reads_back(stem in "\\PC{0,300}|.{0,50}") {
            let value = disposition(Show::Attachment, &stem, "mp3");
            prop_assert!(value.bytes().all(|byte| (0x20..0x7F).contains(&byte)));
            prop_assert_eq!(value.matches('"').count(), 2);
            prop_assert!(!value.contains(['/', '\\']));
            if let Some((_, encoded)) = value.split_once("filename*=UTF-8''") {
                let decoded = url::form_urlencoded::parse(format!("x={}", encoded.replace('+', "%2B").replace('&', "%26")).as_bytes())
                    .next().unwrap().1.into_owned();
                prop_assert_eq!(decoded, format!("{}.mp3", clean(&stem)));
            }
        }
    }
}
