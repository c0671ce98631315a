//! Bytes of a page to text.

use encoding_rs::{Encoding, UTF_8};

/// Browsers look this far for a `<meta charset>`.
const LOOK: usize = 1024;

/// Decodes by byte order mark, then the header's charset, then the page's own `<meta>`, then as UTF-8.
pub(in crate::generic) fn decode(body: &[u8], content_type: Option<&str>) -> String {
    let declared = content_type.and_then(named).or_else(|| {
        let head = String::from_utf8_lossy(&body[..body.len().min(LOOK)]).to_ascii_lowercase();
        let meta = &head[head.find("<meta")?..];
        // A page that could be read as ASCII to here is not UTF-16, whatever it says.
        named(meta).map(Encoding::output_encoding)
    });
    declared.unwrap_or(UTF_8).decode(body).0.into_owned()
}

/// The charset named after `charset=`.
fn named(text: &str) -> Option<&'static Encoding> {
    let text = text.to_ascii_lowercase();
    let value = text[text.find("charset")? + "charset".len()..].trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let end = value.find(|c: char| !(c.is_ascii_alphanumeric() || "-_:.".contains(c))).unwrap_or(value.len());
    Encoding::for_label(&value.as_bytes()[..end])
}
