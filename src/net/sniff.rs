//! Telling media from pages by their first bytes and their content type.

/// How many bytes are enough to tell.
pub(super) const HEAD: usize = 512;

/// Whether these first bytes are a media file's.
pub(super) fn is_media(head: &[u8]) -> bool {
    const STARTS: [&[u8]; 9] = [
        b"ID3",
        b"\x1a\x45\xdf\xa3",
        b"OggS",
        b"fLaC",
        b"FLV\x01",
        b"#!AMR",
        b"\x30\x26\xb2\x75\x8e\x66\xcf\x11",
        b"\x00\x00\x01\xba",
        b"caff\x00\x01",
    ];
    let at = |from: usize, word: &[u8]| head.get(from..).is_some_and(|rest| rest.starts_with(word));
    STARTS.iter().any(|start| at(0, start))
        || at(4, b"ftyp")
        || (at(0, b"RIFF") && (at(8, b"WAVE") || at(8, b"AVI ")))
        || (at(0, b"FORM") && (at(8, b"AIFF") || at(8, b"AIFC")))
        // MPEG audio: the sync bits with a layer, and a bit rate and sample rate that exist; ADTS has layer 0.
        || matches!(head, [0xff, second, third, ..] if second & 0xf6 == 0xf0 || (second & 0xe6 > 0xe0 && third & 0xf0 != 0xf0 && third & 0x0c != 0x0c))
        // A transport stream: a sync byte in every packet.
        || (at(0, b"G") && at(188, b"G") && at(376, b"G"))
}

/// Whether these first bytes are a page's.
pub(super) fn is_page(head: &[u8]) -> bool {
    const STARTS: [&str; 5] = ["<!doctype html", "<html", "<head", "<script", "<body"];
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).trim_ascii_start();
    STARTS.iter().any(|start| head.get(..start.len()).is_some_and(|word| word.eq_ignore_ascii_case(start.as_bytes())))
}

/// Whether these first bytes are an HLS playlist's, which wants to be read whole.
pub(super) fn is_playlist(head: &[u8]) -> bool {
    head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head).starts_with(b"#EXTM3U")
}

/// Whether a content type promises media.
pub(super) fn is_media_type(kind: &str) -> bool {
    let plain = kind.starts_with("audio/") || kind.starts_with("video/");
    let binary = matches!(kind, "application/octet-stream" | "binary/octet-stream" | "application/ogg");
    (plain || binary) && !kind.contains("mpegurl")
}

/// Whether a content type is that of pages and of what APIs say.
pub(super) fn is_page_type(kind: &str) -> bool {
    matches!(kind, "text/html" | "application/xhtml+xml" | "application/json") || kind.ends_with("+json")
}
