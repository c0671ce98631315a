//! A link to a DASH manifest.

use url::Url;

use super::{NAME, filename};
use crate::{
    Candidate, CrawlError, Delivery, ErrorClass, HasAudio, MediaKind, Resolved, Response,
    dash::{Manifest, parse},
    key::media_id,
};

/// The manifest in an answer.
pub(super) fn read(response: &Response) -> Result<Manifest, CrawlError> {
    // Half a manifest would be half the talk.
    if response.truncated {
        return Err(CrawlError::new(ErrorClass::Unavailable, "The DASH manifest is too large."));
    }
    parse(&response.body, &response.url)
}

/// What to download for the manifest at `link`: it, or the one file that it names.
pub(super) fn candidate(link: &Url, manifest: &Manifest) -> Candidate {
    let file =
        manifest.stream.segments.first().filter(|_| manifest.is_file).map(|file| Candidate::file(file.url.clone()));
    Candidate {
        has_audio: if manifest.audio_only { HasAudio::Yes } else { HasAudio::Unknown },
        bitrate: manifest.bandwidth,
        ..file.unwrap_or_else(|| Candidate {
            delivery: Delivery::Dash,
            content_type: Some("application/dash+xml".to_owned()),
            ..Candidate::file(link.clone())
        })
    }
}

/// A pasted manifest.
pub(super) fn resolved(link: &Url, response: &Response) -> Result<Resolved, CrawlError> {
    let manifest = read(response)?;
    let kind = if manifest.audio_only { MediaKind::Audio } else { MediaKind::Video };
    Ok(Resolved {
        title: super::title(filename::from_url(link), link),
        duration_ms: Some(manifest.stream.duration_ms).filter(|ms| *ms > 0),
        candidates: vec![candidate(link, &manifest)],
        subtitles: manifest.subtitles,
        strategy: "dash".to_owned(),
        ..Resolved::new(NAME, &media_id(link), kind, link.clone())
    })
}
