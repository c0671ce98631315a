//! WebVTT: the header and cues without numbers; `&`, `<` and `>` are escaped as the standard says.

use std::fmt::Write;

use super::{cue::cues, time::clock};
use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript) -> String {
    let mut file = String::from("WEBVTT\n");
    for cue in cues(transcript) {
        let (start, end) = (clock(cue.start, '.'), clock(cue.end, '.'));
        // Writing to a string cannot fail.
        let _ = writeln!(file, "\n{start} --> {end}");
        for line in &cue.lines {
            let _ = writeln!(file, "{}", escape(line));
        }
    }
    file
}

fn escape(line: &str) -> String {
    line.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
