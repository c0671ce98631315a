//! A table with tabs: a head, then start and end in milliseconds and the text of each cue.

use std::fmt::Write;

use super::{
    Layout,
    cue::{Line, cues},
};
use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript, layout: &Layout) -> String {
    let mut file = String::from("start\tend\ttext\n");
    for cue in cues(transcript, layout) {
        // Clean lines have no tabs. Writing to a string cannot fail.
        let _ = writeln!(file, "{}\t{}\t{}", cue.start, cue.end, Line::join(&cue.lines).text);
    }
    file
}
