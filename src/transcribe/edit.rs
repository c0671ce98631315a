//! What a person makes of a transcript. Pure.

use super::text;
use crate::{
    domain::{Segment, Transcript},
    error::{Code, Error, Result},
};

/// The most segments of a transcript.
const MAX_SEGMENTS: usize = 20_000;

/// The longest text of one segment in characters.
const MAX_CHARS: usize = 10_000;

/// Times that differ by less are the same, in seconds: subtitles know milliseconds only.
const SAME: f64 = 0.0015;

/// A corrected line.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Start in seconds.
    pub start: f64,
    /// End in seconds.
    pub end: f64,
    /// What is said.
    pub text: String,
}

/// A correction.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// All lines with their times.
    Lines(Vec<Line>),
    /// The text alone, one line for each segment.
    Text(String),
}

/// The transcript after a correction. Segments that were left as they are keep their words and figures; what the audio is
/// and what heard it stays.
///
/// # Errors
/// `invalid_value`, with the field: times that are no times, outside the audio, out of order or overlapping; a text that
/// is empty or too long; too many segments.
pub fn apply(before: &Transcript, edit: Edit) -> Result<Transcript> {
    let lines = match edit {
        Edit::Lines(lines) => lines,
        Edit::Text(text) => timed(before, &text),
    };
    if lines.len() > MAX_SEGMENTS {
        return Err(refused(format!("There are more than {MAX_SEGMENTS} segments")));
    }
    let mut ended = 0.0;
    for (at, line) in lines.iter().enumerate() {
        check(at, line, ended, before.duration)?;
        ended = line.end;
    }
    let segments: Vec<Segment> = lines.into_iter().enumerate().map(|(id, line)| segment(before, id, line)).collect();
    let text = text::join(segments.iter().map(|segment| segment.text.as_str()));
    Ok(Transcript { text, segments, ..before.clone() })
}

fn check(at: usize, line: &Line, ended: f64, duration: f64) -> Result<()> {
    let wrong = |what: String| Err(refused(format!("Segment {at} {what}")));
    let Line { start, end, text } = line;
    // Negated, so that what is no number is refused as well.
    if !(*start >= 0.0 && *end >= *start) {
        return wrong(format!("lasts from {start} to {end}: times are seconds, the end not before the start"));
    }
    if duration > 0.0 && *end > duration + SAME {
        return wrong(format!("ends at {end}, after the audio's end at {duration}"));
    }
    if !end.is_finite() {
        return wrong("never ends".to_owned());
    }
    if *start < ended - SAME {
        return wrong(format!("starts at {start}, before the end of the one before it at {ended}"));
    }
    match text.trim().chars().count() {
        0 => wrong("has no text: leave it out".to_owned()),
        count if count > MAX_CHARS => wrong(format!("is longer than {MAX_CHARS} characters")),
        _ => Ok(()),
    }
}

/// The segment for a line: the one that was there, if nothing of it has changed.
fn segment(before: &Transcript, id: usize, line: Line) -> Segment {
    let text = text::clean(line.text.as_bytes());
    let is_same =
        |old: &&Segment| old.text == text && (old.start - line.start).abs() < SAME && (old.end - line.end).abs() < SAME;
    // They are in order, so the first one that starts late enough is the only one that can be the same.
    let from = before.segments.partition_point(|old| old.start < line.start - SAME);
    match before.segments.get(from).filter(is_same) {
        Some(old) => Segment { id, ..old.clone() },
        None => Segment { id, start: line.start, end: line.end, text, ..Segment::default() },
    }
}

/// Lines of a text with times: those of the segments when there are as many, else in proportion to their lengths.
fn timed(before: &Transcript, text: &str) -> Vec<Line> {
    let texts: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let line = |start, end, text: &str| Line { start, end, text: text.to_owned() };
    if texts.len() == before.segments.len() {
        let both = before.segments.iter().zip(texts);
        return both.map(|(segment, text)| line(segment.start, segment.end, text)).collect();
    }
    let start = before.segments.first().map_or(0.0, |segment| segment.start);
    let end = before.segments.last().map_or(before.duration, |segment| segment.end);
    let length = |text: &str| text.chars().count() as f64;
    let whole: f64 = texts.iter().map(|text| length(text)).sum();
    let time = |read: f64| start + (end - start) * read / whole;
    let mut read = 0.0;
    let cut = texts.into_iter().map(|text| {
        let from = time(read);
        read += length(text);
        line(from, time(read), text)
    });
    cut.collect()
}

fn refused(detail: String) -> Error {
    Error::new(Code::InvalidValue, detail).with_hint("Correct the segments and send them again.").with_field("segments")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::Word;

    fn line(start: f64, end: f64, text: &str) -> Line {
        Line { start, end, text: text.to_owned() }
    }

    fn heard() -> Transcript {
        let segment = |id, start, end, text: &str| Segment {
            id,
            start,
            end,
            text: text.to_owned(),
            words: vec![Word { word: text.to_owned(), start, end, probability: 0.9 }],
            ..Segment::default()
        };
        Transcript {
            text: "Pleas send. Now.".to_owned(),
            language: "en".to_owned(),
            duration: 6.0,
            segments: vec![segment(0, 0.5, 2.0, "Pleas send."), segment(1, 3.0, 4.0, "Now.")],
            ..Transcript::default()
        }
    }

    #[test]
    fn what_was_left_alone_keeps_its_words() {
        let edit = Edit::Lines(vec![line(0.5, 2.0, " Please send. "), line(3.0, 4.0, "Now."), line(5.0, 6.0, "End.")]);
        let after = apply(&heard(), edit).unwrap();
        assert_eq!(after.text, "Please send. Now. End.");
        assert_eq!((after.language.as_str(), after.duration), ("en", 6.0));
        let kept: Vec<_> = after.segments.iter().map(|segment| (segment.id, segment.words.len())).collect();
        assert_eq!(kept, [(0, 0), (1, 1), (2, 0)]);
    }

    #[test]
    fn a_text_alone_keeps_the_times_or_gets_some() {
        let after = apply(&heard(), Edit::Text("Please send.\n\n Now!\n".to_owned())).unwrap();
        let times: Vec<_> = after.segments.iter().map(|segment| (segment.start, segment.end)).collect();
        assert_eq!(times, [(0.5, 2.0), (3.0, 4.0)]);
        let after = apply(&heard(), Edit::Text("Please send this now.".to_owned())).unwrap();
        assert_eq!((after.segments.len(), after.segments[0].start, after.segments[0].end), (1, 0.5, 4.0));
        assert_eq!(apply(&heard(), Edit::Text(String::new())).unwrap().segments, []);
        assert_eq!(apply(&Transcript::default(), Edit::Text("New.".to_owned())).unwrap().text, "New.");
    }

    #[test]
    fn what_cannot_be_is_named() {
        for (lines, says) in [
            (vec![line(-1.0, 1.0, "a")], "Segment 0 lasts from -1"),
            (vec![line(2.0, 1.0, "a")], "Segment 0 lasts from 2 to 1"),
            (vec![line(f64::NAN, 1.0, "a")], "lasts from NaN"),
            (vec![line(0.0, 6.5, "a")], "ends at 6.5, after the audio's end at 6"),
            (vec![line(0.0, 2.0, "a"), line(1.0, 3.0, "b")], "Segment 1 starts at 1, before the end"),
            (vec![line(0.0, 1.0, " ")], "has no text"),
            (vec![line(0.0, 1.0, &"x".repeat(10_001))], "longer than 10000 characters"),
            (vec![line(0.0, 0.0, "a"); 20_001], "more than 20000 segments"),
        ] {
            let error = apply(&heard(), Edit::Lines(lines)).unwrap_err();
            assert!(error.detail.contains(says), "{}", error.detail);
            assert_eq!(error.field.as_deref(), Some("segments"));
        }
    }

    proptest! {
        #[test]
        fn any_text_gets_times_in_order(text in "([a-z一二]{0,9}\n?){0,9}") {
            let after = apply(&heard(), Edit::Text(text)).unwrap();
            for pair in after.segments.windows(2) {
                prop_assert!(pair[0].end <= pair[1].start + SAME && pair[0].start <= pair[0].end);
            }
        }
    }
}
