//! Which of a post's files to try first for its words: the smallest one that has sound.

use chrono::{DateTime, Utc};
use url::Url;

use crate::{
    Candidate, HasAudio,
    tiktok::{SITE, web::Access},
};

/// More files of one post are not kept, nor more places of one file.
const MAX_TRACKS: usize = 40;
const MAX_URLS: usize = 10;

/// What sort of file it is; also the order among sorts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    /// Sound alone, cut off from its pictures.
    AudioOnly,
    /// One of several encodings.
    Stream,
    /// What the site itself plays.
    Main,
    /// With the platform's mark across the picture.
    Watermarked,
    /// The sound that the post uses.
    Sound,
}

/// One file with the places to get it from.
#[derive(Debug)]
pub(super) struct Track {
    pub(super) sort: Sort,
    pub(super) urls: Vec<Url>,
    pub(super) size: Option<u64>,
    pub(super) bitrate: Option<u64>,
    /// Whatever names its encoding.
    pub(super) codec: String,
}

impl Track {
    pub(super) fn stream(urls: Vec<Url>) -> Self {
        let sort = if is_any(&urls, "/media-audio-") { Sort::AudioOnly } else { Sort::Stream };
        Self { sort, urls, size: None, bitrate: None, codec: String::new() }
    }

    pub(super) fn main(urls: Vec<Url>) -> Self {
        Self { sort: Sort::Main, ..Self::stream(urls) }
    }

    pub(super) fn watermarked(urls: Vec<Url>) -> Self {
        Self { sort: Sort::Watermarked, ..Self::stream(urls) }
    }

    pub(super) fn sound(url: Url) -> Self {
        Self { sort: Sort::Sound, ..Self::stream(vec![url]) }
    }

    /// Pictures alone look like any other encoding but for a word in their path; and no decoder knows the codec `bytevc2`.
    fn is_of_use(&self) -> bool {
        let codec = self.codec.to_ascii_lowercase();
        let is_dash = self.sort != Sort::AudioOnly && codec.split(' ').any(|word| word == "dash");
        !(is_dash || codec.contains("bytevc2") || codec.contains("h266") || is_any(&self.urls, "/media-video-"))
    }
}

fn is_any(urls: &[Url], part: &str) -> bool {
    urls.iter().any(|url| url.path().contains(part))
}

/// What to try, in order.
pub(super) fn candidates(mut tracks: Vec<Track>, access: &Access) -> Vec<Candidate> {
    tracks.retain(Track::is_of_use);
    tracks.sort_by_key(|track| (track.sort, track.size.unwrap_or(u64::MAX), track.bitrate.unwrap_or(u64::MAX)));
    tracks.truncate(MAX_TRACKS);
    let mut candidates: Vec<Candidate> = Vec::new();
    for mut track in tracks {
        track.urls.truncate(MAX_URLS);
        let known = |url: &Url| candidates.iter().any(|one| one.url == *url || one.mirrors.contains(url));
        let is_open = |url: &Url| !is_page_host(url) || (access.chain_token.is_some() && wants_token(url));
        track.urls.retain(|url| is_open(url) && !known(url));
        // Every URL of a candidate is sent the same headers, and the cookie goes only where it is asked for.
        let (with, without): (Vec<_>, Vec<_>) = track.urls.iter().cloned().partition(wants_token);
        candidates.extend([with, without].into_iter().filter_map(|urls| candidate(&track, urls, access)));
    }
    candidates
}

fn candidate(track: &Track, mut urls: Vec<Url>, access: &Access) -> Option<Candidate> {
    // The play endpoint only redirects to one of the others, and not everybody.
    urls.sort_by_key(|url| url.path().contains("/aweme/v1/play"));
    let expires_at = urls.iter().filter_map(expiry).min();
    let mut urls = urls.into_iter();
    let url = urls.next()?;
    let is_audio = matches!(track.sort, Sort::AudioOnly | Sort::Sound);
    let container = match track.sort {
        Sort::AudioOnly => Some("m4a"),
        Sort::Sound => None,
        _ => Some("mp4"),
    };
    Some(Candidate {
        mirrors: urls.collect(),
        container: container.map(str::to_owned),
        has_audio: if is_audio { HasAudio::Yes } else { HasAudio::Unknown },
        size: track.size,
        bitrate: track.bitrate,
        watermark: track.sort == Sort::Watermarked,
        headers: headers(&url, access),
        expires_at,
        ..Candidate::file(url)
    })
}

/// What to send when downloading from TikTok.
pub(in crate::tiktok) fn headers(url: &Url, access: &Access) -> Vec<(String, String)> {
    let mut headers = vec![("Referer".to_owned(), format!("{SITE}/"))];
    if !access.agent.is_empty() {
        headers.push(("User-Agent".to_owned(), access.agent.clone()));
    }
    if let Some(token) = access.chain_token.as_ref().filter(|_| wants_token(url)) {
        headers.push(("Cookie".to_owned(), format!("tt_chain_token={token}")));
    }
    headers
}

/// When a URL stops working, as it says itself.
fn expiry(url: &Url) -> Option<DateTime<Utc>> {
    let told = |(name, _): &(_, _)| matches!(AsRef::<str>::as_ref(name), "expire" | "x-expires");
    let seconds = url.query_pairs().find(told)?.1.parse().ok()?;
    DateTime::from_timestamp(seconds, 0)
}

/// Whether a URL says that it wants the cookie.
fn wants_token(url: &Url) -> bool {
    url.query_pairs().any(|(name, value)| name == "tk" && value == "tt_chain_token")
}

/// Media on the site's own host are for visitors with its cookies.
fn is_page_host(url: &Url) -> bool {
    matches!(url.host_str(), Some("tiktok.com" | "www.tiktok.com" | "m.tiktok.com"))
}
