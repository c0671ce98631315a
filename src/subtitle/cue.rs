//! Segments to cues: times in milliseconds and clean lines of text.
//!
//! What is recognised, edited or sent by another engine may hold anything. No text leaves here with an empty line or
//! with a character that moves its neighbours about, so the formats need to care for their own marks only.

use super::time::millis;
use crate::domain::{Segment, Transcript};

/// What is shown from one time to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cue {
    /// In milliseconds.
    pub(super) start: u64,
    /// In milliseconds, always after the start: players drop cues without a length, and WebVTT forbids them.
    pub(super) end: u64,
    /// At least one line, none of them empty.
    pub(super) lines: Vec<String>,
}

/// The cues of a transcript; segments without anything to see have none.
pub(super) fn cues(transcript: &Transcript) -> impl Iterator<Item = Cue> {
    transcript.segments.iter().filter_map(cue)
}

fn cue(segment: &Segment) -> Option<Cue> {
    let lines = lines(&segment.text);
    let start = millis(segment.start);
    let end = millis(segment.end).max(start + 1);
    (!lines.is_empty()).then_some(Cue { start, end, lines })
}

/// The trimmed lines of a text that show something.
pub(super) fn lines(text: &str) -> Vec<String> {
    text.split(is_break)
        .map(|line| line.chars().filter_map(keep).collect::<String>().trim().to_owned())
        .filter(|line| !line.chars().all(is_unseen))
        .collect()
}

/// Everything that some reader takes for the end of a line.
fn is_break(character: char) -> bool {
    matches!(character, '\n' | '\r' | '\u{b}' | '\u{c}' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// Drops control characters, byte order marks, and what embeds, overrides or isolates a writing direction: left open,
/// it would turn round the rest of the screen. The plain marks (left-to-right, right-to-left) stay; they end by themselves.
fn keep(character: char) -> Option<char> {
    match character {
        '\t' => Some(' '),
        '\u{feff}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => None,
        control if control.is_control() => None,
        character => Some(character),
    }
}

fn is_unseen(character: char) -> bool {
    let is_format = matches!(character, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{2064}');
    character.is_whitespace() || is_format
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_clean_lines() {
        for (text, expected) in [
            ("  hello \t", &["hello"][..]),
            ("one\n\n\ntwo\r\nthree\u{2028}four\u{85}five", &["one", "two", "three", "four", "five"]),
            ("a\tb\0c\u{7f}\u{9b}d", &["a bcd"]),
            ("\u{202e}abc\u{2067}\u{feff}", &["abc"]),
            ("שלום\u{200f}!", &["שלום\u{200f}!"]),
            ("می\u{200c}روم", &["می\u{200c}روم"]),
            ("👩\u{200d}🚀", &["👩\u{200d}🚀"]),
            (" \n\u{a0}\n\u{200b}\u{3000}\n", &[]),
            ("", &[]),
        ] {
            assert_eq!(lines(text), expected, "{text:?}");
        }
    }

    #[test]
    fn a_cue_has_a_length() {
        for (start, end, expected) in
            [(1.0, 2.0, (1000, 2000)), (1.0, 1.0, (1000, 1001)), (3.0, 2.0, (3000, 3001)), (f64::NAN, -1.0, (0, 1))]
        {
            let cue = cue(&Segment { start, end, text: "x".into(), ..Segment::default() }).unwrap();
            assert_eq!((cue.start, cue.end), expected, "{start} {end}");
        }
    }
}
