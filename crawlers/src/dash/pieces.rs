//! The pieces of one form, from a template, a list, or one file.

use url::Url;

use super::{
    damaged,
    manifest::{List, Template},
    template::{MAX_URL, Values, fill},
};
use crate::{
    CrawlError,
    hls::resolve,
    stream::{MAX_SEGMENTS, Segment, too_many_segments},
};

/// The URLs of a manifest's pieces together, in bytes: every one of twenty thousand may have eight hundred.
pub(super) const MAX_URLS: usize = 16 * 1024 * 1024;

/// What a form is asked for its pieces with.
pub(super) struct Form<'a> {
    pub(super) id: &'a str,
    pub(super) bandwidth: u64,
    /// What URLs are relative to.
    pub(super) base: Url,
    /// Of period, set and form: what is missing further in holds from further out.
    pub(super) templates: [Option<&'a Template>; 3],
    pub(super) lists: [Option<&'a List>; 3],
    /// How long the period is, in seconds, where the manifest tells.
    pub(super) seconds: Option<f64>,
    /// How many bytes the pieces' URLs may still have.
    pub(super) left: usize,
}

/// What goes in front, the pieces, and whether they are one whole file.
pub(super) type Pieces = (Option<Segment>, Vec<Segment>, bool);

impl Form<'_> {
    pub(super) fn pieces(&self) -> Result<Pieces, CrawlError> {
        if let Some(list) = self.lists.into_iter().rev().flatten().find(|list| !list.urls.is_empty()) {
            return self.listed(list);
        }
        let template = self.templates.into_iter().flatten().fold(Template::default(), inherit);
        match &template.media {
            Some(media) => self.templated(&template, media),
            // Everything lies in one file, with its index inside.
            None => {
                let whole = segment(short(self.base.clone())?, self.seconds.unwrap_or(0.0), None);
                Ok((None, self.bounded(std::iter::once(Ok(whole)))?, true))
            }
        }
    }

    fn listed(&self, list: &List) -> Result<Pieces, CrawlError> {
        let timescale = number(list.timescale.as_deref())?.unwrap_or(1).max(1);
        let seconds = number(list.duration.as_deref())?.unwrap_or(0) as f64 / timescale as f64;
        let at = |url: Option<&str>, written: Option<&str>, seconds| {
            let url = url.map_or(Some(self.base.clone()), |url| resolve(&self.base, url)).ok_or_else(bad_url)?;
            Ok::<_, CrawlError>(segment(short(url)?, seconds, written.map(range).transpose()?))
        };
        if list.urls.len() > MAX_SEGMENTS {
            return Err(too_many_segments());
        }
        let init = list.init.as_ref().map(|init| at(init.source.as_deref(), init.range.as_deref(), 0.0)).transpose()?;
        let pieces = list.urls.iter().map(|one| at(one.media.as_deref(), one.range.as_deref(), seconds));
        Ok((init, self.bounded(pieces)?, false))
    }

    fn templated(&self, template: &Template, media: &str) -> Result<Pieces, CrawlError> {
        let timescale = number(template.timescale.as_deref())?.unwrap_or(1).max(1);
        let url = |name: &str, number, time| {
            let values = Values { id: self.id, bandwidth: self.bandwidth, number, time };
            let name = fill(name, values).ok_or_else(damaged)?;
            short(resolve(&self.base, &name).ok_or_else(bad_url)?)
        };
        let first = number(template.start_number.as_deref())?.unwrap_or(1);
        let times = match &template.timeline {
            Some(_) => self.timeline(template, timescale)?,
            None => self.even(template, first, timescale)?,
        };
        // The number after the last one must exist, too.
        first.checked_add(times.len() as u64).ok_or_else(damaged)?;
        let init = match &template.init {
            Some(init) => Some(segment(url(init, first, 0)?, 0.0, None)),
            None => None,
        };
        let pieces = times.iter().zip(first..).map(|((time, length), number)| {
            Ok(segment(url(media, number, *time)?, *length as f64 / timescale as f64, None))
        });
        Ok((init, self.bounded(pieces)?, false))
    }

    /// The pieces, unless their URLs are longer together than any real manifest's.
    fn bounded(&self, pieces: impl Iterator<Item = Result<Segment, CrawlError>>) -> Result<Vec<Segment>, CrawlError> {
        let mut left = self.left;
        pieces
            .map(|piece| {
                let piece = piece?;
                left = left.checked_sub(piece.url.as_str().len()).ok_or_else(too_long)?;
                Ok(piece)
            })
            .collect()
    }

    /// Begin and length of each piece, as the timeline says.
    fn timeline(&self, template: &Template, timescale: u64) -> Result<Vec<(u64, u64)>, CrawlError> {
        let runs = template.timeline.as_ref().map_or(&[][..], |timeline| &timeline.runs);
        let offset = number(template.offset.as_deref())?.unwrap_or(0);
        let end = self.seconds.map(|seconds| offset.saturating_add((seconds * timescale as f64) as u64));
        let mut times: Vec<(u64, u64)> = Vec::new();
        let mut now = 0_u64;
        for (at, run) in runs.iter().enumerate() {
            now = number(run.time.as_deref())?.unwrap_or(now);
            let length = number(run.duration.as_deref())?.filter(|length| *length > 0).ok_or_else(damaged)?;
            let repeat: i64 = run.repeat.as_deref().map_or(Ok(0), str::parse).map_err(|_| damaged())?;
            let count = match u64::try_from(repeat) {
                Ok(repeat) => repeat.saturating_add(1),
                // Until the next run, or the end.
                Err(_) => {
                    let next = runs.get(at + 1).map(|next| number(next.time.as_deref())).transpose()?.flatten();
                    next.or(end).ok_or_else(damaged)?.saturating_sub(now).div_ceil(length)
                }
            };
            if count.saturating_add(times.len() as u64) > MAX_SEGMENTS as u64 {
                return Err(too_many_segments());
            }
            for _ in 0..count {
                times.push((now, length));
                now = now.checked_add(length).ok_or_else(damaged)?;
            }
        }
        Ok(times)
    }

    /// Begin and length of pieces that are all of the same length.
    fn even(&self, template: &Template, first: u64, timescale: u64) -> Result<Vec<(u64, u64)>, CrawlError> {
        let duration = template.duration.as_deref().map(|text| text.trim().parse::<f64>().map_err(|_| damaged()));
        let Some(duration) = duration.transpose()?.filter(|length| length.is_finite() && *length >= 1.0) else {
            return Err(damaged());
        };
        let count = match (number(template.end_number.as_deref())?, self.seconds) {
            (Some(last), _) => last.checked_sub(first).ok_or_else(damaged)?.saturating_add(1),
            // The total is rounded; a piece of less than a thousandth is none.
            (None, Some(seconds)) => (seconds * timescale as f64 / duration - 0.001).ceil().max(1.0) as u64,
            (None, None) => return Err(damaged()),
        };
        if count > MAX_SEGMENTS as u64 {
            return Err(too_many_segments());
        }
        let offset = number(template.offset.as_deref())?.unwrap_or(0);
        let times = (0..count).map(|at| (offset.saturating_add((at as f64 * duration) as u64), duration as u64));
        Ok(times.collect())
    }
}

/// What a template further in leaves out holds from further out.
fn inherit(outer: Template, inner: &Template) -> Template {
    let inner = inner.clone();
    Template {
        media: inner.media.or(outer.media),
        init: inner.init.or(outer.init),
        start_number: inner.start_number.or(outer.start_number),
        end_number: inner.end_number.or(outer.end_number),
        duration: inner.duration.or(outer.duration),
        timescale: inner.timescale.or(outer.timescale),
        offset: inner.offset.or(outer.offset),
        timeline: inner.timeline.or(outer.timeline),
    }
}

fn segment(url: Url, seconds: f64, byte_range: Option<(u64, u64)>) -> Segment {
    Segment { url, duration: seconds as f32, byte_range, key: None }
}

fn number(text: Option<&str>) -> Result<Option<u64>, CrawlError> {
    text.map(|text| text.trim().parse().map_err(|_| damaged())).transpose()
}

/// `first-last`, as offset and length.
fn range(text: &str) -> Result<(u64, u64), CrawlError> {
    let (first, last) = text.split_once('-').ok_or_else(damaged)?;
    let (first, last): (u64, u64) =
        (first.trim().parse().map_err(|_| damaged())?, last.trim().parse().map_err(|_| damaged())?);
    let length = last.checked_sub(first).and_then(|length| length.checked_add(1)).ok_or_else(damaged)?;
    Ok((first, length))
}

fn short(url: Url) -> Result<Url, CrawlError> {
    if url.as_str().len() > MAX_URL { Err(too_long()) } else { Ok(url) }
}

fn too_long() -> CrawlError {
    super::unavailable("The DASH manifest's addresses are longer than any real one's.")
}

fn bad_url() -> CrawlError {
    super::unavailable("The DASH manifest points to an address that is not a plain http or https link.")
}
