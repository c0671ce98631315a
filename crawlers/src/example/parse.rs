//! A clip out of an answer. Pure, and never surprised: any field may be missing, of another type, or somebody else's.

use serde_json::Value;
use url::Url;

use crate::{Candidate, CrawlError, ErrorClass, HasAudio, MediaKind, Resolved, Response, link::is_fetchable, loose};

use super::NAME;

/// The clip that was asked for, or what is in its place.
pub(super) fn clip(response: &Response, id: &str) -> Result<Resolved, CrawlError> {
    let (class, message) = match response.status {
        200..=299 => return read(&serde_json::from_slice(&response.body).unwrap_or_default(), id),
        404 | 410 => (ErrorClass::NotFound, "The clip has been deleted."),
        429 => (ErrorClass::RateLimited, "The site says that we ask too often. Try again later."),
        500..=599 => (ErrorClass::SiteError, "The site has a problem at the moment. Try again later."),
        _ => (ErrorClass::Blocked, "The site refuses the request. Try again later."),
    };
    Err(CrawlError::new(class, message).with_retry_after(response.retry_after()))
}

fn read(clip: &Value, id: &str) -> Result<Resolved, CrawlError> {
    let refused = |class, message| Err(CrawlError::new(class, message));
    match loose::id(&clip["id"]) {
        Some(found) if found == id => {}
        Some(_) => return refused(ErrorClass::IdMismatch, "The site answered with another clip."),
        None => return refused(ErrorClass::Blocked, "The site held the clip back. Try again later."),
    }
    // What comes out is a plain http(s) URL, whatever came in.
    let file = loose::text(&clip["file"]).and_then(|url| Url::parse(url).ok()).filter(is_fetchable);
    let Some(file) = file else { return refused(ErrorClass::NoMediaFound, "The clip has no file.") };
    let page = Url::parse(&format!("https://clips.example/v/{id}")).expect("a constant and digits make a URL");
    let mut found = Resolved::new(NAME, id, MediaKind::Video, page);
    if let Some(title) = loose::text(&clip["title"]) {
        found.title = title.to_owned();
    }
    found.candidates = vec![Candidate { has_audio: HasAudio::Yes, ..Candidate::file(file) }];
    Ok(found)
}
