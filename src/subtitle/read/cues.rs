//! WebVTT and SubRip, which are one thing for a reader: times with an arrow between them, and text up to an empty line.
//!
//! Everything else (numbers, names, styles, notes, regions) has no arrow and says nothing.

use super::{Raw, marks};
use crate::subtitle::time;

pub(super) fn read(text: &str) -> Vec<Raw> {
    let is_vtt = text.starts_with("WEBVTT");
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut found: Vec<Raw> = Vec::new();
    let mut is_open = false;
    for line in text.split('\n') {
        if let Some((start, end)) = times(line) {
            // Where the empty line between two cues is missing, the number of the second one looks like text.
            if let Some(before) = found.last_mut().filter(|_| is_open)
                && before.lines.last().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()))
            {
                before.lines.pop();
            }
            found.push(Raw { start, end, lines: Vec::new() });
            is_open = true;
        } else if line.trim().is_empty() {
            is_open = false;
        } else if let Some(cue) = found.last_mut().filter(|_| is_open) {
            cue.lines.push(line.trim().to_owned());
        }
    }
    for cue in &mut found {
        // A tag may begin on one line and end on the next.
        let text = marks::strip(&cue.lines.join("\n"), is_vtt);
        cue.lines = text.split('\n').map(|line| line.trim().to_owned()).filter(|line| !line.is_empty()).collect();
    }
    found
}

/// The times of a line such as `00:01.500 --> 00:04.000 align:start`, in milliseconds.
fn times(line: &str) -> Option<(u64, u64)> {
    let (start, rest) = line.split_once("-->")?;
    let end = rest.split_whitespace().next()?;
    Some((clock(start.trim())?, clock(end)?))
}

/// `[[hours:]minutes:]seconds` with a point or a comma before the fraction, in milliseconds.
fn clock(text: &str) -> Option<u64> {
    let is_clock = |c: char| c.is_ascii_digit() || matches!(c, ':' | '.' | ',');
    if text.is_empty() || !text.chars().all(is_clock) || text.split(':').count() > 3 {
        return None;
    }
    let parts = text.split(':').map(|part| part.replace(',', ".").parse::<f64>().ok());
    let seconds = parts.reduce(|sum, part| Some(sum? * 60.0 + part?))??;
    Some(time::millis(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_are_read_as_people_write_them() {
        for (text, expected) in [
            ("00:00:00.080", Some(80)),
            ("00:02,440", Some(2_440)),
            ("1:02:03.5", Some(3_723_500)),
            ("100:00:00.000", Some(360_000_000)),
            ("7", Some(7_000)),
            ("", None),
            ("1:2:3:4", None),
            ("-1:00", None),
            ("1e3", None),
            ("::", None),
            ("1.2.3", None),
        ] {
            assert_eq!(clock(text), expected, "{text}");
        }
    }
}
