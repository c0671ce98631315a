//! Segments to cues: times in milliseconds and clean lines of text.
//!
//! What is recognised, edited or sent by another engine may hold anything. No text leaves here with an empty line or
//! with a character that moves its neighbours about, so the formats need to care for their own marks only.

use super::{atoms::atoms, breaks::is_cjk, cut, layout::Layout, time::millis, words};
use crate::domain::{Segment, Transcript};

/// What is shown from one time to another.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cue {
    /// In milliseconds.
    pub(super) start: u64,
    /// In milliseconds, always after the start: players drop cues without a length, and WebVTT forbids them.
    pub(super) end: u64,
    /// At least one line, none of them empty.
    pub(super) lines: Vec<Line>,
}

/// One line of a cue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// What is shown.
    pub(super) text: String,
    /// Where in the text a word begins, in bytes, and when, in milliseconds; empty when nobody knows.
    pub(super) words: Vec<(usize, u64)>,
}

impl Line {
    /// Lines as one: with a blank between them, unless both sides are Chinese or Japanese.
    pub(super) fn join(lines: &[Self]) -> Self {
        let mut one = Self::default();
        for line in lines {
            let is_tight = one.text.chars().next_back().is_some_and(is_cjk) && line.text.starts_with(is_cjk);
            if !one.text.is_empty() && !is_tight {
                one.text.push(' ');
            }
            let offset = one.text.len();
            one.words.extend(line.words.iter().map(|(place, time)| (offset + place, *time)));
            one.text.push_str(&line.text);
        }
        one
    }

    /// The text from each word to the next one with the word's time; first what stands before the first word.
    pub(super) fn pieces(&self) -> impl Iterator<Item = (Option<u64>, &str)> {
        let first = self.words.first().map_or(self.text.len(), |(place, _)| *place);
        let ends = self.words.iter().skip(1).map(|(place, _)| *place).chain([self.text.len()]);
        let words = self.words.iter().zip(ends).map(|((place, time), end)| (Some(*time), &self.text[*place..end]));
        let head = (None, &self.text[..first]);
        std::iter::once(head).chain(words).filter(|(_, text)| !text.is_empty())
    }
}

/// The cues of a transcript; segments without anything to see have none.
pub(super) fn cues(transcript: &Transcript, layout: &Layout) -> Vec<Cue> {
    let segments = transcript.segments.iter();
    let mut cues: Vec<Cue> = if layout.cuts() {
        segments.flat_map(|segment| cut::cues(&atoms(segment), layout)).collect()
    } else {
        segments.filter_map(|segment| cue(segment, layout.words)).collect()
    };
    if layout.cuts() {
        part(&mut cues);
    }
    if let Some(cps) = layout.max_cps {
        slow_down(&mut cues, cps, layout.longest().unwrap_or(u64::MAX), millis(transcript.duration));
    }
    cues
}

fn cue(segment: &Segment, has_words: bool) -> Option<Cue> {
    let mut lines = lines(&segment.text);
    if has_words {
        words::mark(&mut lines, &segment.words);
    }
    let start = millis(segment.start);
    let end = millis(segment.end).max(start + 1);
    (!lines.is_empty()).then_some(Cue { start, end, lines })
}

/// Lets no cue begin before the end of the one before it.
fn part(cues: &mut [Cue]) {
    for index in 1..cues.len() {
        let (before, now) = cues.split_at_mut(index);
        let (before, now) = (&mut before[index - 1], &mut now[0]);
        if now.start > before.start {
            before.end = before.end.min(now.start);
        } else {
            now.start = before.end;
            now.end = now.end.max(now.start + 1);
        }
    }
}

/// Lets cues that are read too fast stay into the silence after them: to the next cue, or to the end of the audio.
fn slow_down(cues: &mut [Cue], cps: f64, longest: u64, duration: u64) {
    let mut limit = if duration > 0 { duration } else { u64::MAX };
    for cue in cues.iter_mut().rev() {
        let read: usize = cue.lines.iter().map(|line| line.text.chars().count()).sum();
        let wanted = cue.start.saturating_add(millis(read as f64 / cps));
        cue.end = cue.end.max(wanted.min(cue.start.saturating_add(longest)).min(limit));
        limit = cue.start;
    }
}

/// The trimmed lines of a text that show something.
pub(super) fn lines(text: &str) -> Vec<Line> {
    text.split(is_break)
        .map(|line| line.chars().filter_map(keep).collect::<String>().trim().to_owned())
        .filter(|line| !line.chars().all(is_unseen))
        .map(|text| Line { text, words: Vec::new() })
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
            let lines = lines(text);
            let texts: Vec<&str> = lines.iter().map(|line| line.text.as_str()).collect();
            assert_eq!(texts, expected, "{text:?}");
        }
    }

    #[test]
    fn a_cue_has_a_length() {
        for (start, end, expected) in
            [(1.0, 2.0, (1000, 2000)), (1.0, 1.0, (1000, 1001)), (3.0, 2.0, (3000, 3001)), (f64::NAN, -1.0, (0, 1))]
        {
            let cue = cue(&Segment { start, end, text: "x".into(), ..Segment::default() }, false).unwrap();
            assert_eq!((cue.start, cue.end), expected, "{start} {end}");
        }
    }
}
