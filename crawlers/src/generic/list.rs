//! Plain lists of URLs (`.m3u`, `.pls`) and HLS.

use url::Url;

use super::{NAME, filename, session::Session};
use crate::{
    Candidate, CrawlError, Delivery, ErrorClass, HasAudio, MediaKind, Resolved, Response, Subtitle,
    hls::{self, Choice, Playlist},
    key::media_id,
    link::is_fetchable,
};

/// The playable form of an HLS link.
pub(super) struct Stream {
    /// Media playlists, the best first; the first one has been read and can be played.
    pub(super) candidates: Vec<Candidate>,
    pub(super) audio_only: bool,
    pub(super) duration_ms: u64,
    pub(super) subtitles: Vec<Subtitle>,
}

/// Whether a text that starts with `#EXTM3U` is HLS; the same line begins plain lists.
pub(super) fn is_hls(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).lines().any(|line| line.trim_start().starts_with("#EXT-X-"))
}

/// The first URL of a plain list.
pub(super) fn first_url(body: &[u8], base: &Url) -> Result<Url, CrawlError> {
    let text = String::from_utf8_lossy(body);
    let entries = text.trim_start_matches('\u{feff}').lines().map(str::trim).filter_map(|line| {
        match line.split_once('=') {
            Some((key, value)) if is_file(key.trim()) => Some(value.trim()),
            _ if line.starts_with(['#', '[', '<']) || line.is_empty() => None,
            // The other keys of a .pls.
            Some((key, _)) if key.chars().all(|c| c.is_ascii_alphanumeric()) => None,
            _ => Some(line),
        }
    });
    entries
        .filter_map(|entry| base.join(entry).ok())
        .find(is_fetchable)
        .ok_or_else(|| CrawlError::new(ErrorClass::NoMediaFound, "The playlist has no entry that can be fetched."))
}

/// Whether it is the key of an entry in a .pls: `File1`.
fn is_file(key: &str) -> bool {
    let number = key.get(..4).filter(|word| word.eq_ignore_ascii_case("file")).map(|_| &key[4..]);
    number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Reads an HLS playlist, and the rendition that it leads to.
pub(super) async fn stream(session: &Session<'_>, response: &Response) -> Result<Stream, CrawlError> {
    let master = match parse(response)? {
        Playlist::Media(media) => {
            return Ok(Stream {
                candidates: vec![candidate(response.url.clone(), HasAudio::Unknown, None)],
                audio_only: false,
                duration_ms: media.duration_ms,
                subtitles: Vec::new(),
            });
        }
        Playlist::Master(master) => master,
    };
    let mut refused = None;
    for (at, choice) in master.choices.iter().enumerate() {
        match rendition(session, choice).await {
            Ok(duration_ms) => {
                let rest = master.choices[at..].iter();
                return Ok(Stream {
                    candidates: rest.map(|one| candidate(one.url.clone(), one.has_audio, one.bandwidth)).collect(),
                    audio_only: choice.audio_only,
                    duration_ms,
                    subtitles: master.subtitles,
                });
            }
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    // A master playlist has at least one choice, so there is a reason.
    Err(refused.unwrap_or_else(|| CrawlError::new(ErrorClass::NoMediaFound, "The HLS playlist leads nowhere.")))
}

/// A pasted HLS link.
pub(super) async fn resolved(session: &Session<'_>, link: &Url, response: &Response) -> Result<Resolved, CrawlError> {
    let stream = stream(session, response).await?;
    let kind = if stream.audio_only { MediaKind::Audio } else { MediaKind::Video };
    Ok(Resolved {
        title: super::title(filename::from_url(link), link),
        duration_ms: Some(stream.duration_ms).filter(|ms| *ms > 0),
        candidates: stream.candidates,
        subtitles: stream.subtitles,
        strategy: "hls".to_owned(),
        ..Resolved::new(NAME, &media_id(link), kind, link.clone())
    })
}

/// Reads one rendition and says how long it is.
async fn rendition(session: &Session<'_>, choice: &Choice) -> Result<u64, CrawlError> {
    match parse(&session.read(&choice.url).await?)? {
        Playlist::Media(media) => Ok(media.duration_ms),
        Playlist::Master(_) => {
            Err(CrawlError::new(ErrorClass::Unavailable, "The HLS playlist leads to another list of renditions."))
        }
    }
}

fn parse(response: &Response) -> Result<Playlist, CrawlError> {
    // Half a playlist would be half the talk.
    if response.truncated {
        return Err(CrawlError::new(ErrorClass::Unavailable, "The HLS playlist is too large."));
    }
    hls::parse(&response.body, &response.url)
}

fn candidate(url: Url, has_audio: HasAudio, bitrate: Option<u64>) -> Candidate {
    Candidate {
        delivery: Delivery::Hls,
        content_type: Some("application/vnd.apple.mpegurl".to_owned()),
        has_audio,
        bitrate: bitrate.filter(|bitrate| *bitrate > 0),
        ..Candidate::file(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_file_of_a_list_is_found() {
        let base = Url::parse("https://a.example/l/").unwrap();
        for (text, found) in [
            ("[playlist]\nNumberOfEntries=1\nfilename=x.mp3\nFile1=a.mp3\nTitle1=T", Some("https://a.example/l/a.mp3")),
            ("file12 = b.mp3", Some("https://a.example/l/b.mp3")),
            ("#EXTM3U\nfile.php?id=7", Some("https://a.example/l/file.php?id=7")),
            ("file=x.mp3\nfilé=y", Some("https://a.example/l/fil%C3%A9=y")),
            ("[playlist]", None),
        ] {
            assert_eq!(first_url(text.as_bytes(), &base).ok().as_ref().map(Url::as_str), found, "{text}");
        }
    }
}
