//! What a file is, by its first bytes; what it is called or said to be does not count.

/// How many bytes are looked at.
pub(super) const HEAD: usize = 8 * 1024;

/// What is kept as it is but never shown as anything.
const UNKNOWN: (&str, &str) = ("application/octet-stream", "bin");

/// Content type and extension. Only audio and video have names of their own: whatever else it is, a browser that is given
/// the file must not run it.
pub(super) fn of(head: &[u8]) -> (&'static str, &'static str) {
    let packet = |n: usize| head.get(n * 188) == Some(&b'G');
    if packet(0) && packet(1) && packet(2) {
        return ("video/mp2t", "ts");
    }
    if head.starts_with(b"caff\x00\x01") {
        return ("audio/x-caf", "caf");
    }
    let Some(kind) = infer::get(head) else { return UNKNOWN };
    match kind.mime_type() {
        "audio/x-wav" => ("audio/wav", "wav"),
        "audio/x-flac" => ("audio/flac", "flac"),
        "audio/x-aiff" => ("audio/aiff", "aiff"),
        "audio/m4a" => ("audio/mp4", "m4a"),
        "audio/midi" => UNKNOWN,
        mime if mime.starts_with("audio/") || mime.starts_with("video/") => (mime, kind.extension()),
        _ => UNKNOWN,
    }
}

/// Whether a file is audio or video by its first bytes.
pub(super) fn is_media(head: &[u8]) -> bool {
    of(head) != UNKNOWN
}
