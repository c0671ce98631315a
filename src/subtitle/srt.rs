//! SubRip: numbered cues. The format has no escapes, so a `-->` inside a text is written as the arrow that it means.

use std::fmt::Write;

use super::{Layout, cue::cues, time::clock};
use crate::domain::Transcript;

pub(super) fn render(transcript: &Transcript, layout: &Layout) -> String {
    let mut file = String::new();
    for (index, cue) in cues(transcript, layout).iter().enumerate() {
        if index > 0 {
            file.push('\n');
        }
        let (number, start, end) = (index + 1, clock(cue.start, ','), clock(cue.end, ','));
        // Writing to a string cannot fail.
        let _ = writeln!(file, "{number}\n{start} --> {end}");
        for line in &cue.lines {
            let _ = writeln!(file, "{}", line.text.replace("-->", "→"));
        }
    }
    file
}
