//! LRC: a line for each cue with its start, and the start of each word if that is wanted. The format has no escapes:
//! what would be read as a time is written with other brackets.

use std::fmt::Write;

use super::{
    Layout,
    cue::{Line, cues},
    time::lyric,
};
use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript, layout: &Layout) -> String {
    let mut file = String::new();
    for cue in cues(transcript, layout) {
        let line = Line::join(&cue.lines);
        let text = if layout.words { with_words(&line) } else { square(&line.text) };
        // Writing to a string cannot fail.
        let _ = writeln!(file, "[{}]{text}", lyric(cue.start));
    }
    file
}

fn with_words(line: &Line) -> String {
    let mut text = String::new();
    for (time, piece) in line.pieces() {
        if let Some(time) = time {
            text.push_str(&format!("<{}>", lyric(time)));
        }
        text.push_str(&square(piece).replace('<', "‹").replace('>', "›"));
    }
    text
}

fn square(text: &str) -> String {
    text.replace('[', "(").replace(']', ")")
}
