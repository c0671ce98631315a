//! WebVTT: the header and cues without numbers; `&`, `<` and `>` are escaped as the standard says.

use std::fmt::Write;

use super::{
    Layout,
    cue::{Cue, Line, cues},
    time::clock,
};
use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript, layout: &Layout) -> String {
    let mut file = String::from("WEBVTT\n");
    for cue in cues(transcript, layout) {
        let (start, end) = (clock(cue.start, '.'), clock(cue.end, '.'));
        // Writing to a string cannot fail.
        let _ = writeln!(file, "\n{start} --> {end}");
        let mut marks = Marks { last: cue.start, cue: &cue };
        for line in &cue.lines {
            let text = if layout.words { marks.line(line) } else { escape(&line.text) };
            let _ = writeln!(file, "{text}");
        }
    }
    file
}

/// Marks the words of a cue with their times. The standard wants each time inside the cue and after the one before it;
/// a word that cannot have one is shown with the word before it.
struct Marks<'a> {
    last: u64,
    cue: &'a Cue,
}

impl Marks<'_> {
    fn line(&mut self, line: &Line) -> String {
        let mut text = String::new();
        for (time, piece) in line.pieces() {
            let Some(time) = time else {
                text.push_str(&escape(piece));
                continue;
            };
            if time > self.last && time < self.cue.end {
                text.push_str(&format!("<{}>", clock(time, '.')));
                self.last = time;
            }
            let word = piece.trim_end();
            text.push_str(&format!("<c>{}</c>{}", escape(word), &piece[word.len()..]));
        }
        text
    }
}

fn escape(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
