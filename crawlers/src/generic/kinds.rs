//! What an answer or a URL is, told from type, extension and first bytes.

use url::Url;

use crate::{Delivery, Response};

const AUDIO: [&str; 9] = ["mp3", "m4a", "aac", "wav", "flac", "ogg", "oga", "opus", "wma"];
const VIDEO: [&str; 9] = ["mp4", "m4v", "mov", "mkv", "webm", "avi", "ts", "flv", "3gp"];
/// `ftyp` brands of still pictures.
const PICTURE_BRANDS: [&[u8]; 5] = [b"avif", b"heic", b"heix", b"mif1", b"msf1"];

/// What an answer turned out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Media, with its container where the first bytes tell.
    Media(Option<&'static str>),
    /// Starts with `#EXTM3U`: HLS, or a plain list.
    Playlist,
    /// A list of URLs without that line, or a `.pls`.
    List,
    Feed,
    Dash,
    Html,
    Empty,
    /// Something that is not media, named for people.
    Other(&'static str),
}

pub(super) fn classify(response: &Response) -> Kind {
    let body = response.body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(&response.body).trim_ascii_start();
    if body.is_empty() {
        return Kind::Empty;
    }
    let content_type = essence(response.header("content-type").unwrap_or_default());
    if body.starts_with(b"#EXTM3U") {
        return Kind::Playlist;
    }
    if let Some(container) = container_of(&response.body) {
        return Kind::Media(Some(container));
    }
    if body.get(..10).is_some_and(|head| head.eq_ignore_ascii_case(b"[playlist]"))
        || content_type.contains("mpegurl")
        || content_type.contains("scpls")
    {
        return Kind::List;
    }
    if let Some(kind) = markup(body, &content_type) {
        return kind;
    }
    match content_type.as_str() {
        "application/dash+xml" => Kind::Dash,
        "application/rss+xml" | "application/atom+xml" | "application/feed+json" => Kind::Feed,
        "text/html" | "application/xhtml+xml" => Kind::Html,
        "" | "application/octet-stream" | "binary/octet-stream" if extension(&response.url).is_some() => {
            Kind::Media(None)
        }
        "application/ogg" | "application/mp4" => Kind::Media(None),
        other if other.starts_with("audio/") || other.starts_with("video/") => Kind::Media(None),
        other if other.starts_with("image/") => Kind::Other("a picture"),
        other if other.ends_with("json") => Kind::Other("JSON data"),
        "application/pdf" => Kind::Other("a PDF document"),
        other if other.starts_with("text/") => Kind::Other("plain text"),
        _ => Kind::Other("a file of another kind"),
    }
}

/// The first element decides, because XML and HTML travel under each other's types and under none.
fn markup(body: &[u8], content_type: &str) -> Option<Kind> {
    if body[0] != b'<' {
        return None;
    }
    let head = String::from_utf8_lossy(&body[..body.len().min(4096)]).to_ascii_lowercase();
    let mut rest = head.as_str();
    loop {
        rest = &rest[rest.find('<')?..];
        let skip = match rest {
            _ if rest.starts_with("<!doctype html") => return Some(Kind::Html),
            _ if rest.starts_with("<!--") => "-->",
            _ if rest.starts_with("<!") || rest.starts_with("<?") => ">",
            _ => break,
        };
        rest = &rest[rest.find(skip)? + skip.len()..];
    }
    let name = rest[1..].split(|c: char| c.is_whitespace() || c == '>' || c == '/').next().unwrap_or_default();
    match name {
        "rss" | "feed" | "rdf:rdf" => Some(Kind::Feed),
        "mpd" => Some(Kind::Dash),
        "svg" => Some(Kind::Other("a picture")),
        _ if content_type.ends_with("xml") && content_type != "application/xhtml+xml" && name != "html" => {
            Some(Kind::Other("XML data"))
        }
        _ => Some(Kind::Html),
    }
}

/// The container, by the file's first bytes.
pub(super) fn container_of(bytes: &[u8]) -> Option<&'static str> {
    let at = |offset: usize, magic: &[u8]| bytes.get(offset..).is_some_and(|rest| rest.starts_with(magic));
    if at(4, b"ftyp") {
        let brand = bytes.get(8..12)?;
        return match brand {
            _ if PICTURE_BRANDS.contains(&brand) => None,
            b"M4A " | b"M4B " => Some("m4a"),
            b"qt  " => Some("mov"),
            _ => Some("mp4"),
        };
    }
    let sync = |second: u8| second & 0xE0 == 0xE0;
    match bytes {
        _ if at(0, b"ID3") => Some("mp3"),
        _ if at(0, b"\x1A\x45\xDF\xA3") => Some(if contains(bytes, b"webm") { "webm" } else { "mkv" }),
        _ if at(0, b"OggS") => Some("ogg"),
        _ if at(0, b"RIFF") && at(8, b"WAVE") => Some("wav"),
        _ if at(0, b"RIFF") && at(8, b"AVI ") => Some("avi"),
        _ if at(0, b"fLaC") => Some("flac"),
        _ if at(0, b"FLV\x01") => Some("flv"),
        _ if at(0, b"#!AMR") => Some("amr"),
        _ if at(0, b"\x30\x26\xB2\x75\x8E\x66\xCF\x11") => Some("wma"),
        _ if at(0, b"G") && at(188, b"G") => Some("ts"),
        [0xFF, 0xF0 | 0xF1 | 0xF8 | 0xF9, ..] => Some("aac"),
        // Layer II or III; layer I would take UTF-16 text for sound.
        [0xFF, second, ..] if sync(*second) && matches!(second & 0x06, 0x02 | 0x04) => Some("mp3"),
        _ => None,
    }
}

fn contains(bytes: &[u8], needle: &[u8]) -> bool {
    bytes.get(..64).unwrap_or(bytes).windows(needle.len()).any(|window| window == needle)
}

/// The extension of the URL's last path segment, when it is one of media.
pub(crate) fn extension(url: &Url) -> Option<String> {
    let name = url.path_segments()?.next_back()?.to_ascii_lowercase();
    let (_, extension) = name.rsplit_once('.')?;
    (AUDIO.contains(&extension) || VIDEO.contains(&extension) || extension == "amr").then(|| extension.to_owned())
}

/// Whether the URL's path ends in that of an HLS playlist.
pub(crate) fn is_playlist(url: &Url) -> bool {
    url.path().to_ascii_lowercase().ends_with(".m3u8")
}

/// How a URL that a page offers as media would be delivered; `None` when it is no media that trawl can take.
pub(crate) fn delivery(url: &Url, content_type: Option<&str>) -> Option<Delivery> {
    let content_type = essence(content_type.unwrap_or_default());
    if content_type.contains("mpegurl") || is_playlist(url) {
        return Some(Delivery::Hls);
    }
    if content_type == "application/dash+xml" || url.path().to_ascii_lowercase().ends_with(".mpd") {
        return Some(Delivery::Dash);
    }
    let media = content_type.starts_with("audio/")
        || content_type.starts_with("video/")
        || matches!(content_type.as_str(), "application/ogg" | "application/mp4");
    (media || (matches!(content_type.as_str(), "" | "application/octet-stream") && extension(url).is_some()))
        .then_some(Delivery::File)
}

/// Whether a feed's enclosure can be listened to.
pub(crate) fn sounds(url: &Url, content_type: Option<&str>) -> bool {
    delivery(url, content_type).is_some() || extension(url).is_some()
}

/// Whether it is sound only, as far as type and extension tell.
pub(crate) fn is_audio(url: &Url, content_type: Option<&str>) -> bool {
    match essence(content_type.unwrap_or_default()) {
        content_type if content_type.starts_with("audio/") => !content_type.contains("mpegurl"),
        content_type if content_type.starts_with("video/") => false,
        _ => extension(url).is_some_and(|extension| AUDIO.contains(&extension.as_str()) || extension == "amr"),
    }
}

/// The format of a caption file.
pub(crate) fn subtitle_format(content_type: Option<&str>, url: &Url) -> Option<String> {
    match essence(content_type.unwrap_or_default()).as_str() {
        "text/vtt" => Some("vtt".to_owned()),
        "application/srt" | "application/x-subrip" | "text/srt" => Some("srt".to_owned()),
        "application/json" => Some("json".to_owned()),
        "text/html" => Some("html".to_owned()),
        _ => {
            let path = url.path().to_ascii_lowercase();
            ["vtt", "srt", "json", "ttml"].into_iter().find(|ext| path.ends_with(&format!(".{ext}"))).map(str::to_owned)
        }
    }
}

/// The media type without its parameters, in lower case.
pub(crate) fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// The container that a media type stands for.
pub(crate) fn container_of_type(content_type: &str) -> Option<String> {
    let container = match essence(content_type).as_str() {
        "audio/mpeg" | "audio/mp3" => "mp3",
        "audio/mp4" | "audio/x-m4a" | "audio/m4a" => "m4a",
        "audio/aac" => "aac",
        "audio/wav" | "audio/x-wav" | "audio/wave" => "wav",
        "audio/flac" | "audio/x-flac" => "flac",
        "audio/ogg" | "application/ogg" => "ogg",
        "audio/opus" => "opus",
        "video/mp4" | "application/mp4" => "mp4",
        "video/webm" | "audio/webm" => "webm",
        "video/quicktime" => "mov",
        "video/x-matroska" => "mkv",
        "video/mp2t" => "ts",
        _ => return None,
    };
    Some(container.to_owned())
}

/// Whether a container holds sound only.
pub(super) fn is_audio_container(container: &str) -> bool {
    AUDIO.contains(&container) || container == "amr"
}
