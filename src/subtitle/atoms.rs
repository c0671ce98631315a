//! A segment's text in the pieces that are never broken, each with its time.

use unicode_width::UnicodeWidthStr;

use super::{
    breaks::{Rest, may_break, rest_after},
    cue::{Line, lines},
    time::millis,
    words::Owners,
};
use crate::domain::{Segment, Word};

/// A piece of text that stays in one line.
#[derive(Debug)]
pub(super) struct Atom {
    /// Without blanks around it.
    pub(super) text: String,
    /// Whether a blank stands before it when it does not begin a line.
    pub(super) blank: bool,
    /// Its columns.
    pub(super) width: usize,
    /// When it begins, in milliseconds. An atom lasts a millisecond at least, and ends before the next one begins.
    pub(super) start: u64,
    /// When it ends.
    pub(super) end: u64,
    /// What its end is.
    pub(super) rest: Rest,
    /// Where in its text a word begins (in bytes), and when.
    pub(super) words: Vec<(usize, u64)>,
}

/// The atoms of a segment; none when there is nothing to see.
pub(super) fn atoms(segment: &Segment) -> Vec<Atom> {
    let text = Line::join(&lines(&segment.text)).text;
    let owners = Owners::of(&text, &segment.words);
    let mut atoms: Vec<Atom> = Vec::new();
    let mut spans: Vec<(usize, usize)> = Vec::new();
    let (mut index, mut is_blank, mut before) = (0, false, None);
    for character in text.chars() {
        if character.is_whitespace() {
            is_blank = true;
            continue;
        }
        let starts_word = owners.as_ref().map(|owners| owners.starts(index));
        let is_open = before.is_none_or(|before| may_break(before, character, is_blank)) && starts_word != Some(false);
        match (atoms.last_mut(), spans.last_mut()) {
            (Some(atom), Some(span)) if !is_open => {
                if is_blank {
                    atom.text.push(' ');
                }
                atom.note(starts_word, index);
                atom.text.push(character);
                span.1 = index;
            }
            _ => {
                let mut atom = Atom::empty(is_blank && before.is_some());
                atom.note(starts_word, index);
                atom.text.push(character);
                atoms.push(atom);
                spans.push((index, index));
            }
        }
        (index, is_blank, before) = (index + 1, false, Some(character));
    }
    for atom in &mut atoms {
        atom.width = atom.text.width();
        atom.rest = rest_after(&atom.text);
    }
    match owners {
        Some(owners) => time_by_words(&mut atoms, &spans, &owners, &segment.words),
        None => time_by_width(&mut atoms, segment),
    }
    settle(&mut atoms, millis(segment.start), millis(segment.end));
    atoms
}

impl Atom {
    fn empty(blank: bool) -> Self {
        Self { text: String::new(), blank, width: 0, start: 0, end: 0, rest: Rest::Word, words: Vec::new() }
    }

    /// Notes that a word begins here; its place among the characters becomes its time later.
    fn note(&mut self, starts_word: Option<bool>, index: usize) {
        if starts_word == Some(true) {
            self.words.push((self.text.len(), index as u64));
        }
    }
}

fn time_by_words(atoms: &mut [Atom], spans: &[(usize, usize)], owners: &Owners, words: &[Word]) {
    for (atom, (first, last)) in atoms.iter_mut().zip(spans) {
        atom.start = millis(words[owners.word(*first)].start);
        atom.end = millis(words[owners.word(*last)].end);
        for (_, time) in &mut atom.words {
            // Characters of a text that is in memory fit into a usize.
            *time = millis(words[owners.word(*time as usize)].start);
        }
    }
}

/// As long as they are wide.
fn time_by_width(atoms: &mut [Atom], segment: &Segment) {
    let (start, end) = (millis(segment.start), millis(segment.end));
    let length = u128::from(end.saturating_sub(start));
    let total: usize = atoms.iter().map(|atom| atom.width.max(1)).sum();
    // A part of the length is not longer than it.
    let at = |columns: usize| start + (length * columns as u128 / total.max(1) as u128) as u64;
    let mut columns = 0;
    for atom in atoms {
        atom.start = at(columns);
        columns += atom.width.max(1);
        atom.end = at(columns);
    }
}

/// Puts the times in order, inside the segment, with a millisecond for each atom. A segment that is too short for that is
/// taken for longer.
fn settle(atoms: &mut [Atom], start: u64, end: u64) {
    let count = atoms.len() as u64;
    let end = end.max(start + count);
    let mut earliest = start;
    for (after, atom) in (0..count).rev().zip(atoms) {
        atom.start = atom.start.clamp(earliest, end - after - 1);
        atom.end = atom.end.clamp(atom.start + 1, end - after);
        earliest = atom.end;
    }
}

/// Atoms as one line.
pub(super) fn line(atoms: &[Atom]) -> Line {
    let mut line = Line::default();
    for (index, atom) in atoms.iter().enumerate() {
        if index > 0 && atom.blank {
            line.text.push(' ');
        }
        let offset = line.text.len();
        line.words.extend(atom.words.iter().map(|(place, time)| (offset + place, *time)));
        line.text.push_str(&atom.text);
    }
    line
}
