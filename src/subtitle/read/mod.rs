//! The subtitles of others: WebVTT, SubRip, and the JSON of TikTok's captions and of podcasts' transcripts. Pure.
//!
//! Callers may rely on this: whatever the bytes are, [`read`] does not panic; lines come in the order of their starts and
//! do not overlap unless they start together; no text is empty or holds marks, line ends or control characters.

mod cues;
mod json;
mod marks;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

use super::cue;
use crate::error::{Code, Error, Result};

/// A cue that only holds the line before it on the screen lasts no longer than this, in milliseconds.
const HELD: u64 = 20;

/// What somebody says from one time to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Milliseconds from the start of the media.
    pub start: u64,
    /// Milliseconds from the start of the media, not before the start.
    pub end: u64,
    /// The words, on one line.
    pub text: String,
}

/// A line as it stands in the file.
struct Raw {
    start: u64,
    end: u64,
    /// Its lines on the screen, without marks.
    lines: Vec<String>,
}

/// Reads a file of subtitles; its format is told by its content.
///
/// # Errors
/// `unsupported_format` when it is something else or nothing is said in it.
pub fn read(file: &[u8]) -> Result<Vec<Line>> {
    let text = String::from_utf8_lossy(file);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let raw = match text.starts_with(['{', '[']) {
        true => json::read(text),
        false => cues::read(text),
    };
    let lines = lines(raw);
    match lines.is_empty() {
        true => Err(Error::new(Code::UnsupportedFormat, "The subtitles hold no words, or in a format of their own")),
        false => Ok(lines),
    }
}

fn lines(mut raw: Vec<Raw>) -> Vec<Line> {
    raw.sort_by_key(|line| line.start);
    unroll(&mut raw);
    let mut lines: Vec<Line> = raw.into_iter().filter_map(line).collect();
    lines.dedup();
    for index in 1..lines.len() {
        let next = lines[index].start;
        let before = &mut lines[index - 1];
        if next > before.start {
            before.end = before.end.min(next);
        }
    }
    lines
}

fn line(raw: Raw) -> Option<Line> {
    let clean = cue::lines(&raw.lines.join("\n"));
    let text = cue::Line::join(&clean).text;
    (!text.is_empty()).then(|| Line { start: raw.start, end: raw.end.max(raw.start), text })
}

/// Captions that roll up show each line twice: as the lower one when it is said, then as the upper one. The second time
/// nobody says it.
fn unroll(raw: &mut [Raw]) {
    let mut shown: Option<String> = None;
    for line in raw {
        let last = line.lines.last().cloned();
        let is_repeated = shown.is_some() && line.lines.first() == shown.as_ref();
        if is_repeated && (line.lines.len() > 1 || line.end.saturating_sub(line.start) <= HELD) {
            line.lines.remove(0);
        }
        shown = last.or(shown);
    }
}
