//! A link to a file.

use url::Url;

use super::{NAME, filename, kinds};
use crate::{Candidate, HasAudio, MediaKind, Resolved, Response, key::media_id};

/// The file at `link`, by the head of its answer. The candidate keeps the link itself: what it redirects to is often
/// signed and short-lived.
pub(super) fn resolved(link: &Url, response: &Response, container: Option<&str>) -> Resolved {
    let content_type = response.header("content-type").map(kinds::essence).filter(|essence| !essence.is_empty());
    let title = response
        .header("content-disposition")
        .and_then(filename::from_disposition)
        .or_else(|| filename::from_url(link))
        .or_else(|| filename::from_url(&response.url));
    let audio = kinds::is_audio(&response.url, content_type.as_deref())
        || kinds::is_audio(link, content_type.as_deref())
        || container.is_some_and(kinds::is_audio_container);
    // A coded length is not that of the file.
    let size = response.header("content-length").filter(|_| response.header("content-encoding").is_none());
    let container = container
        .map(str::to_owned)
        .or_else(|| content_type.as_deref().and_then(kinds::container_of_type))
        .or_else(|| kinds::extension(&response.url))
        .or_else(|| kinds::extension(link));
    let kind = if audio { MediaKind::Audio } else { MediaKind::Video };
    Resolved {
        title: super::title(title, link),
        candidates: vec![Candidate {
            content_type,
            container,
            has_audio: if audio { HasAudio::Yes } else { HasAudio::Unknown },
            size: size.and_then(|size| size.trim().parse().ok()).filter(|size| *size > 0),
            ..Candidate::file(link.clone())
        }],
        strategy: "direct".to_owned(),
        ..Resolved::new(NAME, &media_id(link), kind, link.clone())
    }
}
