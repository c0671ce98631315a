//! DASH manifests: which form to listen to, and its pieces. Pure.
//!
//! What cannot be played is refused here: live streams, protected ones, and those whose pieces cannot be joined.

mod choose;
mod manifest;
mod pieces;
mod template;

use url::Url;

use crate::{
    CrawlError, ErrorClass, Subtitle, feed,
    generic::{duration_ms, kinds},
    hls::resolve,
    stream::{MAX_SEGMENTS, Stream, is_live, is_protected, too_many_segments},
};
use choose::{Choice, Protected, choose};
use manifest::{BaseUrl, Mpd, Period};
use pieces::{Form, MAX_URLS};

/// Elements nested deeper than this are refused.
const MAX_DEPTH: usize = 50;

/// The form to listen to.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Its pieces.
    pub stream: Stream,
    /// Whether the stream's only piece is a whole file.
    pub is_file: bool,
    /// Whether it is sound only.
    pub audio_only: bool,
    /// Bits per second, where the manifest says.
    pub bandwidth: Option<u64>,
    /// Captions that are files of their own.
    pub subtitles: Vec<Subtitle>,
}

/// Reads a manifest that was fetched from `base` (the URL after redirects).
pub fn parse(body: &[u8], base: &Url) -> Result<Manifest, CrawlError> {
    let text = String::from_utf8_lossy(body);
    // Real manifests stay below a dozen.
    if feed::depth(body) > MAX_DEPTH {
        return Err(damaged());
    }
    let mpd: Mpd = quick_xml::de::from_str(&text).map_err(|_| damaged())?;
    if mpd.kind.as_deref() == Some("dynamic") {
        return Err(is_live());
    }
    if !mpd.protection.is_empty() {
        return Err(is_protected());
    }
    let base = below(base.clone(), &mpd.base)?;
    let mut whole: Option<Manifest> = None;
    let mut left = MAX_URLS;
    for (at, period) in mpd.periods.iter().enumerate() {
        let Some(choice) = choose(period).map_err(|Protected| is_protected())? else { continue };
        let part = part(period, &choice, &base, seconds(&mpd, at), left)?;
        left = part.stream.segments.iter().fold(left, |left, one| left.saturating_sub(one.url.as_str().len()));
        whole = Some(match whole {
            None => part,
            Some(whole) => joined(whole, part)?,
        });
    }
    let mut whole = whole.filter(|whole| !whole.stream.segments.is_empty()).ok_or_else(|| {
        CrawlError::new(ErrorClass::NoMediaFound, "The DASH manifest names no stream that has sound.")
    })?;
    if let Some(said) = mpd.duration.as_deref().and_then(duration_ms) {
        whole.stream.duration_ms = said;
    }
    whole.subtitles = mpd.periods.first().map(|period| subtitles(period, &base)).unwrap_or_default();
    Ok(whole)
}

/// What a period gives. `left` is how many bytes its URLs may have.
fn part(
    period: &Period,
    choice: &Choice<'_>,
    base: &Url,
    seconds: Option<f64>,
    left: usize,
) -> Result<Manifest, CrawlError> {
    let Choice { set, form, .. } = *choice;
    let base = below(below(below(base.clone(), &period.base)?, &set.base)?, &form.base)?;
    let asked = Form {
        id: form.id.as_deref().unwrap_or_default(),
        bandwidth: choice.bandwidth,
        base,
        templates: [&period.template, &set.template, &form.template].map(Option::as_ref),
        lists: [&period.list, &set.list, &form.list].map(Option::as_ref),
        seconds,
        left,
    };
    let (init, segments, is_file) = asked.pieces()?;
    let total: f64 = segments.iter().map(|one| f64::from(one.duration)).filter(|one| one.is_finite()).sum();
    Ok(Manifest {
        stream: Stream { segments, init, duration_ms: (total * 1000.0).round() as u64 },
        is_file,
        audio_only: choice.audio_only,
        bandwidth: Some(choice.bandwidth).filter(|bandwidth| *bandwidth > 0),
        subtitles: Vec::new(),
    })
}

/// Two periods as one. Pieces behind the header of others decode to noise, so they must share it.
fn joined(mut whole: Manifest, next: Manifest) -> Result<Manifest, CrawlError> {
    if whole.is_file || next.is_file || whole.stream.init != next.stream.init {
        return Err(unavailable("The DASH manifest changes its format in the middle, which trawl cannot join."));
    }
    whole.stream.segments.extend(next.stream.segments);
    if whole.stream.segments.len() > MAX_SEGMENTS {
        return Err(too_many_segments());
    }
    whole.stream.duration_ms = whole.stream.duration_ms.saturating_add(next.stream.duration_ms);
    Ok(whole)
}

/// How long a period is: as it says, until the next begins, or until the end of all.
fn seconds(mpd: &Mpd, at: usize) -> Option<f64> {
    let read = |text: &Option<String>| text.as_deref().and_then(duration_ms).map(|ms| ms as f64 / 1000.0);
    let period = &mpd.periods[at];
    let start = read(&period.start).or((at == 0).then_some(0.0));
    let end = match mpd.periods.get(at + 1) {
        Some(next) => read(&next.start),
        None => read(&mpd.duration),
    };
    read(&period.duration).or_else(|| Some(end? - start?)).filter(|seconds| *seconds > 0.0)
}

/// Captions that are one file each.
fn subtitles(period: &Period, base: &Url) -> Vec<Subtitle> {
    let tracks = period.sets.iter().filter_map(|set| {
        let form = set.forms.first()?;
        let mime = form.mime_type.as_deref().or(set.mime_type.as_deref())?;
        let file = form.base.first().or(set.base.first())?;
        let url = below(below(base.clone(), &period.base).ok()?, std::slice::from_ref(file)).ok()?;
        let format = kinds::subtitle_format(Some(mime), &url).filter(|format| format == "vtt")?;
        Some(Subtitle { language: set.language.clone(), format: Some(format), ..Subtitle::at(url) })
    });
    tracks.collect()
}

/// A URL further in: of several places the first.
fn below(base: Url, further: &[BaseUrl]) -> Result<Url, CrawlError> {
    let Some(first) = further.first() else { return Ok(base) };
    resolve(&base, first.url.trim())
        .ok_or_else(|| unavailable("The DASH manifest points to an address that is not a plain http or https link."))
}

fn damaged() -> CrawlError {
    unavailable("The DASH manifest is damaged and cannot be read.")
}

fn unavailable(message: &str) -> CrawlError {
    CrawlError::new(ErrorClass::Unavailable, message)
}

#[cfg(test)]
mod tests;
